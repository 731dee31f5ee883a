// What the pointer is at: the nearest line first with what was chosen to be told of its run, then all lines by value.
import type uPlot from "uplot";
import type { Board } from "./board";
import { clock, exact, figure } from "./format";
import type { Drawn } from "./lines";
import { axisWords, type Look } from "./look";
import { tipOf } from "./marks";
import { fieldWords } from "./model";
import { swatch } from "./swatch";

const LISTED = 14;
const MARGIN = 4;

interface At {
  line: Drawn;
  x: number;
  y: number;
  spread: string;
}

/** Shows the tip of a plot at its cursor, and lights the nearest line on the whole page. */
export function pointerTip(u: uPlot, lines: readonly Drawn[], look: Look, board: Board): void {
  const host = u.root.closest<HTMLElement>(".m-chart");
  if (!host) return;
  const tip = tipOf(host, "list");
  const left = u.cursor.left ?? -1;
  if (left < 0) {
    tip.hidden = true;
    board.light(null);
    board.cross(null, look.x);
    return;
  }
  const x = u.posToVal(left, "x");
  board.cross(x, look.x);
  const rows = lines.map((line) => valueAt(line, x)).filter((row): row is At => row !== null && (!look.log || row.y > 0));
  if (!rows.length) {
    tip.hidden = true;
    return;
  }
  const pointer = u.cursor.top ?? 0;
  const away = (row: At): number => Math.abs(u.valToPos(row.y, "y") - pointer);
  const near = rows.reduce((best, row) => (away(row) < away(best) ? row : best));
  board.light(near.line.ids);
  tip.replaceChildren(...content(rows, near, look, board));
  tip.hidden = false;
  move(tip, host, u, left);
}

function content(rows: At[], near: At, look: Look, board: Board): HTMLElement[] {
  rows.sort((a, b) => b.y - a.y);
  const several = new Set(rows.map((row) => row.line.metric)).size > 1;
  const said = near.line.kind === "band" ? [] : look.tip.map((field) => [fieldWords(field), board.model.fields[field]?.[near.line.place] ?? "not recorded"]);
  const shown = [line("head", xWords(look.x, near.x)), row(near, several, "near"), ...said.map(([name, value]) => line("said", `${name} ${value}`))];
  if (rows.length > 1) {
    const from = Math.min(Math.max(0, rows.indexOf(near) - LISTED / 2), Math.max(0, rows.length - LISTED));
    const list = document.createElement("div");
    list.className = "rows";
    if (from > 0) list.append(line("head", `${from} above`));
    list.append(...rows.slice(from, from + LISTED).map((one) => row(one, several, one === near ? "near" : "")));
    if (rows.length > from + LISTED) list.append(line("head", `${rows.length - from - LISTED} below`));
    shown.push(list);
  }
  return shown;
}

function row(at: At, several: boolean, kind: string): HTMLElement {
  const shown = line(`at ${kind}`.trim(), "");
  const name = document.createElement("span");
  name.className = "trunc";
  name.textContent = several ? `${at.line.name} · ${at.line.metric}` : at.line.name;
  const value = document.createElement("span");
  value.className = "num";
  value.textContent = `${exact(at.y)}${at.spread}`;
  shown.append(swatch(at.line.colour, at.line.dash), name, value);
  return shown;
}

function valueAt(line: Drawn, x: number): At | null {
  const { block } = line;
  const at = nearest(block.x, x);
  if (at < 0 || !Number.isFinite(block.y[at])) return null;
  const [low, high, runs] = [block.low?.[at], block.high?.[at], block.runs?.[at]];
  const spread = low !== undefined && high !== undefined ? ` (${exact(low)} to ${exact(high)}, n ${runs})` : "";
  return { line, x: block.x[at] as number, y: block.y[at] as number, spread };
}

/** Beside the pointer, on the side with more room, inside the window. */
function move(tip: HTMLElement, host: HTMLElement, u: uPlot, left: number): void {
  const box = host.getBoundingClientRect();
  const at = u.over.getBoundingClientRect().left - box.left + left;
  const right = box.left + at + 16 + tip.offsetWidth < document.documentElement.clientWidth - MARGIN;
  tip.style.left = `${Math.max(MARGIN - box.left, right ? at + 16 : at - 16 - tip.offsetWidth)}px`;
  tip.style.top = `${u.root.getBoundingClientRect().top - box.top + MARGIN}px`;
}

export function xWords(axis: string, value: number): string {
  if (axis === "relative") return `${figure(value / 1000)} s after the start`;
  if (axis === "time") return `${clock(value)} UTC`;
  return `${axisWords(axis)} ${exact(value)}`;
}

function line(kind: string, words: string): HTMLElement {
  const shown = document.createElement("div");
  shown.className = kind;
  shown.textContent = words;
  return shown;
}

/** The index of the value nearest to x in ascending order; -1 for none. */
export function nearest(xs: Float64Array, x: number): number {
  if (!xs.length) return -1;
  let low = 0;
  let high = xs.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((xs[middle] ?? 0) < x) low = middle;
    else high = middle;
  }
  return Math.abs((xs[low] ?? 0) - x) <= Math.abs((xs[high] ?? 0) - x) ? low : high;
}
