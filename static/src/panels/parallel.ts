// Parallel coordinates: one axis for each field, one line for each run. Each axis is brushed, flipped, made logarithmic
// and moved by mouse, touch and keys (axes.ts); runs without a value go through a place of their own below the axis.
import { exact } from "../charts/format";
import { AxisControls } from "./axes";
import { bounds, MISSING } from "./brush";
import { colouringOf, type Colouring, type Look } from "./colours";
import { CanvasPen, fitted, type Pen } from "./pen";
import { Plot, type Acts, type Stage } from "./plot";
import { labelOf, type Field } from "./points";
import { scaleOf, type Scale } from "./scale";
import { blind } from "./scatter";

export interface Axis {
  key: string;
  field: Field;
  scale: Scale;
  x: number;
  hasMissing: boolean;
}

const HEAD = 34;
const LANE = 26; // pixels below the axes for runs without a value
const LEAST_APART = 76;
const SLICE = { least: 100, first: 800, most: 4000 }; // lines that are drawn in one frame
const STRIDE = 7919; // a prime: lines come in an order in which any first part shows the whole

export class ParallelPlot extends Plot {
  axes: Axis[] = [];
  topEdge = HEAD;
  bottomEdge = 0;
  lane = 0;
  private colours!: Colouring;
  private legend = 0;
  private readonly lines: HTMLCanvasElement;
  private readonly controls: AxisControls;
  private drawing = 0;
  private slice = SLICE.first;
  private readonly behind = document.createElement("canvas");
  private heights: Float32Array[] = []; // of each run on each axis
  private looks: Look[] = [];
  private faintKey = "";
  private faintOf: unknown = null;

  constructor(area: HTMLElement, acts: Acts) {
    super(area, acts);
    this.lines = this.canvas("m-plot-top");
    this.lines.setAttribute("aria-hidden", "true");
    this.top.before(this.lines);
    this.controls = new AxisControls(area, this, acts);
  }

  get spec(): Plot["stage"]["spec"] {
    return this.stage.spec;
  }

  /** How wide the axes have to be together; beyond the room there the area scrolls. */
  static widthFor(fields: number): number {
    return 70 + LEAST_APART * fields;
  }

  protected layout(pen: Pen, width: number, height: number): void {
    const { spec, shown, points } = this.stage;
    const fields = (spec.fields ?? []).flatMap((key) => this.field(key) ?? []);
    const tinted = this.field(spec.color);
    const shades = tinted?.kind === "number" ? scaleOf(tinted, shown, !!spec.log?.includes(tinted.key), false) : null;
    this.colours = colouringOf(this.theme, points, tinted, (run) => shades?.place(run) ?? null);
    this.legend = this.colours.legend(blind(pen), 0, 0, width - 24);
    const [left, right] = [44, width - 74];
    this.axes = fields.map((field, at) => {
      const scale = scaleOf(field, shown, !!spec.log?.includes(field.key) && field.kind === "number", !!spec.flip?.includes(field.key));
      const x = fields.length > 1 ? left + (at * (right - left)) / (fields.length - 1) : (left + right) / 2;
      return { key: field.key, field, scale, x, hasMissing: shown.some((run) => scale.place(run) === null) };
    });
    const lane = this.axes.some((axis) => axis.hasMissing) ? LANE : 0;
    this.bottomEdge = height - 14 - this.legend - lane - (this.legend ? 6 : 0);
    this.lane = this.bottomEdge + LANE - 6;
    this.heights = this.axes.map((axis) => Float32Array.from(points.runs, (_, run) => this.y(axis.scale.place(run))));
    this.looks = points.runs.map((_, run) => this.colours.of(run));
  }

  /** A brush that moves changes neither axes nor colours. */
  override showHeld(stage: Stage): void {
    this.stage = stage;
    if (this.axes.length < 2) return;
    this.controls.show();
    this.paintBase(this.pen(this.base));
    this.paintTop();
  }

  y(place: number | null): number {
    return place === null ? this.lane : this.bottomEdge - place * (this.bottomEdge - this.topEdge);
  }

  private path(run: number): number[] {
    const path = new Array<number>(2 * this.axes.length);
    this.axes.forEach((axis, at) => {
      path[2 * at] = axis.x;
      path[2 * at + 1] = (this.heights[at] as Float32Array)[run] as number;
    });
    return path;
  }

  protected override paintScreen(pen: Pen): void {
    this.fit(this.lines);
    this.controls.show();
    if (this.axes.length < 2) return this.paintNothing(pen);
    this.paintBase(pen as CanvasPen);
  }

  private paintBase(pen: CanvasPen): void {
    if (this.stage.held) pen.ctx.drawImage(this.faint(), 0, 0, this.width, this.height);
    if (this.legend) this.colours.legend(pen, 12, this.height - this.legend - 2, this.width - 24);
    this.paintHeld();
  }

  /** All lines, faint: they change only with the axes, so a brush that moves does not draw them again. */
  private faint(): HTMLCanvasElement {
    const { shown, points } = this.stage;
    const key = JSON.stringify([this.width, this.height, this.lane, this.theme.faint, shown, this.axes.map((axis) => [axis.key, axis.scale.log]), this.spec.flip]);
    if (key === this.faintKey && points === this.faintOf) return this.behind;
    [this.faintKey, this.faintOf] = [key, points];
    this.fit(this.behind);
    const pen = this.pen(this.behind);
    for (const run of shown) pen.line(this.path(run), { stroke: this.theme.faint, width: 1, alpha: Math.max(0.03, this.thin(shown.length) * 0.3) });
    return this.behind;
  }

  private paintNothing(pen: Pen): void {
    pen.text(this.width / 2, this.height / 2, "Choose two fields or more under Fields.", { colour: this.theme.faint, align: "center", size: 13 });
    this.pen(this.lines);
  }

  /** The brushed lines, or all: a slice at a time, so that dragging a brush over ten thousand stays smooth. */
  private paintHeld(): void {
    const pen = this.pen(this.lines);
    const { held, shown } = this.stage;
    const runs = strided(held ? shown.filter((run) => held.has(run)) : shown);
    const alpha = this.thin(runs.length);
    const mine = ++this.drawing;
    let [at, before] = [0, performance.now()];
    const slice = (now: number): void => {
      if (mine !== this.drawing) return;
      // What a line costs is known only once the browser has shown it: slow frames get fewer lines, quick ones more.
      if (at > 0) this.slice = now - before > 34 ? Math.max(SLICE.least, this.slice / 2) : now - before < 20 ? Math.min(SLICE.most, this.slice * 1.5) : this.slice;
      before = now;
      for (const end = Math.min(runs.length, at + this.slice); at < end; at++) this.paintLine(pen, runs[at] as number, alpha);
      if (at < runs.length) requestAnimationFrame(slice);
    };
    slice(before);
  }

  private paintLine(pen: Pen, run: number, alpha: number): void {
    const look = this.looks[run] as Look;
    pen.line(this.path(run), { stroke: look.colour, width: alpha < 0.5 ? 1 : 1.5, alpha, dash: look.dash });
  }

  private thin(count: number): number {
    return count <= 60 ? 0.9 : count <= 300 ? 0.6 : count <= 2000 ? 0.3 : count <= 5000 ? 0.12 : 0.07;
  }

  protected paint(pen: Pen): void {
    const { held, shown } = this.stage;
    if (held) for (const run of shown) if (!held.has(run)) pen.line(this.path(run), { stroke: this.theme.faint, width: 1, alpha: this.thin(shown.length) * 0.3 });
    const runs = held ? shown.filter((run) => held.has(run)) : shown;
    for (const run of runs) this.paintLine(pen, run, this.thin(runs.length));
    if (this.legend) this.colours.legend(pen, 12, this.height - this.legend - 2, this.width - 24);
  }

  protected override paintFile(pen: Pen): void {
    this.paint(pen);
    this.paintAxes(pen);
    for (const axis of this.axes) pen.text(axis.x, 14, fitted(pen, this.title(axis), this.apart() - 8), { colour: this.theme.text, align: "center", weight: 600 });
  }

  title(axis: Axis): string {
    return `${this.label(axis.field)}${axis.scale.log ? " (log)" : ""}`;
  }

  apart(): number {
    return this.axes.length > 1 ? (this.axes[1] as Axis).x - (this.axes[0] as Axis).x : this.width;
  }

  private paintAxes(pen: Pen): void {
    const { theme } = this;
    for (const axis of this.axes) {
      pen.line([axis.x, this.topEdge, axis.x, this.bottomEdge], { stroke: theme.axis, width: 1.25 });
      for (const tick of axis.scale.ticks(Math.max(2, Math.floor((this.bottomEdge - this.topEdge) / 26)))) {
        const y = this.y(tick.at);
        pen.line([axis.x - 3, y, axis.x + 3, y], { stroke: theme.axis });
        pen.text(axis.x + 7, y, fitted(pen, tick.words, this.apart() - 20), { colour: theme.quiet, halo: theme.surface });
      }
      if (!axis.hasMissing) continue;
      pen.mark("circle", axis.x, this.lane, 3, { stroke: theme.axis, fill: theme.surface });
      pen.text(axis.x + 7, this.lane, fitted(pen, this.laneWords(axis), this.apart() - 12), { colour: theme.faint, halo: theme.surface });
    }
    for (const axis of this.axes) this.paintBrush(pen, axis);
  }

  private laneWords(axis: Axis): string {
    const below = axis.scale.log && this.stage.shown.some((run) => ((axis.field.values[run] ?? 1) as number) <= 0);
    return below ? "none or ≤ 0" : Object.keys(axis.field.odd).length ? "no number" : "not recorded";
  }

  private paintBrush(pen: Pen, axis: Axis): void {
    const said = this.spec.brush?.[axis.key];
    if (!said) return;
    const style = { fill: `${this.theme.accent}33`, stroke: this.theme.accent };
    const half = axis.scale.words.length ? 0.5 / axis.scale.words.length : 0;
    for (const [low, high] of spans(axis.scale, said)) pen.rect(axis.x - 8, this.y(high + half), 16, Math.max(2, this.y(low - half) - this.y(high + half)), style);
    if (said.includes(MISSING)) pen.rect(axis.x - 8, this.lane - 8, 16, 16, style);
  }

  protected paintTop(): void {
    const pen = this.pen(this.top);
    if (this.axes.length < 2) return;
    if (this.lit !== null && this.stage.shown.includes(this.lit)) {
      const path = this.path(this.lit);
      pen.line(path, { stroke: this.theme.surface, width: 5 });
      pen.line(path, { stroke: this.theme.text, width: 2.5 });
    }
    this.paintAxes(pen);
  }

  protected nearest(x: number, y: number): number | null {
    const after = this.axes.findIndex((axis) => axis.x >= x);
    const [left, right] = [this.axes[after - 1], this.axes[after]];
    if (!left || !right) return null;
    const share = (x - left.x) / (right.x - left.x);
    const { held, shown } = this.stage;
    const [starts, ends] = [this.heights[after - 1] as Float32Array, this.heights[after] as Float32Array];
    let [found, closest] = [null as number | null, 8];
    for (const run of shown) {
      if (held && !held.has(run)) continue;
      const from = starts[run] as number;
      const distance = Math.abs(from + share * ((ends[run] as number) - from) - y);
      if (distance < closest) [found, closest] = [run, distance];
    }
    return found;
  }

  protected order(): number[] {
    const { held, shown } = this.stage;
    return held ? shown.filter((run) => held.has(run)) : shown;
  }

  protected spot(run: number): [number, number] | null {
    const last = this.axes[this.axes.length - 1];
    return last ? [last.x - 30, this.y(last.scale.place(run))] : null;
  }

  notices(): string[] {
    const { shown } = this.stage;
    const found = [`${exact(shown.length)} ${shown.length === 1 ? "run" : "runs"}`];
    if (this.spec.color) found.push(`colour: ${labelOf(this.spec.color, this.field(this.spec.color))}`);
    if (!this.stage.held) found.push("drag on an axis to choose runs, drag its name to move it");
    return found;
  }

  protected sentence(): string {
    return `Parallel coordinates of ${this.stage.shown.length} runs over ${this.axes.map((axis) => this.title(axis)).join(", ") || "no fields"}; the numbers are in the table below`;
  }

  override destroy(): void {
    this.drawing++;
    this.controls.destroy();
    super.destroy();
  }
}

/** Which parts of an axis a brush covers, as places from low to high; neighbouring words are one part. */
export function spans(scale: Scale, said: string[]): [number, number][] {
  if (!scale.words.length) {
    const ends = bounds(said);
    if (!ends) return [];
    const lowest = scale.number(0) <= scale.number(1) ? 0 : 1;
    const places = [scale.of(ends[0]) ?? lowest, ends[1] === Infinity ? 1 - lowest : (scale.of(ends[1]) ?? lowest)];
    return [[Math.max(0, Math.min(...places)), Math.min(1, Math.max(...places))]];
  }
  const found: [number, number][] = [];
  scale.words.forEach((word, at) => {
    if (!said.includes(word)) return;
    const place = scale.of(word) as number;
    const last = found[found.length - 1];
    if (last && said.includes(scale.words[at - 1] ?? "")) last[1] = place;
    else found.push([place, place]);
  });
  return found;
}

function strided(runs: number[]): number[] {
  if (runs.length < 500 || runs.length % STRIDE === 0) return runs;
  return runs.map((_, at) => runs[(at * STRIDE) % runs.length] as number);
}
