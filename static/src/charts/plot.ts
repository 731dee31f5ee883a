// One curve of one run in one <div data-curve="address">. The server thins it to what the width can show and keeps each
// bucket's lowest and highest point; zooming asks again for the window in view.
import uPlot from "uplot";
import { clock, exact, figure } from "./format";
import { axisStyle, clockOnAxis, css, markNotFinite, onlyPowersOfTen, tipOf, valueAxis } from "./marks";
import { fetchCurve, type Curve } from "./payload";
import { smooth } from "./smooth";

export interface Look {
  x: "step" | "time" | "relative";
  log: boolean;
  smoothing: number;
}

const ENOUGH_TO_SMOOTH = 30;

export class CurvePlot {
  private readonly element: HTMLElement;
  private look: Look;
  private curve: Curve | null = null;
  private plot: uPlot | null = null;
  private loading: AbortController | null = null;
  private window: [number, number] | null = null;
  private start = 0;
  private stale = true;

  constructor(element: HTMLElement, look: Look) {
    this.element = element;
    this.look = look;
  }

  /** Takes a new look; reads again only where the server's answer depends on it. */
  async show(look: Look): Promise<void> {
    const again = this.stale || look.x !== this.look.x;
    this.look = look;
    if (again) {
      this.window = null;
      await this.load();
    } else this.draw();
  }

  /** Reads again what is shown, for a run that goes on. A zoomed window stays as it is: nothing moves under the hand. */
  async refresh(): Promise<void> {
    if (!this.window && !this.loading && this.curve) await this.load(true);
  }

  redraw(): void {
    if (this.curve) this.draw();
  }

  private address(): string {
    const address = new URL(this.element.dataset.curve ?? "", location.href);
    address.searchParams.set("x", this.look.x === "step" ? "step" : "time");
    address.searchParams.set("buckets", String(Math.max(60, Math.round(this.element.clientWidth / 2))));
    if (this.window) {
      address.searchParams.set("from", String(this.window[0] + this.start));
      address.searchParams.set("to", String(this.window[1] + this.start));
    }
    return address.href;
  }

  private async load(quietly = false): Promise<void> {
    this.loading?.abort();
    const mine = new AbortController();
    this.loading = mine;
    if (!quietly) this.element.setAttribute("aria-busy", "true");
    try {
      this.curve = await fetchCurve(this.address(), mine.signal);
      if (!this.window) this.start = this.look.x === "relative" ? (this.curve.x[0] ?? 0) : 0;
      this.stale = false;
      this.draw();
    } catch (error) {
      if (!mine.signal.aborted && !quietly) this.say(error instanceof Error ? error.message : "The curve did not come.");
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

  private draw(): void {
    const curve = this.curve;
    if (!curve) return;
    const drawable = (y: number): boolean => Number.isFinite(y) && (!this.look.log || y > 0);
    const raw = Array.from(curve.y, (y) => (drawable(y) ? y : null));
    if (!raw.some((y) => y !== null)) return this.say(this.nothing(curve));
    const x = Array.from(curve.x, (value) => value - this.start);
    const smoothed = this.smooths(curve) ? smooth(raw, this.look.smoothing) : null;
    this.plot?.destroy();
    this.element.replaceChildren();
    this.element.classList.remove("m-chart-empty");
    this.plot = new uPlot(this.options(curve, smoothed !== null, x), smoothed ? [x, raw, smoothed] : [x, raw], this.element);
    this.tell(curve, raw);
  }

  private smooths(curve: Curve): boolean {
    return this.look.smoothing > 0 && curve.x.length >= ENOUGH_TO_SMOOTH;
  }

  private nothing(curve: Curve): string {
    if (!curve.x.length) return "No points in this window.";
    const finite = curve.y.some((y) => Number.isFinite(y));
    return finite ? "No value above 0: nothing to draw on a log axis." : "Only NaN or infinite values.";
  }

  private options(curve: Curve, smoothed: boolean, x: number[]): uPlot.Options {
    const slot = Number(this.element.dataset.slot ?? 1);
    const colour = css(`--run-${slot}`);
    const line = { stroke: colour, width: smoothed || x.length < 200 ? 2 : 1.25, points: { show: true, size: 6, fill: colour, filter: (u: uPlot, index: number) => isolated(u.data[index] ?? []) } };
    const behind = { stroke: `${colour}40`, width: 1, points: { show: false } };
    const axis = axisStyle();
    const log = this.look.log;
    return {
      width: this.element.clientWidth,
      height: this.element.clientHeight,
      legend: { show: false },
      padding: [8, 12, 0, 0],
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
      scales: { x: { time: false, range: this.xRange(x) }, y: { distr: log ? 3 : 1 } },
      series: smoothed ? [{}, behind, line] : [{}, line],
      axes: [
        { ...axis, size: 26, space: this.look.x === "time" ? 96 : 50, values: (_, at) => at.map((value) => this.xWords(value, true)) },
        { ...valueAxis(), ...(log && { grid: { ...axis.grid, filter: onlyPowersOfTen } }) },
      ],
      hooks: {
        setSelect: [(u) => this.zoom(u)],
        draw: [(u) => curve.notFinite && markNotFinite(u, x, curve.y, colour)],
        setCursor: [(u) => this.point(u)],
        ready: [(u) => u.over.addEventListener("dblclick", () => this.unzoom())],
      },
    };
  }

  private xRange(x: number[]): uPlot.Scale.Range {
    if (this.window) return this.window;
    const [low, high] = [x[0] ?? 0, x[x.length - 1] ?? 1];
    return low === high ? [low - 1, high + 1] : [low, high];
  }

  private xWords(value: number, short = false): string {
    if (this.look.x === "time") return short ? this.clockOnAxis(value) : `${clock(value)} UTC`;
    if (this.look.x === "relative") return `${figure(value / 1000)} s`;
    return short ? figure(value) : `step ${exact(value)}`;
  }

  private clockOnAxis(value: number): string {
    const x = this.curve?.x ?? new Float64Array();
    const [low, high] = this.window ?? [x[0] ?? 0, x[x.length - 1] ?? 0];
    return clockOnAxis(value, high - low);
  }

  private zoom(u: uPlot): void {
    if (u.select.width < 4) return;
    this.window = [u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")];
    void this.load();
  }

  private unzoom(): void {
    if (!this.window) return;
    this.window = null;
    void this.load();
  }

  private point(u: uPlot): void {
    const tip = tipOf(this.element);
    const at = u.cursor.idx;
    const y = at === null || at === undefined ? null : this.curve?.y[at];
    if (at === null || at === undefined || y === null || y === undefined) {
      tip.hidden = true;
      return;
    }
    tip.textContent = `${exact(y)} @ ${this.xWords(u.data[0][at] ?? 0)}`;
    tip.hidden = false;
    const left = (u.cursor.left ?? 0) + 56;
    tip.style.left = `${Math.min(left + 8, this.element.clientWidth - tip.offsetWidth - 4)}px`;
    tip.style.top = "4px";
  }

  private tell(curve: Curve, raw: (number | null)[]): void {
    const place = this.element.dataset.notice ? document.getElementById(this.element.dataset.notice) : null;
    if (!place) return;
    const words = [
      curve.sampled ? `${exact(curve.x.length)} of ${exact(curve.total)} points, sampled, min and max kept` : `all ${exact(curve.total)} ${curve.total === 1 ? "point" : "points"}`,
    ];
    if (this.smooths(curve)) words.unshift(`EMA ${this.look.smoothing.toFixed(2)}`);
    if (curve.notFinite) words.push(`${exact(curve.notFinite)} NaN or infinite`);
    const below = this.look.log ? raw.filter((y, i) => y === null && Number.isFinite(curve.y[i])).length : 0;
    if (below) words.push(`${exact(below)} not above 0`);
    if (this.window) words.push("zoomed, double-click to go back");
    place.textContent = words.join(" · ");
  }
}

/** Values between gaps: no line reaches them, so each gets a dot. */
function isolated(values: ArrayLike<number | null | undefined>): number[] {
  const found: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const [before, here, after] = [values[i - 1], values[i], values[i + 1]];
    if (here != null && before == null && after == null) found.push(i);
  }
  return found;
}
