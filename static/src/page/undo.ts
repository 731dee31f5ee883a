// Undo and redo of how a list is looked at. The address says all of it, so what is kept is a list of addresses of this
// page, for this window, and where in it the reader stands.
import htmx from "htmx.org";

const MOST = 60;

interface Trail {
  steps: string[];
  at: number;
}

const place = (): string => `mled_trail ${location.pathname}`;

/** The address as far as it is a view: the page within the list, and the last good query, are none. */
function here(): string {
  const asked = new URLSearchParams(location.search);
  for (const name of ["after", "good"]) asked.delete(name);
  return new URLSearchParams([...asked].filter(([, value]) => value !== "")).toString();
}

function read(): Trail {
  const kept = JSON.parse(sessionStorage.getItem(place()) ?? "null") as Trail | null;
  return kept?.steps[kept.at] === undefined ? { steps: [], at: -1 } : kept;
}

function write(trail: Trail): void {
  sessionStorage.setItem(place(), JSON.stringify(trail));
}

/** Where the trail stands once this address is seen: a step of the browser's own Back is one of ours, too. */
export function followed(trail: Trail, address: string): Trail {
  if (trail.steps[trail.at] === address) return trail;
  if (trail.steps[trail.at - 1] === address) return { steps: trail.steps, at: trail.at - 1 };
  if (trail.steps[trail.at + 1] === address) return { steps: trail.steps, at: trail.at + 1 };
  const steps = [...trail.steps.slice(0, trail.at + 1), address].slice(-MOST);
  return { steps, at: steps.length - 1 };
}

function note(): void {
  if (!document.getElementById("runs")) return;
  const trail = followed(read(), here());
  write(trail);
  for (const [name, is] of [["undo", trail.at > 0], ["redo", trail.at < trail.steps.length - 1]] as const) {
    const button = document.querySelector<HTMLButtonElement>(`[data-view-${name}]`);
    if (button) button.disabled = !is;
  }
}

/** Goes to another step as a click on a link would: the part of the page that differs comes again. */
function go(by: 1 | -1): boolean {
  const trail = read();
  const step = trail.steps[trail.at + by];
  if (step === undefined) return false;
  write({ steps: trail.steps, at: trail.at + by });
  const address = step ? `${location.pathname}?${step}` : `${location.pathname}?sort=`;
  if (!dispatchEvent(new CustomEvent("mled:view-step", { detail: step, cancelable: true }))) {
    note();
    return true;
  }
  const list = document.getElementById("runs");
  const view = new URLSearchParams(step).get("view") ?? "table";
  if (!list || view !== (list.dataset.view ?? "table")) {
    location.assign(address);
    return true;
  }
  const link = document.createElement("a");
  link.href = address;
  link.hidden = true;
  list.append(link);
  htmx.process(link);
  link.click();
  return true;
}

function writesText(at: EventTarget | null): boolean {
  return at instanceof HTMLElement && (at.isContentEditable || at.matches("input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea"));
}

function onKey(event: KeyboardEvent): void {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || writesText(event.target) || !document.getElementById("runs")) return;
  const key = event.key.toLowerCase();
  const by = key === "z" && !event.shiftKey ? -1 : key === "y" || (key === "z" && event.shiftKey) ? 1 : 0;
  if (by && go(by)) event.preventDefault();
}

export function listenForUndo(): void {
  note();
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest("[data-view-undo], [data-view-redo]");
    if (button) go(button.hasAttribute("data-view-undo") ? -1 : 1);
  });
  document.addEventListener("htmx:afterSettle", note);
  document.addEventListener("htmx:oobAfterSwap", note);
  document.addEventListener("htmx:historyRestore", note);
  addEventListener("pageshow", note);
  addEventListener("popstate", note);
  addEventListener("mled:view", note); // a script of the page changed its address
}
