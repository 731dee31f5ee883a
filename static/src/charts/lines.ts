// Which lines a chart draws, and how: colour, dash and facet of each, from the answers of the server and the look.
import type { Answer, Block, Group } from "./blocks";
import type { Look } from "./look";
import type { Model } from "./model";
import { smoothed, type Gaps } from "./smooth";

export interface Drawn {
  /** Who lights it: a run's readable id, a group's name. */
  ids: string[];
  name: string;
  metric: string;
  kind: "line" | "band" | "member";
  /** The run that stands for it: itself, or the first of a group. */
  place: number;
  colour: string;
  dash: number[];
  facet: string;
  block: Block;
}

export interface Answered {
  metric: string;
  answer: Answer;
}

export interface Shade {
  value: string;
  colour: string;
  dash: number[];
}

export const COLOURS = 12;
const DASHES = [[], [6, 4], [2, 3], [9, 3, 2, 3]];
const ENOUGH_TO_SMOOTH = 30;
export const groupId = (name: string): string => `group ${name}`;
type Css = (name: string) => string;

/** The lines of a chart without those that are hidden. hidden: ids of runs and groups. */
export function drawnOf(answered: readonly Answered[], look: Look, model: Model, hidden: ReadonlySet<string>, css: Css): Drawn[] {
  const colours = shades(look.color, model, css);
  const dashes = shades(look.dash, model, css);
  const found: Drawn[] = [];
  answered.forEach(({ metric, answer }, at) => {
    const groupOf = memberships(answer.groups);
    for (const block of answer.blocks) {
      const group = block.kind === "band" ? answer.groups[block.place] : groupOf.get(block.place);
      const place = block.kind === "band" ? (group?.runs[0] ?? 0) : block.place;
      const run = model.runs[place];
      const ids = [...(block.kind === "curve" && run ? [run.ref] : []), ...(group ? [groupId(group.name)] : [])];
      if (!run || ids.some((id) => hidden.has(id))) continue;
      const slot = group ? (answer.groups.indexOf(group) % COLOURS) + 1 : run.slot;
      found.push({
        ids,
        name: block.kind === "band" ? (group?.name ?? "") : run.name,
        metric,
        kind: block.kind === "band" ? "band" : group ? "member" : "line",
        place,
        colour: colours?.of(place).colour ?? css(`--run-${slot}`),
        dash: dashes?.of(place).dash ?? (answered.length > 1 ? (DASHES[at % DASHES.length] as number[]) : look.color || slot <= 6 ? [] : [6, 4]),
        facet: look.facet ? (model.fields[look.facet]?.[place] ?? "none") : "",
        block,
      });
    }
  });
  return found;
}

function memberships(groups: readonly Group[]): Map<number, Group> {
  return new Map(groups.flatMap((group) => group.runs.map((place) => [place, group] as const)));
}

interface Shades {
  list: Shade[];
  of(place: number): Shade;
}

/** A colour and a dash for each value of a field: in order, or on the ramp where there are many numbers. */
export function shades(field: string, model: Model, css: Css): Shades | null {
  const values = field ? model.fields[field] : undefined;
  if (!values) return null;
  const distinct = [...new Set(values.map((value) => value ?? "none"))].sort(naturally);
  const numbers = distinct.filter((value) => value !== "none").map(Number);
  const ramp = distinct.length > COLOURS && numbers.every(Number.isFinite);
  const list = distinct.map((value, at) => ({
    value,
    colour: ramp ? rampColour(distinct.length > 1 ? at / (distinct.length - 1) : 0, css) : css(`--run-${(at % COLOURS) + 1}`),
    dash: DASHES[at % DASHES.length] as number[],
  }));
  const by = new Map(list.map((one) => [one.value, one]));
  return { list, of: (place) => by.get(values[place] ?? "none") as Shade };
}

export function naturally(a: string, b: string): number {
  if (a === "none" || b === "none") return Number(a === "none") - Number(b === "none");
  const [x, y] = [Number(a), Number(b)];
  return Number.isFinite(x) && Number.isFinite(y) ? x - y : a.localeCompare(b);
}

function rampColour(share: number, css: Css): string {
  const [low, middle, high] = ["--ramp-lo", "--ramp-mid", "--ramp-hi"].map(css);
  const [from, to, by] = share < 0.5 ? [low, middle, share * 2] : [middle, high, share * 2 - 1];
  return mixed(from ?? "#000000", to ?? "#000000", by);
}

/** Between two colours of the form #rrggbb. */
export function mixed(from: string, to: string, by: number): string {
  const parts = (colour: string): number[] => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const end = parts(to);
  return `#${parts(from).map((value, at) => Math.round(value + ((end[at] ?? 0) - value) * by).toString(16).padStart(2, "0")).join("")}`;
}

/** The columns of one line, on its own x: [x, y], or with the smoothed line behind y, or [x, high, low, y] of a band. */
export function columnsOf(line: Drawn, look: Look): { x: number[]; ys: Gaps[] } {
  const { block } = line;
  const keep: number[] = [];
  for (let at = 0; at < block.x.length; at++) if (!look.logx || (block.x[at] as number) > 0) keep.push(at);
  const column = (values: Float64Array): Gaps =>
    keep.map((at) => {
      const value = values[at] as number;
      return Number.isFinite(value) && (!look.log || value > 0) ? value : null;
    });
  const x = keep.map((at) => block.x[at] as number);
  const y = column(block.y);
  if (line.kind === "band" && block.low && block.high) return { x, ys: [column(block.high), column(block.low), y] };
  return { x, ys: smooths(line, look) ? [y, smoothed(y, look.method, look.smooth)] : [y] };
}

export function smooths(line: Drawn, look: Look): boolean {
  return line.kind === "line" && look.smooth > 0 && line.block.x.length >= ENOUGH_TO_SMOOTH;
}

/** The 1st and 99th percentile of values, as numpy reckons them; null for fewer than three. */
export function percentiles(values: readonly number[], low = 0.01, high = 0.99): [number, number] | null {
  if (values.length < 3) return null;
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => {
    const place = share * (sorted.length - 1);
    const below = sorted[Math.floor(place)] as number;
    return below + ((sorted[Math.ceil(place)] as number) - below) * (place - Math.floor(place));
  };
  return [at(low), at(high)];
}
