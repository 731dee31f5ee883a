// One uPlot of lines and bands: the whole of a panel, or one facet of it.
import uPlot from "uplot";
import type { Board, Extent } from "./board";
import { figure } from "./format";
import { columnsOf, isolated, joinedTables, percentiles, type Drawn } from "./lines";
import type { Look } from "./look";
import { axisStyle, clockOnAxis, markNotFinite, onlyPowersOfTen, valueAxis } from "./marks";
import { pointerTip } from "./tip";
import type { Drawing, Stroke } from "./vector";

export type { Extent } from "./board";
const UNMARKED = { points: { show: false } };
const SEVERAL = 6; // lines: their raw ones behind are fainter, so that those in front can be told apart
const MANY = 24;
const CLOSE = 4; // pixels: less is a click, not a window

export class Plot {
  readonly hasPoints: boolean;
  private readonly tables: (number | null)[][][] = [];
  private readonly series: uPlot.Series[] = [{}];
  private readonly bands: uPlot.Band[] = [];
  private readonly owners: Drawn[] = []; // of each series but the first
  private u: uPlot | null = null;
  private crossing: HTMLElement | null = null;
  private lit = "";

  constructor(
    readonly lines: Drawn[],
    readonly facet: string,
    private readonly look: Look,
    private readonly board: Board,
    private readonly zoom: (window: Extent | null) => void,
  ) {
    const many = lines.length > MANY;
    for (const line of lines) this.add(line, many);
    this.hasPoints = this.tables.some((table) => table.slice(1).some((column) => column.some((y) => y !== null)));
  }

  private add(line: Drawn, many: boolean): void {
    const { x, ys, smooth } = columnsOf(line, this.look);
    if (!x.length) return;
    const width = line.kind === "member" ? 1 : many ? 1.25 : 2;
    const few = (ys[ys.length - 1] ?? []).filter((y) => y !== null).length < 3;
    const points = { show: true, size: 6, fill: line.colour, ...(!few && { filter: (u: uPlot, series: number) => isolated(u.data[series] ?? []) }) };
    const strong: uPlot.Series = { stroke: line.kind === "member" ? `${line.colour}b0` : line.colour, width, dash: line.dash, points };
    if (line.kind === "band") {
      const wide = this.look.spread !== "members";
      if (wide) this.bands.push({ series: [this.series.length, this.series.length + 1], fill: `${line.colour}2b` });
      const edge = { stroke: "transparent", ...UNMARKED };
      this.put(line, [x, ...(wide ? ys : ys.slice(2))], wide ? [edge, edge, strong] : [strong]);
    } else if (smooth) {
      if (line.kind === "line") this.put(line, [x, ...ys], [{ stroke: `${line.colour}${this.lines.length > SEVERAL ? "26" : "40"}`, width: 1, ...UNMARKED }]);
      this.put(line, [smooth.x, smooth.y], [strong]);
    } else this.put(line, [x, ...ys], [strong]);
  }

  private put(line: Drawn, table: (number | null)[][], series: uPlot.Series[]): void {
    this.tables.push(table);
    for (const one of series) {
      this.series.push({ ...one });
      this.owners.push(line);
    }
  }

  /** Lowest and highest of what is drawn; or where 98 % of the points lie. */
  extent(cut: boolean): Extent | null {
    const values = this.values();
    if (!values.length) return null;
    const inner = cut ? percentiles(values) : null;
    if (inner && inner[0] < inner[1]) return inner;
    let [low, high] = [Infinity, -Infinity];
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return [low, high];
  }

  beyond([low, high]: Extent): number {
    return this.values().filter((value) => value < low || value > high).length;
  }

  private values(): number[] {
    const found: number[] = [];
    for (const line of this.lines) for (const y of line.block.y) if (Number.isFinite(y) && (!this.look.log || y > 0)) found.push(y);
    return found;
  }

  draw(element: HTMLElement, width: number, height: number, range: Extent | null): void {
    this.u = new uPlot(this.options(width, height, range), joinedTables(this.tables) as uPlot.AlignedData, element);
    this.crossing = document.createElement("div");
    this.crossing.className = "m-cross";
    this.crossing.hidden = true;
    this.u.over.append(this.crossing);
    this.u.over.addEventListener("dblclick", () => this.look.window && this.zoom(null));
  }

  destroy(): void {
    this.u?.destroy();
    this.u = null;
  }

  light(ids: readonly string[] | null): void {
    const key = ids?.join(" ") ?? "";
    if (!this.u || this.lit === key) return;
    this.lit = key;
    const any = ids === null || this.owners.some((line) => line.ids.some((id) => ids.includes(id)));
    this.owners.forEach((line, at) => {
      const one = this.u?.series[at + 1];
      if (one) one.alpha = ids === null || !any || line.ids.some((id) => ids.includes(id)) ? 1 : 0.18;
    });
    this.u.redraw(false);
  }

  cross(x: number | null): void {
    const [u, line] = [this.u, this.crossing];
    if (!u || !line) return;
    const left = x === null ? -1 : u.valToPos(x, "x");
    line.hidden = !(left >= 0 && left <= u.over.clientWidth);
    if (!line.hidden) line.style.transform = `translateX(${left}px)`;
  }

  /** Everything that is seen, for a drawing of vectors. */
  drawing(): Drawing {
    const strokes = this.owners.map((line, at): Stroke => {
      const one = this.series[at + 1] as uPlot.Series;
      const band = this.bands.find(({ series }) => series[0] === at + 1);
      return { colour: String(one.stroke ?? ""), width: one.width ?? 1, dash: one.dash ?? [], fill: band ? String(band.fill) : "", dots: one.points?.show === true };
    });
    const odd = this.lines.map((line) => ({ colour: line.colour, x: notFinite(line) }));
    return { u: this.u, title: this.facet, strokes, odd };
  }

  private options(width: number, height: number, range: Extent | null): uPlot.Options {
    const axis = axisStyle();
    const { look } = this;
    const tens = { grid: { ...axis.grid, filter: onlyPowersOfTen } };
    const words = (u: uPlot, at: (number | null)[]): string[] => at.map((value) => (value === null ? "" : this.onAxis(u, value)));
    const y: uPlot.Scale = { distr: look.log ? 3 : 1 };
    if (range) y.range = padded(range, look.log);
    return {
      width,
      height,
      legend: { show: false },
      padding: [8, 12, 0, 0],
      cursor: { y: false, x: false, drag: { x: true, y: false, setScale: false }, points: { show: false } },
      scales: { x: { time: false, distr: look.logx ? 3 : 1, ...(look.window && !look.logx && { range: look.window }) }, y },
      series: this.series,
      bands: this.bands,
      axes: [
        { ...axis, size: 26, space: look.x === "time" ? 96 : 50, ...(look.logx && tens), values: words },
        { ...valueAxis(), ...(look.log && tens) },
      ],
      hooks: {
        setSelect: [(u) => u.select.width >= CLOSE && this.zoom([u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")])],
        setCursor: [(u) => pointerTip(u, this.lines, this.look, this.board)],
        draw: [(u) => this.lines.forEach((line) => line.block.notFinite && markNotFinite(u, line.block.x, line.block.y, line.colour))],
      },
    };
  }

  private onAxis(u: uPlot, value: number): string {
    if (this.look.x === "relative") return `${figure(value / 1000)} s`;
    if (this.look.x === "time") return clockOnAxis(value, (u.scales.x?.max ?? 0) - (u.scales.x?.min ?? 0));
    return figure(value);
  }
}

function notFinite(line: Drawn): number[] {
  const found: number[] = [];
  if (line.block.notFinite) line.block.y.forEach((y, at) => Number.isFinite(y) || found.push(line.block.x[at] as number));
  return found;
}

function padded([low, high]: Extent, log: boolean): Extent {
  if (low === high) return log ? [low / 2, low * 2] : [low - 1, high + 1];
  if (log) return [Math.max(low, Number.MIN_VALUE), high];
  const pad = (high - low) * 0.04;
  return [low - pad, high + pad];
}

