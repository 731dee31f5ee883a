// From the values of a field to places between 0 and 1, and back. A flipped scale runs the other way.
import { clockOnAxis } from "../charts/marks";
import { numberWords, wordsIn, type Field } from "./points";

export interface Tick {
  at: number;
  words: string;
}

export interface Scale {
  readonly field: Field;
  readonly log: boolean;
  /** Where a run stands; null for a run without a value, or with one that a logarithmic axis has no place for. */
  place(run: number): number | null;
  /** Where a value stands. */
  of(value: number | string): number | null;
  /** The number at a place. */
  number(place: number): number;
  /** The word at a place, and its number among the words. */
  word(place: number): [string, number];
  readonly words: string[];
  ticks(most: number): Tick[];
}

/** margin: the share of the axis left free at either end, so that no mark is cut. */
export function scaleOf(field: Field, runs: number[], log: boolean, flip: boolean, margin = 0): Scale {
  return field.kind === "text" ? new WordScale(field, flip) : new NumberScale(field, runs, log, flip, margin);
}

class WordScale implements Scale {
  readonly log = false;
  readonly words: string[];
  private readonly places: Map<string, number>;

  constructor(
    readonly field: Field,
    flip: boolean,
  ) {
    this.words = wordsIn(field);
    if (flip) this.words.reverse();
    this.places = new Map(this.words.map((word, at) => [word, (at + 0.5) / this.words.length]));
  }

  place(run: number): number | null {
    const value = this.field.values[run];
    return value === null || value === undefined ? null : this.of(value);
  }

  of(value: number | string): number | null {
    return this.places.get(String(value)) ?? null;
  }

  number(): number {
    return NaN;
  }

  word(place: number): [string, number] {
    const at = Math.max(0, Math.min(this.words.length - 1, Math.floor(place * this.words.length)));
    return [this.words[at] ?? "", at];
  }

  ticks(most: number): Tick[] {
    const every = Math.max(1, Math.ceil(this.words.length / Math.max(1, most)));
    return this.words.flatMap((words, at) => (at % every ? [] : [{ at: (at + 0.5) / this.words.length, words }]));
  }
}

class NumberScale implements Scale {
  readonly words: string[] = [];
  readonly low: number;
  readonly high: number;
  private readonly whole: boolean;

  constructor(
    readonly field: Field,
    runs: number[],
    readonly log: boolean,
    private readonly flip: boolean,
    margin: number,
  ) {
    let [low, high] = [Infinity, -Infinity];
    for (const run of runs) {
      const value = field.values[run];
      if (typeof value !== "number" || (log && value <= 0)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (low > high) [low, high] = log ? [1, 10] : [0, 1];
    if (low === high) [low, high] = log ? [low / 2, high * 2] : [low - (Math.abs(low) * 0.1 || 1), high + (Math.abs(high) * 0.1 || 1)];
    const free = margin * (this.inner(high) - this.inner(low));
    [this.low, this.high] = free ? [this.outer(this.inner(low) - free), this.outer(this.inner(high) + free)] : [low, high];
    this.whole = !log && runs.every((run) => field.values[run] === null || Number.isInteger(field.values[run]));
  }

  place(run: number): number | null {
    const value = this.field.values[run];
    return typeof value === "number" ? this.of(value) : null;
  }

  of(value: number | string): number | null {
    if (typeof value !== "number" || (this.log && value <= 0)) return null;
    const share = (this.inner(value) - this.inner(this.low)) / (this.inner(this.high) - this.inner(this.low));
    return this.flip ? 1 - share : share;
  }

  number(place: number): number {
    const share = this.flip ? 1 - place : place;
    const inner = this.inner(this.low) + share * (this.inner(this.high) - this.inner(this.low));
    return this.outer(inner);
  }

  word(): [string, number] {
    return ["", 0];
  }

  ticks(most: number): Tick[] {
    const every = this.log ? powers(this.low, this.high, most) : even(this.low, this.high, most);
    const values = this.whole ? every.filter(Number.isInteger) : every;
    const span = this.high - this.low;
    return values.map((value) => ({ at: this.of(value) as number, words: this.field.key === "started" ? clockOnAxis(value, span) : numberWords(this.field.key, value, true) }));
  }

  private inner(value: number): number {
    return this.log ? Math.log10(value) : value;
  }

  private outer(inner: number): number {
    return this.log ? 10 ** inner : inner;
  }
}

/** Round numbers between two, about so many and never fewer than two: 1, 2 or 5 times a power of ten apart. */
export function even(low: number, high: number, most: number): number[] {
  for (let some = Math.max(2, most); some < most + 8; some++) {
    const found = spaced(low, high, some);
    if (found.length > 1) return found;
  }
  return [low, high];
}

function spaced(low: number, high: number, most: number): number[] {
  const rough = (high - low) / Math.max(1, most - 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => one >= rough * 0.999999) ?? 10 * power;
  const digits = Math.max(0, Math.min(20, -Math.floor(Math.log10(step) + 1e-9)));
  const found: number[] = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9 && found.length < 100; at++) found.push(digits <= 20 ? Number((at * step).toFixed(digits)) : at * step);
  return found.filter((value) => value >= low && value <= high);
}

/** Powers of ten between two; 1, 2 and 5 times them where there would be fewer than two. */
export function powers(low: number, high: number, most: number): number[] {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const inside = (value: number): boolean => value >= low * (1 - 1e-12) && value <= high * (1 + 1e-12);
  const exponents = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  const tens = exponents.map((exponent) => Number(`1e${exponent}`)).filter(inside);
  if (tens.length >= 2) return tens.filter((_, at) => at % Math.ceil(tens.length / Math.max(2, most)) === 0);
  const finer = exponents.flatMap((exponent) => [1, 2, 5].map((times) => Number(`${times}e${exponent}`))).filter(inside);
  return finer.length >= 2 ? finer : even(low, high, most).filter(inside);
}

/** The share of a word's room by which its runs are moved aside, so that they do not hide one another. */
export function aside(run: number): number {
  return ((run * 0.6180339887) % 1) - 0.5;
}
