// A panel as a picture: its canvases put together as PNG, or its visible geometry written out as SVG.
import type uPlot from "uplot";
import { escaped } from "../panels/pen";
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
  xTitle: string;
  /** Of each series but the first, in order. */
  strokes: Stroke[];
  odd: { colour: string; x: readonly number[] }[];
}

const HEAD = 28;
const SVG_HEAD = `<?xml version="1.0" encoding="UTF-8"?>\n`;
const short = (value: number): string => String(Math.round(value * 100) / 100);

export async function pictureOf(kind: "png" | "svg", title: string, drawings: readonly Drawing[], element: HTMLElement): Promise<Blob> {
  const [width, height] = [element.clientWidth, element.clientHeight + HEAD];
  const box = element.getBoundingClientRect();
  const placed = drawings.flatMap(({ u, ...rest }) => {
    if (!u) return [];
    const at = u.root.getBoundingClientRect();
    return [{ u, ...rest, left: at.left - box.left, top: at.top - box.top + HEAD }];
  });
  if (kind === "svg") {
    const parts = placed.map((one) => `<g transform="translate(${short(one.left)} ${short(one.top)})">${facetTitle(one.title)}${vectors(one.u, one)}</g>`);
    return new Blob([SVG_HEAD, page(width, height, title, parts.join(""))], { type: "image/svg+xml" });
  }
  const scale = devicePixelRatio;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("This browser draws no pictures.");
  pen.scale(scale, scale);
  pen.fillStyle = css("--m-surface");
  pen.fillRect(0, 0, width, height);
  pen.fillStyle = css("--m-text");
  pen.font = `600 13px ${css("--m-font")}`;
  pen.fillText(title, 10, 18);
  pen.font = `11px ${css("--m-font")}`;
  for (const one of placed) {
    if (one.title) pen.fillText(one.title, one.left + 4, one.top - 4);
    pen.drawImage(one.u.ctx.canvas, one.left, one.top, one.u.width, one.u.height);
  }
  return blobOf(canvas);
}

export function blobOf(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("The picture could not be made."))), "image/png"));
}

export function page(width: number, height: number, title: string, inside: string): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${short(width)}" height="${short(height)}" viewBox="0 0 ${short(width)} ${short(height)}" font-family="Inter, system-ui, sans-serif" font-size="11">` +
    `<title>${escaped(title)}</title><rect width="100%" height="100%" fill="${css("--m-surface")}"/>` +
    `<text x="10" y="18" font-size="13" font-weight="600" fill="${css("--m-text")}">${escaped(title)}</text>${inside}</svg>`
  );
}

const facetTitle = (title: string): string => (title ? `<text x="4" y="-4" fill="${css("--m-text-2")}">${escaped(title)}</text>` : "");

/** What one plot shows, in pixels of the page from its upper left corner. */
export function vectors(u: uPlot, drawing: Omit<Drawing, "u">): string {
  const scale = devicePixelRatio;
  const [left, top, width, height] = [u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height].map((pixels) => pixels / scale) as [number, number, number, number];
  const clip = `clip-${Math.random().toString(36).slice(2, 9)}`;
  const at = (value: number, scaleKey: "x" | "y"): number => u.valToPos(value, scaleKey) + (scaleKey === "x" ? left : top);
  const grid: string[] = [];
  const [text, line] = [css("--m-text-3"), css("--m-line")];
  ticks(u, 0).forEach(([value, words]) => {
    const x = short(at(value, "x"));
    grid.push(`<path d="M${x} ${short(top)}v${short(height)}" stroke="${line}"/>`, `<text x="${x}" y="${short(top + height + 16)}" text-anchor="middle" fill="${text}">${escaped(words)}</text>`);
  });
  ticks(u, 1).forEach(([value, words]) => {
    const y = at(value, "y");
    grid.push(`<path d="M${short(left)} ${short(y)}h${short(width)}" stroke="${line}"/>`, `<text x="${short(left - 6)}" y="${short(y + 4)}" text-anchor="end" fill="${text}">${escaped(words)}</text>`);
  });
  const curves = drawing.strokes.map((stroke, index) => strokeOf(u, index + 1, stroke, at));
  const marks = drawing.odd.flatMap(({ colour, x }) => x.map((value) => cross(at(value, "x"), top + height - 7, colour)));
  return (
    `<clipPath id="${clip}"><rect x="${short(left)}" y="${short(top)}" width="${short(width)}" height="${short(height)}"/></clipPath>` +
    `${grid.join("")}<g clip-path="url(#${clip})" fill="none">${curves.join("")}${marks.join("")}</g>`
  );
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

type At = (value: number, scale: "x" | "y") => number;

function strokeOf(u: uPlot, series: number, stroke: Stroke, at: At): string {
  const points = pointsOf(u, series, at);
  const path = points.map(({ x, y, starts }, place) => `${place && !starts ? "L" : "M"}${short(x)} ${short(y)}`).join("");
  const parts: string[] = [];
  if (stroke.fill) {
    const back = pointsOf(u, series + 1, at).reverse();
    const { colour, opacity } = parted(stroke.fill);
    parts.push(`<path d="${path}${back.map(({ x, y }) => `L${short(x)} ${short(y)}`).join("")}Z" fill="${colour}" fill-opacity="${opacity}"/>`);
  }
  if (stroke.colour !== "transparent" && points.length > 1) {
    const { colour, opacity } = parted(stroke.colour);
    const dash = stroke.dash.length ? ` stroke-dasharray="${stroke.dash.join(" ")}"` : "";
    parts.push(`<path d="${path}" stroke="${colour}" stroke-opacity="${opacity}" stroke-width="${stroke.width}" stroke-linejoin="round"${dash}/>`);
  }
  const alone = points.filter(({ starts }, place) => starts && (points[place + 1]?.starts ?? true));
  if (stroke.dots) parts.push(...(points.length < 3 ? points : alone).map(({ x, y }) => `<circle cx="${short(x)}" cy="${short(y)}" r="3" fill="${parted(stroke.colour).colour}"/>`));
  return parts.join("");
}

interface Spot {
  x: number;
  y: number;
  /** No line leads here from the one before: the first, or the first after a gap. */
  starts: boolean;
}

function pointsOf(u: uPlot, series: number, at: At): Spot[] {
  const [xs, ys] = [u.data[0], u.data[series] ?? []];
  const [low, high] = [u.scales.x?.min ?? -Infinity, u.scales.x?.max ?? Infinity];
  const found: Spot[] = [];
  let starts = true;
  for (let i = 0; i < xs.length; i++) {
    const [x, y] = [xs[i] as number, ys[i]];
    if (x < low || x > high || y === undefined) continue;
    if (y === null) starts = true;
    else {
      found.push({ x: at(x, "x"), y: at(y, "y"), starts });
      starts = false;
    }
  }
  return found;
}

/** #rrggbbaa as a colour and its opacity. */
function parted(colour: string): { colour: string; opacity: string } {
  return colour.length === 9 ? { colour: colour.slice(0, 7), opacity: (parseInt(colour.slice(7), 16) / 255).toFixed(2) } : { colour, opacity: "1" };
}

function cross(x: number, y: number, colour: string): string {
  return `<path d="M${short(x - 4)} ${short(y - 4)}l8 8m0 -8l-8 8" stroke="${colour}" stroke-width="2"/>`;
}
