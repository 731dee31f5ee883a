// Selecting rows of the run table: a click, Shift+click for a range, X for the current row, the whole page, all that
// match. What is selected stays selected when the table comes again with another order, page or filter.
const MAX = 100; // as many as can be compared
const MOST = 1000; // as many as one act takes
const KEPT = "mled.selected ";

const chosen = new Set<string>();
let everything = false; // all that match, also those on other pages
let last: HTMLInputElement | null = null;

const form = (): HTMLFormElement | null => document.querySelector<HTMLFormElement>("#selection");
const boxes = (): HTMLInputElement[] => [...document.querySelectorAll<HTMLInputElement>('input[name="runs"][form="selection"]')];

/** Whoever leads back to this page finds what was selected: browsers would put ticks back by their place, on other runs. */
function keep(): void {
  if (form()) sessionStorage.setItem(KEPT + location.pathname, JSON.stringify([...chosen]));
}

function recall(): void {
  const [way] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  if (!form() || (way?.type !== "back_forward" && way?.type !== "reload")) return;
  for (const ref of JSON.parse(sessionStorage.getItem(KEPT + location.pathname) ?? "[]") as string[]) chosen.add(ref);
}

function choose(box: HTMLInputElement, on: boolean): void {
  box.checked = on;
  if (on) chosen.add(box.value);
  else chosen.delete(box.value);
}

/** Puts the selection on what is drawn now, and says how many there are. */
export function showSelection(): void {
  const all = boxes();
  for (const box of all) {
    box.checked = chosen.has(box.value);
    box.closest("tr")?.setAttribute("aria-selected", String(box.checked));
  }
  const page = document.querySelector<HTMLInputElement>("[data-select-page]");
  if (page) {
    const here = all.filter((box) => box.checked).length;
    page.checked = here > 0 && here === all.length;
    page.indeterminate = here > 0 && here < all.length;
  }
  const bar = document.querySelector<HTMLElement>("[data-selbar]");
  if (!bar) return;
  bar.hidden = chosen.size === 0;
  const whole = bar.querySelector("[data-select-all]");
  whole?.setAttribute("aria-pressed", String(everything));
  whole?.classList.toggle("active", everything);
  const count = bar.querySelector("[data-selected]");
  if (count) count.textContent = everything ? "All that match" : String(chosen.size);
  const button = bar.querySelector<HTMLButtonElement>("[data-compare]");
  const words = bar.querySelector("[data-select-words]");
  const fits = !everything && chosen.size >= 2 && chosen.size <= MAX;
  if (button) button.disabled = !fits;
  if (words) words.textContent = everything ? `An act takes the first ${MOST.toLocaleString("en")}.` : fits ? "" : chosen.size < 2 ? "" : `At most ${MAX} can be compared.`;
}

function range(from: HTMLInputElement, to: HTMLInputElement): void {
  const all = boxes();
  const [start, end] = [all.indexOf(from), all.indexOf(to)].sort((a, b) => a - b);
  for (const box of all.slice(start ?? 0, (end ?? 0) + 1)) choose(box, to.checked);
}

function compare(): void {
  const address = form()?.dataset.compareUrl;
  if (!address || everything || chosen.size < 2 || chosen.size > MAX) return;
  location.assign(`${address}?runs=${[...chosen].map(encodeURIComponent).join(",")}`);
}

function toggleCurrent(): boolean {
  const box = document.querySelector<HTMLInputElement>('tr[data-current] input[name="runs"]');
  if (!box) return false;
  choose(box, !box.checked);
  last = box;
  showSelection();
  return true;
}

function onClick(event: MouseEvent): void {
  const target = event.target as HTMLElement;
  if (target.closest("[data-select-none]")) {
    chosen.clear();
    everything = false;
    showSelection();
  } else if (target.closest("[data-select-all]")) {
    everything = !everything;
    showSelection();
  } else if (target instanceof HTMLInputElement && target.matches("[data-select-page]")) {
    for (const box of boxes()) choose(box, target.checked);
    showSelection();
  } else if (target instanceof HTMLInputElement && target.name === "runs" && target.form?.id === "selection") {
    choose(target, target.checked);
    if (event.shiftKey && last?.isConnected) range(last, target);
    last = target;
    showSelection();
  }
}

function onKey(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.key === "Enter" && target.matches("[data-selbar] details input")) {
    event.preventDefault();
    target.closest("details")?.querySelector<HTMLButtonElement>("button[type=submit]")?.click();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input:not([type=checkbox]), textarea, select, dialog[open]")) return;
  if (event.key === "x" && toggleCurrent()) event.preventDefault();
  if (event.key === "c" && chosen.size) compare();
}

export function listenForSelection(): void {
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  document.addEventListener("htmx:load", showSelection);
  document.addEventListener("htmx:beforeRequest", () => (everything = false));
  addEventListener("pagehide", keep);
  addEventListener("pageshow", (event) => {
    if (!event.persisted) recall();
    showSelection();
  });
  document.addEventListener("submit", (event) => {
    const sent = event.target as HTMLFormElement;
    if (sent.id !== "selection") return;
    if (!event.submitter?.hasAttribute("formaction")) {
      event.preventDefault();
      compare();
      return;
    }
    const [list, all] = [sent.querySelector<HTMLInputElement>("[data-chosen]"), sent.querySelector<HTMLInputElement>("[data-all]")];
    if (list) list.value = [...chosen].join(",");
    if (all) all.value = everything ? "1" : "";
  });
}
