// Widths and pins of the run table's columns: a head is dragged at its edge, or the arrows change it from the keyboard;
// pinned columns stay in sight. What is chosen is kept on the server.
import { keepSetting } from "./settings";

const NARROWEST = 48;
const WIDEST = 640;

interface Taste {
  widths: Record<string, number>;
  pins: string[];
  formats: Record<string, string>;
  heat: Record<string, boolean>;
}

const table = (): HTMLTableElement | null => document.querySelector<HTMLTableElement>("table.m-runs");
const columns = (): HTMLElement[] => [...(table()?.querySelectorAll<HTMLElement>("col[data-col]") ?? [])];
const columnOf = (key?: string): HTMLElement | undefined => columns().find((one) => one.dataset.col === key);

function taste(): Taste {
  const kept = document.getElementById("columns-taste");
  return JSON.parse(kept?.textContent ?? "{}") as Taste;
}

/** Puts pinned columns where they stay, beside the name and the status. */
function pin(): void {
  const shown = table();
  if (!shown) return;
  const heads = [...shown.querySelectorAll<HTMLElement>("thead tr:last-child > *")];
  const name = heads[0]?.offsetWidth ?? 0;
  shown.style.setProperty("--name-w", `${name}px`);
  let left = name + (heads[1]?.offsetWidth ?? 0);
  const pinned = heads.filter((head) => /(^| )pin\d/.test(head.className));
  for (const [at, head] of pinned.entries()) {
    shown.style.setProperty(`--pin${at + 1}`, `${left}px`);
    left += head.offsetWidth;
  }
  if (!pinned.length) return;
  const last = `.pin${pinned.length}`;
  for (const cell of shown.querySelectorAll(last)) cell.classList.add("m-lastpin");
}

function widen(key: string, width: number): number {
  const column = columnOf(key);
  const fits = Math.round(Math.min(WIDEST, Math.max(NARROWEST, width)));
  column?.setAttribute("width", String(fits));
  pin();
  return fits;
}

function keep(key: string, width: number): void {
  const kept = document.getElementById("columns-taste");
  if (!kept) return; // the table went while its column was dragged: what is kept is not known here
  const chosen = taste();
  delete chosen.widths[key];
  chosen.widths[key] = width;
  kept.textContent = JSON.stringify(chosen);
  keepSetting(table()?.dataset.setting ?? "runs.columns", chosen, table()?.dataset.project ?? "");
}

function onDown(event: PointerEvent): void {
  const handle = (event.target as Element).closest<HTMLElement>("[data-resize]");
  const head = handle?.closest<HTMLElement>("th");
  const key = head?.dataset.columnKey ?? head?.dataset.widthKey;
  if (!handle || !head || !key || event.button) return;
  event.preventDefault();
  const [start, before] = [event.clientX, head.offsetWidth];
  let width = before;
  head.classList.add("m-colsizing");
  const wasDraggable = head.draggable;
  head.draggable = false;
  handle.setPointerCapture(event.pointerId);
  const move = (moved: PointerEvent): void => {
    width = widen(key, before + moved.clientX - start);
  };
  const end = (): void => {
    handle.removeEventListener("pointermove", move);
    head.classList.remove("m-colsizing");
    head.draggable = wasDraggable;
    if (width !== before) keep(key, width);
  };
  handle.addEventListener("pointermove", move);
  handle.addEventListener("pointerup", end, { once: true });
  handle.addEventListener("pointercancel", end, { once: true });
}

/** "Wider" and "Narrower" of a column's menu act at once, and leave the menu open. */
function onClick(event: MouseEvent): void {
  const button = (event.target as Element).closest<HTMLButtonElement>(".m-headmenu button[value^='width-']");
  const key = button?.value.slice(button.value.indexOf(":") + 1);
  const column = columnOf(key);
  if (!button || !key || !column) return;
  event.preventDefault();
  const now = Number(column.getAttribute("width"));
  const by = button.textContent?.trim() === "Wider" ? 24 : -24;
  keep(key, widen(key, now + by));
}

export function listenForColumns(): void {
  pin();
  document.addEventListener("pointerdown", onDown);
  document.addEventListener("click", onClick);
  document.addEventListener("htmx:load", pin);
  addEventListener("resize", pin);
}
