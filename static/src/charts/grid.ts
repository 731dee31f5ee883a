// Panels of the reader's own are dragged to another place, and every cell to another size: with mouse, finger and keys.
import type { ChartPlace, PanelPlace } from "./cells";
import { HIGHEST, WIDEST } from "./cells";

const UNIT = 236; // one more unit of height, as .m-chartcell in static/css/charts.css
const STEPS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const bounded = (value: number, most: number): number => Math.min(most, Math.max(1, Math.round(value)));

export interface Moves {
  /** The own panels stand in another order now, as their figures do. */
  moved(figures: HTMLElement[]): void;
  resized(place: PanelPlace | ChartPlace): void;
  say(words: string): void;
}

export function movable(place: PanelPlace, moves: Moves): void {
  const grip = place.figure.querySelector<HTMLElement>("[data-grip]");
  if (!grip) return;
  grip.addEventListener("pointerdown", (event) => event.button === 0 && drag(event, grip, place.figure, moves));
  grip.addEventListener("keydown", (event) => {
    const by = STEPS[event.key];
    if (!by) return;
    event.preventDefault();
    step(place.figure, by[0] + by[1], moves);
    grip.focus();
  });
}

function siblings(figure: HTMLElement): HTMLElement[] {
  return [...(figure.parentElement?.querySelectorAll<HTMLElement>(":scope > .m-chartcell") ?? [])];
}

function step(figure: HTMLElement, by: number, moves: Moves): void {
  const all = siblings(figure);
  const to = all.indexOf(figure) + by;
  const other = all[to];
  if (!other) return;
  if (by > 0) other.after(figure);
  else other.before(figure);
  moves.moved(siblings(figure));
  moves.say(`Place ${to + 1} of ${all.length}`);
}

/** The figure at this place among the others. The others move: one that is taken out of the page loses the pointer. */
function around(figure: HTMLElement, others: HTMLElement[], at: number): void {
  const now = siblings(figure).filter((one) => one !== figure);
  if (siblings(figure).indexOf(figure) === at && others.every((one, place) => now[place] === one)) return;
  figure.before(...others.slice(0, at));
  figure.after(...others.slice(at));
}

function drag(start: PointerEvent, grip: HTMLElement, figure: HTMLElement, moves: Moves): void {
  start.preventDefault();
  grip.focus();
  grip.setPointerCapture(start.pointerId);
  const before = siblings(figure);
  figure.classList.add("m-dragged");
  const end = new AbortController();
  const stop = (keep: boolean): void => {
    end.abort();
    figure.classList.remove("m-dragged");
    if (!keep) around(figure, before.filter((one) => one !== figure), before.indexOf(figure));
    else if (siblings(figure).some((one, at) => one !== before[at])) moves.moved(siblings(figure));
  };
  const over = (event: PointerEvent): void => {
    const under = document.elementsFromPoint(event.clientX, event.clientY).map((one) => one.closest<HTMLElement>(".m-chartcell"));
    const target = under.find((one) => one && one !== figure && one.parentElement === figure.parentElement);
    if (!target) return;
    const box = target.getBoundingClientRect();
    const wide = box.width < (figure.parentElement?.clientWidth ?? 0) * 0.75;
    const behind = wide ? event.clientX > box.left + box.width / 2 : event.clientY > box.top + box.height / 2;
    const others = siblings(figure).filter((one) => one !== figure);
    around(figure, others, others.indexOf(target) + Number(behind));
  };
  grip.addEventListener("pointermove", over, { signal: end.signal });
  grip.addEventListener("pointerup", () => stop(true), { signal: end.signal });
  grip.addEventListener("pointercancel", () => stop(false), { signal: end.signal });
  document.addEventListener("keydown", (event) => event.key === "Escape" && stop(false), { signal: end.signal });
}

export function sizable(place: PanelPlace | ChartPlace, moves: Moves): void {
  const handle = place.figure.querySelector<HTMLElement>("[data-resize]");
  if (!handle) return;
  handle.addEventListener("keydown", (event) => {
    const by = STEPS[event.key];
    if (!by) return;
    event.preventDefault();
    const [w, h] = place.size();
    keep(place, [bounded(w + by[0], WIDEST), bounded(h + by[1], HIGHEST)], moves);
  });
  handle.addEventListener("pointerdown", (event) => event.button === 0 && stretch(event, handle, place, moves));
}

function stretch(start: PointerEvent, handle: HTMLElement, place: PanelPlace | ChartPlace, moves: Moves): void {
  start.preventDefault();
  handle.focus();
  handle.setPointerCapture(start.pointerId);
  const [w, h] = place.size();
  const unit = place.figure.offsetWidth / Math.min(w, columnsOf(place.figure));
  let now: [number, number] = [w, h];
  const end = new AbortController();
  const over = (event: PointerEvent): void => {
    now = [bounded(w + (event.clientX - start.clientX) / unit, WIDEST), bounded(h + (event.clientY - start.clientY) / UNIT, HIGHEST)];
    place.fit(now);
  };
  const stop = (done: boolean): void => {
    end.abort();
    if (done && (now[0] !== w || now[1] !== h)) keep(place, now, moves);
    else place.fit();
  };
  handle.addEventListener("pointermove", over, { signal: end.signal });
  handle.addEventListener("pointerup", () => stop(true), { signal: end.signal });
  handle.addEventListener("pointercancel", () => stop(false), { signal: end.signal });
}

function keep(place: PanelPlace | ChartPlace, size: [number, number], moves: Moves): void {
  place.keepSize(size);
  place.fit();
  moves.resized(place);
  moves.say(`${size[0]} wide, ${size[1]} high`);
}

function columnsOf(figure: HTMLElement): number {
  const grid = figure.parentElement;
  return grid ? getComputedStyle(grid).gridTemplateColumns.split(" ").length : 1;
}
