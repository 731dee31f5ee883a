// Bars: the value of each run, sorted, the best one marked; or the mean of each group with its deviation.
import { exact } from "../charts/format";
import { MISSING } from "./brush";
import { colouringOf, type Colouring } from "./colours";
import { meanAndDeviation } from "./figures";
import { fitted, type Pen } from "./pen";
import { Plot, type Stage } from "./plot";
import { labelOf, numberWords, type Field } from "./points";
import { scaleOf } from "./scale";
import { goalOf, blind } from "./scatter";

const NONE = "not recorded";
const ROW = 20;
const BARS_MAX = 100;
const HEAD = 10;
const FOOT = 40;

interface Bar {
  name: string;
  /** What a brush on it says, where it is a group. */
  said: string[];
  value: number;
  deviation: number;
  runs: number[];
}

export class BarPlot extends Plot {
  private bars: Bar[] = [];
  private every = 0;
  private colours!: Colouring;
  private legend = 0;
  private names = 80;
  private low = 0;
  private high = 1;
  private wrong = "";

  protected override heightFor(stage: Stage): number | null {
    this.stage = stage;
    this.gather();
    return Math.max(this.area.clientHeight, HEAD + FOOT + 20 + this.bars.length * ROW);
  }

  protected override fileHeight(): number {
    return Math.min(this.height, HEAD + FOOT + this.legend + this.bars.length * ROW);
  }

  private gather(): void {
    const { spec, shown, points } = this.stage;
    const [x, y] = [this.field(spec.x), this.field(spec.y)];
    this.wrong = !y ? "Choose a field for the bars." : y.kind !== "number" ? `${labelOf(y.key, y)} is no number.` : "";
    this.bars = [];
    if (!y || this.wrong) return;
    const known = shown.filter((run) => typeof y.values[run] === "number");
    const all = x ? groups(x, y, known) : known.map((run) => ({ name: points.runs[run]?.name ?? "", said: [], value: y.values[run] as number, deviation: NaN, runs: [run] }));
    const up = goalOf(spec.goal?.y, y) === "min" ? 1 : -1;
    all.sort((a, b) => (spec.flip?.includes("y") ? -1 : 1) * up * (a.value - b.value));
    this.every = all.length;
    this.bars = all.slice(0, BARS_MAX);
  }

  protected layout(pen: Pen, width: number): void {
    const { spec, shown, points } = this.stage;
    const tinted = this.field(spec.color);
    const shades = tinted?.kind === "number" ? scaleOf(tinted, shown, false, false) : null;
    this.colours = colouringOf(this.theme, points, tinted, (run) => shades?.place(run) ?? null);
    this.legend = this.colours.legend(blind(pen), 0, 0, width - 24);
    const widest = this.bars.reduce((most, bar) => Math.max(most, pen.widthOf(bar.name)), 0);
    this.names = Math.min(widest, width * 0.34);
    const ends = this.bars.flatMap((bar) => [bar.value, ...(Number.isFinite(bar.deviation) ? [bar.value - bar.deviation, bar.value + bar.deviation] : [])]);
    this.low = ends.reduce((a, b) => Math.min(a, b), 0);
    this.high = ends.reduce((a, b) => Math.max(a, b), 0);
    if (this.low === this.high) this.high = this.low + 1;
  }

  private x(value: number): number {
    const [left, right] = [20 + this.names, this.width - 66];
    return left + ((value - this.low) / (this.high - this.low)) * (right - left);
  }

  protected paint(pen: Pen): void {
    const { theme } = this;
    if (this.wrong || !this.bars.length) return pen.text(this.width / 2, 40, this.wrong || "No run has a value.", { colour: theme.faint, align: "center", size: 13 });
    const best = this.best();
    const { held } = this.stage;
    this.bars.forEach((bar, at) => {
      const y = HEAD + at * ROW;
      const [from, to] = [this.x(0), this.x(bar.value)];
      const look = this.stage.spec.x && !this.stage.spec.color ? { colour: theme.accent } : this.colours.of(bar.runs[0] ?? 0);
      const faint = held && !bar.runs.some((run) => held.has(run));
      pen.text(12 + this.names, y + ROW / 2, fitted(pen, bar.name, this.names), { colour: bar === best ? theme.text : theme.quiet, align: "right", weight: bar === best ? 650 : 400 });
      pen.rect(Math.min(from, to), y + 4, Math.max(1, Math.abs(to - from)), ROW - 8, { fill: look.colour, alpha: faint ? 0.2 : 1 });
      const reach = Number.isFinite(bar.deviation) ? this.x(bar.value + bar.deviation) : to;
      if (Number.isFinite(bar.deviation)) this.whisker(pen, bar, y + ROW / 2);
      const words = `${numberWords(this.stage.spec.y ?? "", bar.value, true)}${bar === best ? " ★" : ""}`;
      pen.text(Math.max(to, reach, from) + 6, y + ROW / 2, words, { colour: theme.text, weight: bar === best ? 650 : 400 });
    });
    const foot = HEAD + this.bars.length * ROW;
    pen.line([this.x(0), HEAD, this.x(0), foot], { stroke: theme.axis });
    const y = this.field(this.stage.spec.y);
    pen.text((this.x(this.low) + this.x(this.high)) / 2, foot + 14, this.label(y), { colour: theme.quiet, align: "center" });
    if (this.legend) this.colours.legend(pen, 12, foot + 24, this.width - 24);
  }

  private whisker(pen: Pen, bar: Bar, y: number): void {
    const [from, to] = [this.x(bar.value - bar.deviation), this.x(bar.value + bar.deviation)];
    const style = { stroke: this.theme.text, width: 1.25 };
    pen.line([from, y, to, y], style);
    for (const end of [from, to]) pen.line([end, y - 3, end, y + 3], style);
  }

  private best(): Bar | null {
    const { spec } = this.stage;
    const goal = goalOf(spec.goal?.y, this.field(spec.y));
    if (!goal || this.bars.length < 2) return null;
    return this.bars.reduce((best, bar) => ((goal === "max" ? bar.value > best.value : bar.value < best.value) ? bar : best));
  }

  private at(y: number): Bar | undefined {
    return this.bars[Math.floor((y - HEAD) / ROW)];
  }

  protected nearest(_: number, y: number): number | null {
    const bar = this.at(y);
    return bar?.runs.length === 1 ? (bar.runs[0] ?? null) : null;
  }

  protected order(): number[] {
    return this.bars.filter((bar) => bar.runs.length === 1).map((bar) => bar.runs[0] as number);
  }

  protected spot(run: number): [number, number] | null {
    const at = this.bars.findIndex((bar) => bar.runs.includes(run));
    return at < 0 ? null : [this.x(this.bars[at]?.value ?? 0), HEAD + at * ROW + ROW / 2];
  }

  protected paintTop(): void {
    const pen = this.pen(this.top);
    const spot = this.lit === null ? null : this.spot(this.lit);
    if (spot) pen.rect(4, spot[1] - ROW / 2, this.width - 8, ROW, { stroke: this.theme.text, width: 1.5 });
  }

  protected override clicked(event: MouseEvent): void {
    const bar = this.at(this.place(event)[1]);
    const { x } = this.stage.spec;
    if (!bar || !x || bar.runs.length < 2) return super.clicked(event);
    this.acts.brush({ [x]: bar.said }, true);
  }

  notices(): string[] {
    const { spec, shown } = this.stage;
    if (this.wrong) return [];
    const drawn = this.bars.length;
    const noun = spec.x ? "groups" : "runs";
    const found = [this.every > drawn ? `the first ${drawn} of ${exact(this.every)} ${noun}` : `${exact(drawn)} ${noun}`];
    if (spec.x) found.push("mean ± standard deviation (n − 1)");
    const missing = shown.filter((run) => typeof this.field(spec.y)?.values[run] !== "number").length;
    if (missing) found.push(`${exact(missing)} without a value not drawn`);
    if (!goalOf(spec.goal?.y, this.field(spec.y))) found.push("no best: the project does not say which way is better");
    return found;
  }

  protected sentence(): string {
    const { spec } = this.stage;
    return `Bars of ${labelOf(spec.y ?? "", this.field(spec.y))}${spec.x ? ` by ${labelOf(spec.x, this.field(spec.x))}` : " of each run"}, sorted; the numbers are in the table below`;
  }
}

function groups(x: Field, y: Field, runs: number[]): Bar[] {
  const found = new Map<string, number[]>();
  for (const run of runs) {
    const word = x.values[run] === null ? NONE : String(x.values[run]);
    const group = found.get(word);
    if (group) group.push(run);
    else found.set(word, [run]);
  }
  return [...found].map(([word, of]) => {
    const [value, deviation] = meanAndDeviation(of.map((run) => y.values[run] as number));
    const said = word === NONE ? [MISSING] : x.kind === "number" ? [word, word] : [word];
    return { name: `${word} · n ${of.length}`, said, value, deviation, runs: of };
  });
}
