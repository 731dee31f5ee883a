// What one plot of lines shows, as strokes of a pen: its grid, the words of its axes, bands, curves, and marks of NaN.
import type uPlot from "uplot";
import type { Pen } from "../panels/pen";
import { css } from "./marks";

export interface Stroke {
  colour: string;
  width: number;
  dash: readonly number[];
  /** Between this line and the one after it; "" for nothing. */
  fill: string;
  dots: boolean;
}

export interface Drawing {
  u: uPlot | null;
  /** Of a facet; "" for the only one. */
  title: string;
  /** Of each series but the first, in order. */
  strokes: Stroke[];
  odd: { colour: string; x: readonly number[] }[];
}

type At = (value: number, scale: "x" | "y") => number;

/** Draws a plot whose upper left corner stands at left, top; all in pixels of the page. */
export function drawPlot(pen: Pen, u: uPlot, drawing: Drawing, left: number, top: number): void {
  const scale = devicePixelRatio;
  const box = { x: left + u.bbox.left / scale, y: top + u.bbox.top / scale, width: u.bbox.width / scale, height: u.bbox.height / scale };
  const at: At = (value, key) => u.valToPos(value, key) + box[key];
  const [colour, stroke] = [css("--m-text-3"), css("--m-line")];
  for (const [value, words] of ticks(u, 0)) {
    const x = at(value, "x");
    pen.line([x, box.y, x, box.y + box.height], { stroke });
    pen.text(x, box.y + box.height + 12, words, { colour, align: "center" });
  }
  for (const [value, words] of ticks(u, 1)) {
    const y = at(value, "y");
    pen.line([box.x, y, box.x + box.width, y], { stroke });
    pen.text(box.x - 6, y, words, { colour, align: "right" });
  }
  pen.within(box.x, box.y, box.width, box.height, () => {
    drawing.strokes.forEach((one, index) => drawStroke(pen, u, index + 1, one, at));
    for (const odd of drawing.odd) for (const value of odd.x) pen.mark("cross", at(value, "x"), box.y + box.height - 7, 5, { fill: odd.colour });
  });
}

/** The places and words of an axis as uPlot drew them. */
function ticks(u: uPlot, axis: number): [number, string][] {
  const drawn = u.axes[axis] as uPlot.Axis & { _splits?: (number | null)[]; _values?: (string | number | null)[] };
  const words = drawn._values ?? [];
  return (drawn._splits ?? []).flatMap((value, at): [number, string][] => {
    const said = words[at];
    return value === null || said === null || said === undefined || said === "" ? [] : [[value, String(said)]];
  });
}

function drawStroke(pen: Pen, u: uPlot, series: number, stroke: Stroke, at: At): void {
  const pieces = piecesOf(u, series, at);
  if (stroke.fill) {
    const { colour, alpha } = parted(stroke.fill);
    const back = pairs(piecesOf(u, series + 1, at).flat()).reverse().flat();
    pen.line([...pieces.flat(), ...back], { fill: colour, alpha });
  }
  if (stroke.colour === "transparent") return;
  const { colour, alpha } = parted(stroke.colour);
  for (const piece of pieces) if (piece.length > 2) pen.line(piece, { stroke: colour, width: stroke.width, dash: [...stroke.dash], alpha });
  if (!stroke.dots) return;
  const few = pieces.flat().length < 6;
  for (const piece of pieces) if (few || piece.length === 2) for (const [x, y] of pairs(piece)) pen.mark("circle", x, y, 3, { fill: colour });
}

function pairs(piece: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  for (let place = 0; place + 1 < piece.length; place += 2) found.push([piece[place] as number, piece[place + 1] as number]);
  return found;
}

/** A series as x, y, x, y, …: one piece for each stretch without a gap. */
function piecesOf(u: uPlot, series: number, at: At): number[][] {
  const [xs, ys] = [u.data[0], u.data[series] ?? []];
  const [low, high] = [u.scales.x?.min ?? -Infinity, u.scales.x?.max ?? Infinity];
  const pieces: number[][] = [[]];
  for (let i = 0; i < xs.length; i++) {
    const [x, y] = [xs[i] as number, ys[i]];
    if (x < low || x > high || y === undefined) continue;
    if (y === null) pieces.push([]);
    else (pieces[pieces.length - 1] as number[]).push(at(x, "x"), at(y, "y"));
  }
  return pieces.filter((piece) => piece.length);
}

/** #rrggbbaa as a colour and how much it covers. */
function parted(colour: string): { colour: string; alpha: number } {
  return colour.length === 9 ? { colour: colour.slice(0, 7), alpha: +(parseInt(colour.slice(7), 16) / 255).toFixed(2) } : { colour, alpha: 1 };
}
