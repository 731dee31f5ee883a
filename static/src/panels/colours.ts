// Colours of the theme, read when something is drawn, and which of them each run has: its own, that of its word in a
// field, or a shade for its number.
import { css } from "../charts/marks";
import { fitted, type Pen, type Shape } from "./pen";
import { labelOf, numberWords, wordsIn, type Field, type Points } from "./points";

export interface Theme {
  font: string;
  surface: string;
  text: string;
  quiet: string;
  faint: string;
  line: string;
  axis: string;
  accent: string;
  runs: string[];
  ramp: string[];
}

export function themeNow(): Theme {
  return {
    font: css("--m-font"),
    surface: css("--m-surface"),
    text: css("--m-text"),
    quiet: css("--m-text-2"),
    faint: css("--m-text-3"),
    line: css("--m-line"),
    axis: css("--m-control"),
    accent: css("--m-accent"),
    runs: Array.from({ length: 12 }, (_, at) => css(`--run-${at + 1}`)),
    ramp: [css("--ramp-lo"), css("--ramp-mid"), css("--ramp-hi")],
  };
}

export interface Look {
  colour: string;
  shape: Shape;
  dash: number[];
}

const OWN_COLOURS_UP_TO = 100; // runs; among more, no eye tells twelve colours of runs apart
const SHAPES: Shape[] = ["circle", "square", "triangle", "diamond"];
const DASH = [6, 4];

export interface Colouring {
  of(run: number): Look;
  /** Draws the legend into a strip from y on, and tells its height. */
  legend(pen: Pen, x: number, y: number, width: number): number;
}

export function colouringOf(theme: Theme, points: Points, field: Field | undefined, scaled: (run: number) => number | null): Colouring {
  if (!field) return byRun(theme, points);
  return field.kind === "text" ? byWord(theme, field) : byNumber(theme, field, scaled);
}

function byRun(theme: Theme, points: Points): Colouring {
  const own = points.runs.length <= OWN_COLOURS_UP_TO;
  return {
    of: (run) => (own ? slotLook(theme, points.runs[run]?.slot ?? 1) : { colour: theme.accent, shape: "circle", dash: [] }),
    legend: () => 0,
  };
}

/** One of the twelve run colours; the second six are dashed lines and square marks. */
export function slotLook(theme: Theme, slot: number): Look {
  return { colour: theme.runs[slot - 1] ?? theme.accent, shape: slot > 6 ? "square" : "circle", dash: slot > 6 ? DASH : [] };
}

function byWord(theme: Theme, field: Field): Colouring {
  const counts = new Map<string, number>();
  for (const value of field.values) if (value !== null) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  const frequent = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 12).map(([word]) => word);
  const shown = wordsIn(field).filter((word) => frequent.includes(word));
  const looks = new Map(shown.map((word, at) => [word, { colour: theme.runs[at] as string, shape: SHAPES[at % SHAPES.length] as Shape, dash: at >= 6 ? DASH : [] }]));
  const other: Look = { colour: theme.faint, shape: "cross", dash: [2, 3] };
  const missing = field.values.some((value) => value === null);
  return {
    of: (run) => looks.get(String(field.values[run])) ?? other,
    legend: (pen, x, y, width) => {
      const entries: [string, Look][] = [...looks];
      if (missing || counts.size > looks.size) entries.push([counts.size > looks.size ? "others" : "not recorded", other]);
      return words(pen, theme, labelOf(field.key, field), entries, x, y, width);
    },
  };
}

function words(pen: Pen, theme: Theme, title: string, entries: [string, Look][], x: number, y: number, width: number): number {
  let [left, line] = [x, y + 9];
  pen.text(left, line, fitted(pen, title, width / 2), { colour: theme.faint });
  left += Math.min(width / 2, pen.widthOf(title)) + 10;
  for (const [word, look] of entries) {
    const shown = fitted(pen, word, 110);
    const room = pen.widthOf(shown) + 24;
    if (left + room > x + width && left > x) [left, line] = [x, line + 16];
    pen.mark(look.shape, left + 5, line, 4, { fill: look.colour });
    pen.text(left + 13, line, shown, { colour: theme.quiet });
    left += room;
  }
  return line + 9 - y;
}

const SHADES = 24;

function byNumber(theme: Theme, field: Field, scaled: (run: number) => number | null): Colouring {
  const shades = Array.from({ length: SHADES }, (_, at) => mixed(theme.ramp, at / (SHADES - 1)));
  const looks: Look[] = shades.map((colour) => ({ colour, shape: "circle", dash: [] }));
  const missing: Look = { colour: theme.faint, shape: "cross", dash: [2, 3] };
  const numbers = field.values.filter((value): value is number => typeof value === "number");
  const [low, high] = [numbers.reduce((a, b) => Math.min(a, b), Infinity), numbers.reduce((a, b) => Math.max(a, b), -Infinity)];
  return {
    of: (run) => {
      const place = scaled(run);
      return place === null ? missing : (looks[Math.round(Math.max(0, Math.min(1, place)) * (SHADES - 1))] as Look);
    },
    legend: (pen, x, y, width) => {
      if (!numbers.length) return 0;
      const title = fitted(pen, labelOf(field.key, field), width / 3);
      const [from, to] = [numberWords(field.key, low, true), numberWords(field.key, high, true)];
      let left = x;
      pen.text(left, y + 9, title, { colour: theme.faint });
      left += pen.widthOf(title) + 10;
      pen.text(left, y + 9, from, { colour: theme.quiet });
      left += pen.widthOf(from) + 6;
      const step = Math.min(90, width / 4) / SHADES;
      shades.forEach((fill, at) => pen.rect(left + at * step, y + 5, step + 0.5, 8, { fill }));
      pen.text(left + SHADES * step + 6, y + 9, to, { colour: theme.quiet });
      return 18;
    },
  };
}

/** A colour between three, by share. */
export function mixed(ramp: string[], share: number): string {
  const [first, second] = share < 0.5 ? [ramp[0], ramp[1]] : [ramp[1], ramp[2]];
  const part = share < 0.5 ? share * 2 : share * 2 - 1;
  const [from, to] = [channels(first ?? ""), channels(second ?? "")];
  return `#${from.map((value, at) => Math.round(value + part * ((to[at] ?? 0) - value)).toString(16).padStart(2, "0")).join("")}`;
}

function channels(hex: string): number[] {
  const long = hex.length === 4 ? hex.replace(/[0-9a-f]/gi, "$&$&") : hex;
  return [1, 3, 5].map((at) => parseInt(long.slice(at, at + 2), 16) || 0);
}
