// Panels in which each run is a spot between two axes: scatter and boxes. A rectangle drawn over them is a brush.
import { fitted, type Pen } from "./pen";
import { Plot, type Rect } from "./plot";
import type { Field } from "./points";
import { aside, type Scale } from "./scale";

export interface Spot {
  run: number;
  x: number;
  y: number;
}

export const MARGIN = 0.04;
const NEAR = 12;
const A_DRAG = 5;

export abstract class SpotPlot extends Plot {
  protected spots: Spot[] = [];
  protected inner: Rect = { left: 0, top: 0, right: 0, bottom: 0 };
  protected across: Scale | null = null;
  protected up: Scale | null = null;
  private from: [number, number] | null = null;
  private to: [number, number] | null = null;
  private dragged = false;

  constructor(...given: ConstructorParameters<typeof Plot>) {
    super(...given);
    this.area.classList.add("m-plot-spots");
    this.listen("pointerdown", (event) => this.begins(event));
    this.listen("pointerup", (event) => this.ended(event));
    this.listen("pointercancel", () => this.dropped());
  }

  protected placed(run: number): Spot | null {
    const [x, y] = [this.placeAlong(this.across, run), this.placeAlong(this.up, run)];
    if (x === null || y === null) return null;
    const { left, right, top, bottom } = this.inner;
    return { run, x: left + x * (right - left), y: bottom - y * (bottom - top) };
  }

  private placeAlong(scale: Scale | null, run: number): number | null {
    const place = scale?.place(run) ?? null;
    return place === null || !scale?.words.length ? place : place + this.shift(run, scale);
  }

  /** How far a run stands beside its word, so that runs of one word do not hide one another: a share of the axis. */
  protected shift(run: number, scale: Scale): number {
    return (aside(run) * 0.5) / scale.words.length;
  }

  protected nearest(x: number, y: number): number | null {
    let found: number | null = null;
    let closest = NEAR * NEAR;
    for (const spot of this.spots) {
      if (this.stage.held && !this.stage.held.has(spot.run)) continue;
      const distance = (spot.x - x) ** 2 + (spot.y - y) ** 2;
      if (distance < closest) [found, closest] = [spot.run, distance];
    }
    return found;
  }

  protected order(): number[] {
    const held = this.stage.held;
    return this.spots.filter((spot) => !held || held.has(spot.run)).sort((a, b) => a.x - b.x || a.y - b.y).map((spot) => spot.run);
  }

  protected spot(run: number): [number, number] | null {
    const found = this.spots.find((one) => one.run === run);
    return found ? [found.x, found.y] : null;
  }

  protected paintTop(): void {
    const pen = this.pen(this.top);
    const brush = this.rectangle();
    if (brush) pen.rect(brush.left, brush.top, brush.right - brush.left, brush.bottom - brush.top, { fill: `${this.theme.accent}1f`, stroke: this.theme.accent });
    const spot = this.lit === null ? null : this.spot(this.lit);
    if (!spot) return;
    pen.mark("circle", ...spot, 7, { stroke: this.theme.surface, width: 4 });
    pen.mark("circle", ...spot, 7, { stroke: this.theme.text, width: 2 });
  }

  /** The brush in pixels, as it is drawn or as the spec says it. */
  private rectangle(): Rect | null {
    if (this.from && this.to) return { left: Math.min(this.from[0], this.to[0]), right: Math.max(this.from[0], this.to[0]), top: Math.min(this.from[1], this.to[1]), bottom: Math.max(this.from[1], this.to[1]) };
    const { brush } = this.stage.spec;
    if (!brush || !this.across || !this.up) return null;
    const { left, right, top, bottom } = this.inner;
    const [x0, x1] = span(this.across, this.spanAcross(brush[this.across.field.key]));
    const [y0, y1] = span(this.up, brush[this.up.field.key]);
    return { left: left + x0 * (right - left), right: left + x1 * (right - left), top: bottom - y1 * (bottom - top), bottom: bottom - y0 * (bottom - top) };
  }

  /** What a brush says of the horizontal axis, in its own words. */
  protected spanAcross(said: string[] | undefined): string[] | undefined {
    return said;
  }

  private begins(event: PointerEvent): void {
    if (event.button !== 0 || !this.stage) return;
    this.from = this.place(event);
    this.to = null;
    this.dragged = false;
  }

  protected override pointed(event: PointerEvent): void {
    if (!this.from) return super.pointed(event);
    const at = this.place(event);
    if (!this.to && Math.hypot(at[0] - this.from[0], at[1] - this.from[1]) < A_DRAG) return;
    if (!this.to) this.area.setPointerCapture(event.pointerId);
    this.tell(null, 0, 0);
    this.to = at;
    this.dragged = true;
    this.paintTop();
  }

  private ended(event: PointerEvent): void {
    if (!this.from || !this.to) {
      this.from = null;
      return;
    }
    if (this.area.hasPointerCapture(event.pointerId)) this.area.releasePointerCapture(event.pointerId);
    const brush = this.brushOf(this.rectangle() as Rect);
    this.dropped();
    this.acts.brush(brush, true);
  }

  private dropped(): void {
    [this.from, this.to] = [null, null];
    if (this.stage) this.paintTop();
  }

  protected override clicked(event: MouseEvent): void {
    if (this.dragged) {
      this.dragged = false;
      return;
    }
    if (this.nearest(...this.place(event)) === null && this.stage?.spec.brush) this.acts.brush(undefined, true);
    else super.clicked(event);
  }

  protected brushOf(rect: Rect): Record<string, string[]> {
    const { left, right, top, bottom } = this.inner;
    const brush: Record<string, string[]> = {};
    const along = (pixels: number): number => (pixels - left) / (right - left);
    const above = (pixels: number): number => (bottom - pixels) / (bottom - top);
    if (this.across) brush[this.across.field.key] = saidOf(this.across, along(rect.left), along(rect.right));
    if (this.up) brush[this.up.field.key] = saidOf(this.up, above(rect.bottom), above(rect.top));
    return brush;
  }

  /** Ticks, grid and titles of both axes. */
  protected paintAxes(pen: Pen, titleX: string, titleY: string): void {
    const { left, right, top, bottom } = this.inner;
    const { theme } = this;
    for (const tick of this.up?.ticks(Math.max(2, Math.floor((bottom - top) / 34))) ?? []) {
      const y = bottom - tick.at * (bottom - top);
      pen.line([left, y, right, y], { stroke: theme.line });
      pen.text(left - 6, y, shortened(tick.words, 14), { colour: theme.faint, align: "right" });
    }
    pen.line([left, bottom, right, bottom], { stroke: theme.axis });
    if (titleY) pen.text(9, (top + bottom) / 2, fitted(pen, titleY, bottom - top), { colour: theme.quiet, align: "center", upwards: true });
    if (titleX) pen.text((left + right) / 2, bottom + 28, fitted(pen, titleX, right - left), { colour: theme.quiet, align: "center" });
  }

  protected axisTitle(field: Field | undefined, scale: Scale | null): string {
    return this.label(field) + (scale?.log ? " (log)" : "");
  }
}

export const shortened = (words: string, most: number): string => (words.length > most ? `${words.slice(0, most - 1)}…` : words);

/** Which part of an axis a brush covers, as places from low to high. */
function span(scale: Scale, said: string[] | undefined): [number, number] {
  if (!said) return [0, 1];
  if (scale.words.length) {
    const places = said.map((word) => scale.of(word)).filter((place): place is number => place !== null);
    const half = 0.5 / scale.words.length;
    return places.length ? [Math.min(...places) - half, Math.max(...places) + half] : [0, 0];
  }
  const ends = said.map((text, at) => (text === "" ? null : scale.of(Number(text))) ?? (at === 0 ? 0 : 1));
  return [Math.min(...ends), Math.max(...ends)];
}

/** What a brush between two places of a scale says. Ends beyond the axis stay open. */
export function saidOf(scale: Scale, low: number, high: number): string[] {
  if (scale.words.length) {
    const [first, last] = [scale.word(low)[1], scale.word(high)[1]];
    return scale.words.slice(Math.min(first, last), Math.max(first, last) + 1);
  }
  const ends: [number, string][] = [
    [scale.number(low), low <= 0 ? "" : rounded(scale.number(low))],
    [scale.number(high), high >= 1 ? "" : rounded(scale.number(high))],
  ];
  return ends.sort((a, b) => a[0] - b[0]).map(([, text]) => text);
}

const rounded = (value: number): string => String(Number(value.toPrecision(6)));
