// Boxes by category: quartiles, whiskers to the ends, and the runs themselves as a strip of marks.
import { exact } from "../charts/format";
import { colouringOf, type Colouring } from "./colours";
import { quartiles } from "./figures";
import { fitted, type Pen } from "./pen";
import { labelOf, type Field } from "./points";
import { aside, scaleOf, type Scale } from "./scale";
import { blind } from "./scatter";
import { MARGIN, shortened, SpotPlot } from "./spots";

const GROUPS_MAX = 24;
const STRIP_UP_TO = 400; // runs of a category that are drawn one by one
const WORDS_MAX = 24; // different numbers that can stand as categories

interface Box {
  word: string;
  values: number[];
  five: [number, number, number, number, number];
}

export class BoxPlot extends SpotPlot {
  private boxes: Box[] = [];
  private colours!: Colouring;
  private legend = 0;
  private wrong = "";
  private left_ = 0;

  protected layout(pen: Pen, width: number, height: number): void {
    const { spec, shown, points } = this.stage;
    const [x, y] = [this.field(spec.x), this.field(spec.y)];
    this.wrong = wrongWith(x, y);
    this.boxes = [];
    this.spots = [];
    [this.across, this.up] = [null, null];
    if (this.wrong || !x || !y) return;
    const groups = grouped(x, y, shown, !!spec.log?.includes("y"));
    const kept = new Set([...groups].sort((a, b) => b[1].length - a[1].length).slice(0, GROUPS_MAX).map(([word]) => word));
    this.left_ = groups.size - kept.size;
    const words = asWords(x, kept);
    this.across = scaleOf(words, shown, false, !!spec.flip?.includes("x"));
    this.up = scaleOf(y, shown, !!spec.log?.includes("y"), !!spec.flip?.includes("y"), MARGIN);
    this.boxes = this.across.words.map((word) => ({ word, values: groups.get(word) ?? [], five: quartiles(groups.get(word) ?? []) }));
    const tinted = this.field(spec.color);
    const shades = tinted?.kind === "number" ? scaleOf(tinted, shown, false, false) : null;
    this.colours = colouringOf(this.theme, points, tinted, (run) => shades?.place(run) ?? null);
    this.legend = this.colours.legend(blind(pen), 0, 0, width - 24);
    const labels = this.up.ticks(6).map((tick) => pen.widthOf(shortened(tick.words, 14)));
    this.inner = { left: 28 + Math.max(20, ...labels), right: width - 12, top: 12, bottom: height - 54 - this.legend };
    this.spots = shown.flatMap((run) => this.placed(run) ?? []);
  }

  protected paint(pen: Pen): void {
    const { inner, theme } = this;
    const { spec, held } = this.stage;
    if (!this.across || !this.up) return pen.text(this.width / 2, this.height / 2, this.wrong, { colour: theme.faint, align: "center", size: 13 });
    this.paintAxes(pen, "", this.axisTitle(this.field(spec.y), this.up));
    const room = (inner.right - inner.left) / this.boxes.length;
    const many = new Set(this.boxes.filter((box) => box.values.length > STRIP_UP_TO).map((box) => box.word));
    for (const box of this.boxes) this.paintBox(pen, box, room);
    for (const spot of this.spots) {
      const word = this.across.field.values[spot.run];
      if (many.has(String(word))) continue;
      const look = this.colours.of(spot.run);
      pen.mark(look.shape, spot.x, spot.y, 3, { fill: look.colour, stroke: theme.surface, width: 0.75, alpha: held && !held.has(spot.run) ? 0.14 : 0.85 });
    }
    pen.text((inner.left + inner.right) / 2, inner.bottom + 42, this.axisTitle(this.field(spec.x), null), { colour: theme.quiet, align: "center" });
    if (this.legend) this.colours.legend(pen, 12, this.height - this.legend - 2, this.width - 24);
  }

  /** Within its box; alone, in the middle. */
  protected override shift(run: number, scale: Scale): number {
    const box = this.boxes.find((one) => one.word === String(scale.field.values[run]));
    const room = (this.inner.right - this.inner.left) / this.boxes.length;
    return box && box.values.length > 1 ? (aside(run) * 1.5 * halfOf(room)) / (this.inner.right - this.inner.left) : 0;
  }

  private paintBox(pen: Pen, box: Box, room: number): void {
    const { inner, theme, up } = this;
    const middle = inner.left + (this.across?.of(box.word) ?? 0) * (inner.right - inner.left);
    const y = (value: number): number => inner.bottom - (up?.of(value) ?? 0) * (inner.bottom - inner.top);
    const half = halfOf(room);
    if (box.values.length) {
      const [low, first, median, third, high] = box.five.map(y) as Box["five"];
      pen.line([middle, low, middle, first], { stroke: theme.axis });
      pen.line([middle, third, middle, high], { stroke: theme.axis });
      for (const end of [low, high]) pen.line([middle - half / 2, end, middle + half / 2, end], { stroke: theme.axis });
      pen.rect(middle - half, Math.min(first, third), 2 * half, Math.abs(first - third), { fill: `${theme.accent}1a`, stroke: theme.accent });
      pen.line([middle - half, median, middle + half, median], { stroke: theme.text, width: 2 });
    }
    pen.text(middle, inner.bottom + 12, fitted(pen, box.word, room - 4), { colour: theme.quiet, align: "center" });
    if (room > 26) pen.text(middle, inner.bottom + 26, fitted(pen, `n ${exact(box.values.length)}`, room - 2), { colour: theme.faint, align: "center" });
  }

  /** Numbers as categories are brushed as numbers: the field of the spec is no field of words. */
  protected override brushOf(rect: Parameters<SpotPlot["brushOf"]>[0]): Record<string, string[]> {
    const brush = super.brushOf(rect);
    const field = this.field(this.stage.spec.x);
    const words = field && brush[field.key];
    if (field?.kind === "number" && words?.length) {
      const numbers = words.map(Number);
      brush[field.key] = [String(Math.min(...numbers)), String(Math.max(...numbers))];
    }
    return brush;
  }

  protected override spanAcross(said: string[] | undefined): string[] | undefined {
    if (!said || this.field(this.stage.spec.x)?.kind !== "number") return said;
    const [from, to] = [Number(said[0] || -Infinity), Number(said[1] || Infinity)];
    return this.across?.words.filter((word) => Number(word) >= from && Number(word) <= to);
  }

  notices(): string[] {
    if (this.wrong) return [];
    const found = [`${exact(this.spots.length)} runs in ${this.boxes.length} groups`, "boxes: quartiles by linear interpolation, whiskers to the lowest and highest"];
    const left = this.stage.shown.length - this.spots.length;
    if (this.left_) found.push(`${this.left_} rarer groups not drawn`);
    if (left && !this.left_) found.push(`${exact(left)} without both values not drawn`);
    if (this.boxes.some((box) => box.values.length > STRIP_UP_TO)) found.push(`runs one by one up to ${STRIP_UP_TO} a group`);
    return found;
  }

  protected sentence(): string {
    const { spec } = this.stage;
    return `Boxes of ${labelOf(spec.y ?? "", this.field(spec.y))} by ${labelOf(spec.x ?? "", this.field(spec.x))}, ${this.stage.shown.length} runs; the numbers are in the table below`;
  }
}

/** Half the width of a box in its room. */
const halfOf = (room: number): number => Math.min(30, room * 0.34);

function wrongWith(x: Field | undefined, y: Field | undefined): string {
  if (!x || !y) return "Choose a field for the groups and one for the values.";
  if (y.kind !== "number") return `${labelOf(y.key, y)} is no number: nothing to draw a box of.`;
  const different = new Set(x.values.filter((value) => value !== null)).size;
  if (x.kind === "number" && different > WORDS_MAX) return `${labelOf(x.key, x)} has ${exact(different)} different numbers: a scatter shows them.`;
  return different ? "" : `No run has ${labelOf(x.key, x)}.`;
}

/** The values by word, those that the axis has a place for. */
function grouped(x: Field, y: Field, shown: number[], log: boolean): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const run of shown) {
    const [word, value] = [x.values[run], y.values[run]];
    if (word === null || word === undefined || typeof value !== "number" || (log && value <= 0)) continue;
    const group = found.get(String(word));
    if (group) group.push(value);
    else found.set(String(word), [value]);
  }
  return found;
}

/** The field as one of words, of which only some are kept. */
function asWords(field: Field, kept: Set<string>): Field {
  const word = (value: number | string | null): string | null => (value !== null && kept.has(String(value)) ? String(value) : null);
  return { ...field, kind: "text", values: field.values.map(word) };
}

