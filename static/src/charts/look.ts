// How curves look: the words of an address, what holds where nothing is said, and how a section or a panel overrides
// what holds for the whole page. experiments/pages/chart_look.py reads the same words.
import type { PanelSpec } from "../panels/spec";
import { METHODS, type Method } from "./smooth";

export const DEFAULT_SMOOTHING = 0.6; // as SMOOTHING in experiments/pages/drawing.py
export const METRIC = "metrics.";
const OWN_AXES = ["step", "relative", "time"];

export interface Look {
  /** step, relative, time or metrics.<name> */
  x: string;
  log: boolean;
  logx: boolean;
  outliers: boolean;
  smooth: number;
  method: Method;
  /** "": each chart its own; "same": one for all charts of a section; "from:to": these numbers. */
  yrange: string;
  group: string[];
  middle: string;
  spread: string;
  color: string;
  dash: string;
  facet: string;
  tip: string[];
  window: [number, number] | null;
}

export function axisAsked(text: string | null | undefined): string {
  return text && (OWN_AXES.includes(text) || (text.startsWith(METRIC) && text.length > METRIC.length)) ? text : "step";
}

export function strength(text: string | null | undefined): number {
  return Math.min(0.99, Math.max(0, Number(text ?? DEFAULT_SMOOTHING) || 0));
}

function method(text: string | null | undefined): Method {
  return METHODS.find((one) => one === text) ?? "ema";
}

/** What the address says of all charts. */
export function lookOf(state: URLSearchParams): Look {
  const [from, to] = [state.get("xfrom"), state.get("xto")].map((text) => (text === null ? NaN : Number(text)));
  return {
    x: axisAsked(state.get("x")),
    log: state.get("log") === "1",
    logx: state.get("logx") === "1",
    outliers: state.get("outliers") === "1",
    smooth: strength(state.get("smooth")),
    method: method(state.get("method")),
    yrange: state.get("yrange") ?? "",
    group: state.getAll("group"),
    middle: state.get("middle") ?? "mean",
    spread: state.get("spread") ?? "minmax",
    color: state.get("color") ?? "",
    dash: state.get("dash") ?? "",
    facet: state.get("facet") ?? "",
    tip: state.getAll("tip"),
    window: Number.isFinite(from) && Number.isFinite(to) ? [from as number, to as number] : null,
  };
}

const NOTHING = "-"; // says "none" where the page has one
const text = (said: string | undefined, above: string): string => (said === undefined ? above : said === NOTHING ? "" : said);
const flag = (said: string | undefined, above: boolean): boolean => (said === undefined ? above : said === "1");

/** A look with what a section or a panel says of its own; what it does not say holds as above. */
export function overridden(above: Look, own: PanelSpec | null | undefined): Look {
  if (!own) return above;
  const x = own.x === undefined ? above.x : axisAsked(own.x);
  return {
    x,
    log: flag(own.logy, above.log),
    logx: flag(own.logx, above.logx),
    outliers: flag(own.outliers, above.outliers),
    smooth: own.smooth === undefined ? above.smooth : strength(own.smooth),
    method: own.method === undefined ? above.method : method(own.method),
    yrange: text(own.yrange, above.yrange),
    group: own.group === undefined ? above.group : own.group.filter((field) => field !== NOTHING),
    middle: own.middle ?? above.middle,
    spread: own.spread ?? above.spread,
    color: text(own.color, above.color),
    dash: text(own.dash, above.dash),
    facet: text(own.facet, above.facet),
    tip: above.tip,
    window: x === above.x ? above.window : null, // another axis: the page's window means nothing there
  };
}

/** The numbers of a fixed range; null where it is none. */
export function fixedRange(yrange: string): [number, number] | null {
  const [low, high] = yrange.split(":").map((part) => (part.trim() === "" ? NaN : Number(part)));
  return Number.isFinite(low) && Number.isFinite(high) && (low as number) < (high as number) ? [low as number, high as number] : null;
}

/** The x axis as its title. */
export function axisTitle(x: string): string {
  return x.startsWith(METRIC) ? x.slice(METRIC.length) : { step: "Step", relative: "Seconds since the start", time: "Wall time, UTC" }[x] ?? x;
}

/** The x axis in words. */
export function axisWords(x: string): string {
  return x.startsWith(METRIC) ? x.slice(METRIC.length) : { step: "step", relative: "time since the start", time: "wall time" }[x] ?? x;
}
