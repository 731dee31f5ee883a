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

/** What is drawn of one line: tables with columns of their own x. */
export interface Columns {
  x: number[];
  ys: Gaps[];
  /** The smoothed line in front; of a thinned curve over the means of its spans. */
  smooth: { x: number[]; y: Gaps } | null;
}

/** [y] of a curve, [high, low, y] of a band. */
export function columnsOf(line: Drawn, look: Look): Columns {
  const { block } = line;
  const table = (xs: Float64Array, ...columns: Float64Array[]): { x: number[]; ys: Gaps[] } => {
    const keep: number[] = [];
    for (let at = 0; at < xs.length; at++) if (!look.logx || (xs[at] as number) > 0) keep.push(at);
    const drawable = (value: number): boolean => Number.isFinite(value) && (!look.log || value > 0);
    return { x: keep.map((at) => xs[at] as number), ys: columns.map((values) => keep.map((at) => (drawable(values[at] as number) ? (values[at] as number) : null))) };
  };
  if (line.kind === "band" && block.low && block.high) return { ...table(block.x, block.high, block.low, block.y), smooth: null };
  const raw = table(block.x, block.y);
  if (!smooths(line, look)) return { ...raw, smooth: null };
  const from = block.means ? table(block.means.x, block.means.y) : raw;
  return { ...raw, smooth: { x: from.x, y: smoothed(from.ys[0] ?? [], look.method, look.smooth) } };
}

export function smooths(line: Drawn, look: Look): boolean {
  return line.kind !== "band" && look.smooth > 0 && line.block.x.length >= ENOUGH_TO_SMOOTH;
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

type Column = (number | null | undefined)[];

/** Tables with an x of their own as one: undefined where a table has no such x, null where it has no value there.
 *
 * Several points of one table at one x all stay, in their order. */
export function joinedTables(tables: readonly (readonly (number | null)[])[][]): [number[], ...Column[]] {
  const most = new Map<number, number>();
  for (const [xs = []] of tables) {
    let run = 0;
    for (let at = 0; at < xs.length; at++) {
      const x = xs[at] as number;
      run = at > 0 && xs[at - 1] === x ? run + 1 : 1;
      if (run > (most.get(x) ?? 0)) most.set(x, run);
    }
  }
  const distinct = Float64Array.from(most.keys()).sort();
  const first = new Map<number, number>();
  const all: number[] = [];
  for (const x of distinct) {
    first.set(x, all.length);
    for (let left = most.get(x) ?? 0; left > 0; left--) all.push(x);
  }
  const columns = tables.flatMap(([xs = [], ...ys]) => {
    const places: number[] = [];
    for (let at = 0; at < xs.length; at++) {
      const x = xs[at] as number;
      places.push(at > 0 && xs[at - 1] === x ? (places[at - 1] as number) + 1 : (first.get(x) as number));
    }
    return ys.map((values) => {
      const column: Column = new Array<undefined>(all.length).fill(undefined);
      places.forEach((place, at) => (column[place] = values[at] ?? null));
      return column;
    });
  });
  return [all, ...columns];
}

/** Values between gaps: no line reaches them. */
export function isolated(values: ArrayLike<number | null | undefined>): number[] {
  const found: number[] = [];
  let before: number | null = null;
  let last = -1; // the value before, if nothing came since
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    if (value === undefined) continue;
    if (value === null) {
      if (last >= 0 && before === null) found.push(last);
      before = null;
      last = -1;
    } else {
      before = last >= 0 ? (values[last] as number) : null;
      last = at;
    }
  }
  if (last >= 0 && before === null) found.push(last);
  return found;
}
