// J, K and the arrows walk the rows of the page's first table with [data-rows]; Enter opens the row's link, E turns its
// eye. The run that was current stays so when the table comes again.
let last = "";

function rows(): HTMLTableRowElement[] {
  return [...document.querySelectorAll<HTMLTableRowElement>("table[data-rows] tbody tr[data-href]")];
}

function current(): HTMLTableRowElement | null {
  return document.querySelector<HTMLTableRowElement>("table[data-rows] tr[data-current]");
}

export const hasRows = (): boolean => rows().length > 0;

function mark(row: HTMLTableRowElement | undefined): void {
  current()?.removeAttribute("data-current");
  row?.setAttribute("data-current", "");
  last = row?.dataset.ref ?? "";
}

export function step(by: 1 | -1): boolean {
  const all = rows();
  if (!all.length) return goAlong(by);
  const at = current();
  const place = at ? all.indexOf(at) + by : by === 1 ? 0 : all.length - 1;
  const next = all[Math.min(Math.max(place, 0), all.length - 1)];
  mark(next);
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

/** T: somebody takes the current row, or what the page shows, upon themselves. */
export function take(): boolean {
  const button = (hasRows() ? current() : document)?.querySelector<HTMLElement>("[data-take]");
  button?.click();
  return button !== null && button !== undefined;
}

export function turnEye(): boolean {
  const eye = current()?.querySelector<HTMLElement>(".m-eye");
  eye?.click();
  return eye !== null && eye !== undefined;
}

function remember(): void {
  if (!last || current()) return;
  const row = rows().find((one) => one.dataset.ref === last);
  row?.setAttribute("data-current", "");
}

export function listenForRows(): void {
  document.addEventListener("htmx:afterSettle", remember);
}
