// N and P go from difference to difference; B makes the column that is pointed at, or where the focus is, the base.
let pointedAt: Element | null = null;

function differences(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(".m-cmp td.diff")].filter((cell) => cell.offsetParent !== null);
}

/** The next difference in that direction from where the focus is, around the end. */
function step(by: number): void {
  const all = differences();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement as HTMLElement);
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : (at + by + all.length) % all.length;
  const cell = all[next];
  cell?.scrollIntoView({ block: "nearest", inline: "center" });
  cell?.focus({ preventScroll: true });
}

/** The address that makes the column of a cell, the row or the run of a list the base; "" where there is none. */
function baseOf(element: Element | null): string {
  const own = element?.closest<HTMLElement>("[data-base]")?.dataset.base;
  if (own) return own;
  const cell = element?.closest<HTMLTableCellElement>("td, th");
  const heads = cell?.closest("table")?.tHead?.rows;
  return (cell && heads && heads[heads.length - 1]?.cells[cell.cellIndex]?.dataset.base) || "";
}

function setBase(): void {
  const focused = document.activeElement === document.body ? null : document.activeElement;
  const address = baseOf(focused) || baseOf(pointedAt);
  if (address) location.assign(address);
}

export function listenForSteps(): void {
  document.addEventListener("pointerover", (event) => {
    pointedAt = event.target as Element;
  });
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-difference]");
    if (button) step(Number(button.dataset.difference));
  });
  document.addEventListener("keydown", (event) => {
    const typing = (event.target as HTMLElement).closest("input:not([type=range]), textarea, select, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const key = event.key.toLowerCase();
    if (key === "n") step(1);
    else if (key === "p") step(-1);
    else if (key === "b") setBase();
  });
}
