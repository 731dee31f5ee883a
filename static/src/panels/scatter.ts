// Scatter: one run a mark, with colour and size by fields, the least-squares line, and the Pareto front.
import { exact } from "../charts/format";
import { colouringOf, type Colouring } from "./colours";
import { leastSquares, paretoFront, type Goal, type Line } from "./figures";
import { fitted, type Pen } from "./pen";
import { labelOf, type Field } from "./points";
import { scaleOf } from "./scale";
import { MARGIN, shortened, SpotPlot } from "./spots";

export class ScatterPlot extends SpotPlot {
  private colours!: Colouring;
  private line: Line | null = null;
  private front: number[] = [];
  private sizes: (run: number) => number = () => 4;
  private legend = 0;

  protected layout(pen: Pen, width: number, height: number): void {
    const { spec, shown, points } = this.stage;
    const whole = withBoth(this.field(spec.x), this.field(spec.y), shown);
    const scale = (key: string | undefined, axis: string): ReturnType<typeof scaleOf> | null => {
      const field = this.field(key);
      return field ? scaleOf(field, whole, !!spec.log?.includes(axis) && field.kind === "number", !!spec.flip?.includes(axis), MARGIN) : null;
    };
    this.across = scale(spec.x, "x");
    this.up = scale(spec.y, "y");
    const tinted = this.field(spec.color);
    const shades = tinted?.kind === "number" ? scaleOf(tinted, shown, false, false) : null;
    this.colours = colouringOf(this.theme, points, tinted, (run) => shades?.place(run) ?? null);
    const sized = this.field(spec.size);
    const areas = sized?.kind === "number" ? scaleOf(sized, shown, false, false) : null;
    const plain = shown.length > 2000 ? 2.5 : 4;
    this.sizes = areas ? (run) => 2.5 + 6.5 * Math.sqrt(areas.place(run) ?? 0) : () => plain;
    this.legend = this.colours.legend(blind(pen), 0, 0, width - 24);
    const labels = (this.up?.ticks(6) ?? []).map((tick) => pen.widthOf(shortened(tick.words, 14)));
    this.inner = { left: 28 + Math.max(20, ...labels), right: width - 16, top: 12, bottom: height - 42 - this.legend };
    this.spots = shown.flatMap((run) => this.placed(run) ?? []);
    this.line = spec.trend ? this.trend() : null;
    this.front = spec.pareto ? this.pareto() : [];
  }

  protected paint(pen: Pen): void {
    const { inner, theme } = this;
    const { spec, held } = this.stage;
    if (!this.across || !this.up) return pen.text(this.width / 2, this.height / 2, "Choose a field for x and one for y.", { colour: theme.faint, align: "center", size: 13 });
    this.paintAxes(pen, this.axisTitle(this.field(spec.x), this.across), this.axisTitle(this.field(spec.y), this.up));
    const room = (inner.right - inner.left) / Math.max(1, this.across.words.length);
    for (const tick of this.across.ticks(Math.max(2, Math.floor((inner.right - inner.left) / 70)))) {
      pen.text(inner.left + tick.at * (inner.right - inner.left), inner.bottom + 12, fitted(pen, tick.words, Math.max(70, room - 6)), { colour: theme.faint, align: "center" });
    }
    const crowd = this.spots.length > 2000 ? 0.55 : 0.9;
    const rest = (run: number): boolean => held !== null && !held.has(run);
    for (const spot of this.spots) if (rest(spot.run)) this.mark(pen, spot.run, spot.x, spot.y, 0.14);
    for (const spot of this.spots) if (!rest(spot.run)) this.mark(pen, spot.run, spot.x, spot.y, crowd);
    this.paintFront(pen);
    this.paintLine(pen);
    if (this.legend) this.colours.legend(pen, 12, this.height - this.legend - 2, this.width - 24);
  }

  private mark(pen: Pen, run: number, x: number, y: number, alpha: number): void {
    const look = this.colours.of(run);
    pen.mark(look.shape, x, y, this.sizes(run), { fill: look.colour, stroke: this.theme.surface, width: 1, alpha });
  }

  /** Over what is shown, in the coordinates of the axes: the line is straight as it is seen. */
  private trend(): Line | null {
    if (this.across?.field.kind !== "number" || this.up?.field.kind !== "number") return null;
    const inner = (field: Field, log: boolean, run: number): number => (log ? Math.log10(field.values[run] as number) : (field.values[run] as number));
    const [x, y] = [this.across, this.up];
    return leastSquares(this.spots.map((spot) => inner(x.field, x.log, spot.run)), this.spots.map((spot) => inner(y.field, y.log, spot.run)));
  }

  private paintLine(pen: Pen): void {
    const { line, across, up, inner } = this;
    if (!line || !across || !up) return;
    const ends = [0, 1].map((place) => across.number(place));
    const y = (x: number): number => line.intercept + line.slope * (across.log ? Math.log10(x) : x);
    const places = ends.map((x) => up.of(up.log ? 10 ** y(x) : y(x)) ?? 0);
    const [from, to] = clipped(places[0] as number, places[1] as number);
    if (from === to) return;
    const at = (share: number): [number, number] => [inner.left + share * (inner.right - inner.left), inner.bottom - ((places[0] as number) + share * ((places[1] as number) - (places[0] as number))) * (inner.bottom - inner.top)];
    pen.line([...at(from), ...at(to)], { stroke: this.theme.text, width: 1.5, dash: [5, 4] });
  }

  private goals(): [Goal | null, Goal | null] {
    const { spec } = this.stage;
    return [goalOf(spec.goal?.x, this.field(spec.x)), goalOf(spec.goal?.y, this.field(spec.y))];
  }

  private pareto(): number[] {
    const [goalX, goalY] = this.goals();
    const [x, y] = [this.across?.field, this.up?.field];
    if (!goalX || !goalY || x?.kind !== "number" || y?.kind !== "number") return [];
    const of = (field: Field): number[] => this.spots.map((spot) => field.values[spot.run] as number);
    return paretoFront(of(x), of(y), goalX, goalY);
  }

  private paintFront(pen: Pen): void {
    const spots = this.front.map((at) => this.spots[at]).filter((spot) => spot !== undefined);
    pen.line(spots.flatMap((spot) => [spot.x, spot.y]), { stroke: this.theme.accent, width: 1.5 });
    for (const spot of spots) pen.mark("circle", spot.x, spot.y, this.sizes(spot.run) + 3, { stroke: this.theme.accent, width: 1.5 });
  }

  notices(): string[] {
    const { spec, shown } = this.stage;
    const found = [`${exact(this.spots.length)} ${this.spots.length === 1 ? "run" : "runs"}`];
    const left = shown.length - this.spots.length;
    if (left && this.across && this.up) found.push(`${exact(left)} without ${this.across.log || this.up.log ? "a value above 0" : "both values"} not drawn`);
    if (spec.trend) found.push(this.trendWords());
    if (spec.pareto) found.push(this.frontWords());
    if (spec.size) found.push(`size: ${labelOf(spec.size, this.field(spec.size))}`);
    return found;
  }

  private trendWords(): string {
    if (!this.line) return "no trend: it needs three runs, and numbers that differ, on both axes";
    const log = this.across?.log && this.up?.log ? " of the logarithms" : this.across?.log ? " on log x" : this.up?.log ? " on log y" : "";
    const few = this.line.n < 20 ? ", too few runs to tell" : "";
    return `trend: least squares${log}, r ${this.line.r.toFixed(2).replace("-", "−").replace(/^−0\.00$/, "0.00")}, n ${exact(this.line.n)}${few}`;
  }

  private frontWords(): string {
    const { spec } = this.stage;
    const [goalX, goalY] = this.goals();
    if (this.across?.field.kind !== "number" || this.up?.field.kind !== "number") return "no Pareto front: it needs numbers on both axes";
    const unsaid = [goalX ? "" : labelOf(spec.x ?? ""), goalY ? "" : labelOf(spec.y ?? "")].filter(Boolean);
    if (unsaid.length) return `no Pareto front: say under Fields which way ${unsaid.join(" and ")} is better`;
    const word = (goal: Goal | null): string => (goal === "max" ? "higher" : "lower");
    return `Pareto front of ${exact(this.front.length)}: ${labelOf(spec.x ?? "", this.across.field)} ${word(goalX)} and ${labelOf(spec.y ?? "", this.up.field)} ${word(goalY)} is better`;
  }

  protected sentence(): string {
    const { spec } = this.stage;
    return `Scatter of ${labelOf(spec.y ?? "", this.field(spec.y))} against ${labelOf(spec.x ?? "", this.field(spec.x))}, ${this.stage.shown.length} runs; the numbers are in the table below`;
  }
}

/** Which way a field is better: as the spec says, then as the project says; time taken is better short. */
export function goalOf(said: string[] | undefined, field: Field | undefined): Goal | null {
  if (said?.[0] === "min" || said?.[0] === "max") return said[0];
  if (field?.better) return field.better === "higher" ? "max" : "min";
  return field?.key === "duration" ? "min" : null;
}

/** The runs that have a value on both axes: an axis need not reach to others. */
function withBoth(x: Field | undefined, y: Field | undefined, runs: number[]): number[] {
  const has = (field: Field | undefined, run: number): boolean => !field || (field.values[run] ?? null) !== null;
  return runs.filter((run) => has(x, run) && has(y, run));
}

/** From which to which share a straight way between two heights lies between 0 and 1. */
function clipped(first: number, last: number): [number, number] {
  if (first === last) return first >= 0 && first <= 1 ? [0, 1] : [0, 0];
  const cross = [(0 - first) / (last - first), (1 - first) / (last - first)].sort((a, b) => a - b) as [number, number];
  const [from, to] = [Math.max(0, cross[0]), Math.min(1, cross[1])];
  return from < to ? [from, to] : [0, 0];
}

/** A pen that measures and draws nothing. */
export function blind(pen: Pen): Pen {
  const nothing = (): void => undefined;
  return { line: nothing, rect: nothing, mark: nothing, text: nothing, within: (_x, _y, _width, _height, draw) => draw(), widthOf: (words, size) => pen.widthOf(words, size) };
}
