// The curves of one metric in many runs, or the bands of groups of runs, in one chart. The page gives the look, which
// lines are drawn and the window; the chart reads its data again when the server's answer depends on what changed.
import uPlot from "uplot";
import { fetchBlocks, type Block } from "./blocks";
import { clock, exact, figure } from "./format";
import { axisStyle, clockOnAxis, css, markNotFinite, onlyPowersOfTen, tipOf } from "./marks";
import { smooth } from "./payload";

export interface OverlayLook {
  x: "step" | "time" | "relative";
  log: boolean;
  logx: boolean;
  smoothing: number;
  window: [number, number] | null;
}

export interface Legend {
  name: string;
  slot: number;
}

export interface Board {
  address(key: string, buckets: number): string;
  legend: Map<number, Legend>;
  hidden: Set<number>;
  zoom(window: [number, number]): void;
  light(place: number | null): void;
}

const ENOUGH_TO_SMOOTH = 30;
const LISTED = 12;
type Gaps = (number | null)[];

export class OverlayPlot {
  private blocks: Block[] | null = null;
  private plot: uPlot | null = null;
  private loading: AbortController | null = null;
  private loaded = "";
  private series: number[] = []; // the place that each of uPlot's series belongs to
  private lit: number | null = null;

  constructor(
    private readonly element: HTMLElement,
    private readonly key: string,
    private readonly board: Board,
    private look: OverlayLook,
  ) {}

  async show(look: OverlayLook): Promise<void> {
    this.look = look;
    const address = this.board.address(this.key, Math.max(60, Math.round(this.element.clientWidth / 2)));
    if (address !== this.loaded || !this.blocks) await this.load(address);
    else this.draw();
  }

  redraw(): void {
    if (this.blocks) this.draw();
  }

  /** Draws one line strong and the others faint; null: all alike. */
  light(place: number | null): void {
    if (!this.plot || this.lit === place) return;
    this.lit = place;
    for (let at = 1; at < this.plot.series.length; at++) {
      const one = this.plot.series[at];
      if (one) one.alpha = place === null || this.series[at - 1] === place ? 1 : 0.2;
    }
    this.plot.redraw(false);
  }

  picture(): string | null {
    return this.plot?.ctx.canvas.toDataURL("image/png") ?? null;
  }

  private async load(address: string): Promise<void> {
    this.loading?.abort();
    const mine = new AbortController();
    this.loading = mine;
    this.element.setAttribute("aria-busy", "true");
    try {
      this.blocks = await fetchBlocks(address, mine.signal);
      this.loaded = address;
      this.draw();
    } catch (error) {
      if (!mine.signal.aborted) this.say(error instanceof Error ? error.message : "The curves did not come.");
    } finally {
      if (this.loading === mine) {
        this.loading = null;
        this.element.removeAttribute("aria-busy");
      }
    }
  }

  private say(words: string): void {
    this.plot?.destroy();
    this.plot = null;
    this.element.textContent = words;
    this.element.classList.add("m-chart-empty");
  }

  private shown(): Block[] {
    return (this.blocks ?? []).filter((block) => !this.board.hidden.has(block.place));
  }

  private draw(): void {
    const blocks = this.shown();
    const drawable = (y: number): boolean => Number.isFinite(y) && (!this.look.log || y > 0);
    const tables: uPlot.AlignedData[] = [];
    const series: uPlot.Series[] = [{}];
    const bands: uPlot.Band[] = [];
    this.series = [];
    for (const block of blocks) {
      const inside = this.inside(block.x);
      const column = (values: Float64Array): Gaps => inside.map((at) => (drawable(values[at] ?? NaN) ? (values[at] as number) : null));
      const x = inside.map((at) => block.x[at] as number);
      const y = column(block.y);
      const colour = css(`--run-${this.board.legend.get(block.place)?.slot ?? 1}`);
      const dash = (this.board.legend.get(block.place)?.slot ?? 1) > 6 ? [6, 4] : [];
      const line = { stroke: colour, width: 2, dash, spanGaps: true, points: { show: y.length < 3 } };
      if (block.low && block.high) {
        const first = series.length;
        tables.push([x, column(block.high), column(block.low), y]);
        series.push({ stroke: "transparent", spanGaps: true, points: { show: false } }, { stroke: "transparent", spanGaps: true, points: { show: false } }, line);
        bands.push({ series: [first, first + 1], fill: `${colour}2b` });
        this.series.push(block.place, block.place, block.place);
      } else if (this.smooths(y)) {
        tables.push([x, y, smooth(y, this.look.smoothing)]);
        series.push({ stroke: `${colour}40`, width: 1, spanGaps: true, points: { show: false } }, line);
        this.series.push(block.place, block.place);
      } else {
        tables.push([x, y]);
        series.push(line);
        this.series.push(block.place);
      }
    }
    this.plot?.destroy();
    this.plot = null;
    this.lit = null;
    if (!tables.some((table) => table.slice(1).some((column) => Array.from(column as Gaps).some((y) => y !== null)))) {
      return this.say(this.nothing(blocks));
    }
    this.element.replaceChildren();
    this.element.classList.remove("m-chart-empty");
    this.plot = new uPlot(this.options(series, bands), uPlot.join(tables), this.element);
    this.tell(blocks);
  }

  private inside(x: Float64Array): number[] {
    const all = Array.from(x.keys());
    return this.look.logx ? all.filter((at) => (x[at] ?? 0) > 0) : all;
  }

  private smooths(y: Gaps): boolean {
    return this.look.smoothing > 0 && y.length >= ENOUGH_TO_SMOOTH;
  }

  private nothing(blocks: Block[]): string {
    if (!this.blocks?.length) return "None of these has it in this window.";
    if (!blocks.length) return "All lines are hidden.";
    return this.look.log || this.look.logx ? "Nothing above 0 to draw on a log axis." : "Only NaN or infinite values.";
  }

  private options(series: uPlot.Series[], bands: uPlot.Band[]): uPlot.Options {
    const axis = axisStyle();
    const range = this.look.window && !this.look.logx ? { range: this.look.window } : {};
    return {
      width: this.element.clientWidth,
      height: this.element.clientHeight,
      legend: { show: false },
      padding: [8, 12, 0, 0],
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { show: false } },
      scales: { x: { time: false, distr: this.look.logx ? 3 : 1, ...range }, y: { distr: this.look.log ? 3 : 1 } },
      series,
      bands,
      axes: [
        { ...axis, size: 26, space: this.look.x === "time" ? 96 : 50, ...(this.look.logx && { grid: { ...axis.grid, filter: onlyPowersOfTen } }), values: (_, at) => at.map((value) => (value === null ? "" : this.xWords(value, true))) },
        { ...axis, size: 52, space: 34, ...(this.look.log && { grid: { ...axis.grid, filter: onlyPowersOfTen } }), values: (_, at) => at.map((value) => (value === null ? "" : figure(value))) },
      ],
      hooks: {
        setSelect: [(u) => u.select.width >= 4 && this.board.zoom([u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")])],
        setCursor: [(u) => this.point(u)],
        draw: [(u) => this.markNotFinite(u)],
      },
    };
  }

  private xWords(value: number, short = false): string {
    if (this.look.x === "relative") return `${figure(value / 1000)} s`;
    if (this.look.x === "step") return short ? figure(value) : `step ${exact(value)}`;
    if (!short) return `${clock(value)} UTC`;
    const xs = this.plot?.scales.x;
    return clockOnAxis(value, (xs?.max ?? 0) - (xs?.min ?? 0));
  }

  private markNotFinite(u: uPlot): void {
    for (const block of this.shown()) {
      if (block.notFinite) markNotFinite(u, block.x, block.y, css(`--run-${this.board.legend.get(block.place)?.slot ?? 1}`));
    }
  }

  /** What the cursor is at: every line's value nearest in x, sorted; the one nearest the pointer is lit everywhere. */
  private point(u: uPlot): void {
    const tip = tipOf(this.element, "list");
    const left = u.cursor.left ?? -1;
    if (left < 0) {
      tip.hidden = true;
      this.board.light(null);
      return;
    }
    const x = u.posToVal(left, "x");
    const pointer = u.posToVal(u.cursor.top ?? 0, "y");
    const rows = this.shown()
      .map((block) => ({ block, at: nearest(block.x, x) }))
      .filter(({ block, at }) => at >= 0 && Number.isFinite(block.y[at]))
      .map(({ block, at }) => ({ place: block.place, x: block.x[at] as number, y: block.y[at] as number, low: block.low?.[at], high: block.high?.[at], runs: block.runs?.[at] }))
      .sort((a, b) => b.y - a.y);
    if (!rows.length) return;
    const close = rows.reduce((best, row) => (Math.abs(row.y - pointer) < Math.abs(best.y - pointer) ? row : best));
    this.board.light(close.place);
    const from = Math.min(Math.max(0, rows.indexOf(close) - LISTED / 2), Math.max(0, rows.length - LISTED));
    tip.replaceChildren(line("head", this.xWords(close.x)));
    for (const row of rows.slice(from, from + LISTED)) {
      const spread = row.low !== undefined && row.high !== undefined ? ` (${exact(row.low)} to ${exact(row.high)}, n ${row.runs})` : "";
      tip.append(line(row === close ? "near" : "", `${exact(row.y)}${spread}  ${this.board.legend.get(row.place)?.name ?? ""}`));
    }
    if (rows.length > LISTED) tip.append(line("head", `${rows.length - LISTED} more`));
    tip.hidden = false;
    const room = this.element.clientWidth;
    const place = left + 60 + tip.offsetWidth > room ? left + 40 - tip.offsetWidth : left + 64;
    tip.style.left = `${Math.max(2, place)}px`;
    tip.style.top = "4px";
  }

  private tell(blocks: Block[]): void {
    const place = this.element.closest("figure")?.querySelector("[data-notice]");
    if (!place) return;
    const drawn = blocks.reduce((sum, block) => sum + block.x.length, 0);
    const total = blocks.reduce((sum, block) => sum + block.total, 0);
    const odd = blocks.filter((block) => block.notFinite > 0).length;
    const words: string[] = [];
    if (blocks.some((block) => block.kind === "curve") && this.look.smoothing > 0) words.push(`EMA ${this.look.smoothing.toFixed(2)}`);
    if (blocks.some((block) => block.kind === "band")) words.push(blocks.some((b) => b.thinned) ? `from ${exact(total)} points, put together by place` : `from all ${exact(total)} points`);
    else words.push(blocks.some((b) => b.thinned) ? `${exact(drawn)} of ${exact(total)} points, min and max kept` : `all ${exact(total)} points`);
    if (odd) words.push(`NaN or infinite in ${odd} run${odd === 1 ? "" : "s"}`);
    if (this.look.window) words.push("zoomed");
    place.textContent = words.join(" · ");
  }
}

function line(kind: string, words: string): HTMLElement {
  const row = document.createElement("div");
  if (kind) row.className = kind;
  row.textContent = words;
  return row;
}

/** The index of the value nearest to x in ascending order; -1 for none. */
function nearest(xs: Float64Array, x: number): number {
  if (!xs.length) return -1;
  let low = 0;
  let high = xs.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((xs[middle] ?? 0) < x) low = middle;
    else high = middle;
  }
  return Math.abs((xs[low] ?? 0) - x) <= Math.abs((xs[high] ?? 0) - x) ? low : high;
}
