// J and K walk the rows of the page's first table with [data-rows]; Enter opens the row's link.
function rows(): HTMLTableRowElement[] {
  return [...document.querySelectorAll<HTMLTableRowElement>("table[data-rows] tbody tr[data-href]")];
}

function current(): HTMLTableRowElement | null {
  return document.querySelector<HTMLTableRowElement>("table[data-rows] tr[data-current]");
}

export function step(by: 1 | -1): boolean {
  const all = rows();
  if (!all.length) return goAlong(by);
  const at = current();
  const place = at ? all.indexOf(at) + by : by === 1 ? 0 : all.length - 1;
  const next = all[Math.min(Math.max(place, 0), all.length - 1)];
  at?.removeAttribute("data-current");
  next?.setAttribute("data-current", "");
  next?.scrollIntoView({ block: "nearest" });
  return true;
}

function goAlong(by: 1 | -1): boolean {
  const [near, far] = by === 1 ? ["a[data-next]", "a[data-next-run]"] : ["a[data-previous]", "a[data-previous-run]"];
  const link = document.querySelector<HTMLAnchorElement>(near) ?? document.querySelector<HTMLAnchorElement>(far);
  link?.click();
  return link !== null;
}

export function openCurrent(): boolean {
  const href = current()?.dataset.href;
  if (!href) return false;
  location.assign(href);
  return true;
}

export function listenForRows(): void {
  document.addEventListener("htmx:afterSwap", () => current()?.removeAttribute("data-current"));
}
