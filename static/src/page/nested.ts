// Nested runs: a chip "+5" opens what is below a run and closes it again; so do the right and left arrows on the current
// row. What is open stands in the address, so that a copied one shows the same.
const OPEN_MAX = 50;

const chipOf = (row: Element | null | undefined): HTMLElement | null => row?.querySelector<HTMLElement>("[data-nest]") ?? null;
const refOf = (chip: HTMLElement): string => chip.closest("tr")?.dataset.ref ?? "";
const isOpen = (chip: HTMLElement): boolean => chip.getAttribute("aria-expanded") === "true";

function say(chip: HTMLElement, open: boolean): void {
  chip.setAttribute("aria-expanded", String(open));
  chip.textContent = `${open ? "−" : "+"}${chip.textContent?.slice(1) ?? ""}`;
}

/** The address with this run among the open ones, or without it. */
export function addressWith(address: string, ref: string, open: boolean): string {
  const [path, query] = address.split("?", 2);
  const asked = new URLSearchParams(query ?? "");
  const others = asked.getAll("open").filter((one) => one !== ref);
  asked.delete("open");
  for (const one of [...others, ...(open ? [ref] : [])].slice(-OPEN_MAX)) asked.append("open", one);
  const text = asked.toString();
  return text ? `${path}?${text}` : (path ?? "");
}

function keep(chip: HTMLElement, open: boolean): void {
  const ref = refOf(chip);
  if (ref) history.replaceState(history.state, "", addressWith(location.pathname + location.search, ref, open));
}

function removeBelow(uid: string): void {
  for (const row of document.querySelectorAll<HTMLTableRowElement>(`tr[data-parent="${CSS.escape(uid)}"]`)) {
    const chip = chipOf(row);
    if (chip && isOpen(chip)) removeBelow(chip.dataset.nest ?? "");
    row.remove();
  }
}

function unfold(chip: HTMLElement): void {
  if (isOpen(chip)) return;
  say(chip, true);
  keep(chip, true);
  chip.dispatchEvent(new CustomEvent("unfold"));
}

function fold(chip: HTMLElement): void {
  if (!isOpen(chip)) return;
  removeBelow(chip.dataset.nest ?? "");
  say(chip, false);
  keep(chip, false);
}

function onArrow(event: KeyboardEvent): boolean {
  const row = document.querySelector<HTMLTableRowElement>("tr[data-current]");
  const chip = chipOf(row);
  if (event.key === "ArrowRight") {
    if (!chip || isOpen(chip)) return false;
    unfold(chip);
    return true;
  }
  if (chip && isOpen(chip)) {
    fold(chip);
    return true;
  }
  const above = row?.dataset.parent ? chipOf(document.querySelector(`[data-nest="${row.dataset.parent}"]`)?.closest("tr")) : null;
  if (!above) return false;
  row?.removeAttribute("data-current");
  above.closest("tr")?.setAttribute("data-current", "");
  fold(above);
  above.closest("tr")?.scrollIntoView({ block: "nearest" });
  return true;
}

/** Links of the page were drawn before the last row was opened: what is open goes with them. */
function carryOpen(event: CustomEvent<{ boosted: boolean; path: string }>): void {
  const open = new URLSearchParams(location.search).getAll("open");
  const [path] = event.detail.path.split("?", 1);
  if (!event.detail.boosted || path !== location.pathname || /[?&]tree=0/.test(event.detail.path)) return;
  for (const ref of open) event.detail.path = addressWith(event.detail.path, ref, true);
}

export function listenForNested(): void {
  document.addEventListener("click", (event) => {
    const chip = (event.target as HTMLElement).closest<HTMLElement>("[data-nest]");
    if (!chip || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    (isOpen(chip) ? fold : unfold)(chip);
  });
  document.addEventListener("keydown", (event) => {
    const at = event.target as HTMLElement;
    if (event.key === " " && at.matches("[data-nest]")) {
      event.preventDefault();
      at.click();
      return;
    }
    if (!["ArrowRight", "ArrowLeft"].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (at.matches("input:not([type=checkbox]), textarea, select") || document.querySelector("dialog[open]")) return;
    if (onArrow(event)) event.preventDefault();
  });
  document.addEventListener("htmx:load", (event) => {
    const part = event.target as HTMLElement;
    const opened = [...(part.matches("[data-nest-open]") ? [part] : []), ...part.querySelectorAll<HTMLElement>("[data-nest-open]")];
    for (const chip of opened) if (!isOpen(chip)) say(chip, true);
  });
  document.addEventListener("htmx:configRequest", (event) => carryOpen(event as CustomEvent<{ boosted: boolean; path: string }>));
  document.addEventListener("htmx:responseError", (event) => {
    const chip = event.target as HTMLElement;
    if (chip.matches("[data-nest]")) say(chip, false);
  });
}
