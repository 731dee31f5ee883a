// One panel: its bar, its picture, the notice below, the brushed runs and the table of what is drawn. Reads the points
// that its spec asks for, and draws again when the spec, the brush, the size or the theme changes.
import type { Row } from "../charts/saving";
import { make } from "../charts/swatch";
import { BarPlot } from "./bar";
import { BoxPlot } from "./box";
import { brushed, inWords } from "./brush";
import { PanelBar } from "./controls";
import type { Linked, Panel } from "./index";
import { ParallelPlot } from "./parallel";
import type { Acts, Plot } from "./plot";
import { addressOf, fetchPoints, fieldsOf, labelOf, type Points } from "./points";
import { ScatterPlot } from "./scatter";
import type { PanelSpec } from "./spec";
import { DataTable, HeldRuns, rowsOf } from "./tables";

const PLOTS: Record<string, new (area: HTMLElement, acts: Acts) => Plot> = { parallel: ParallelPlot, scatter: ScatterPlot, box: BoxPlot, bar: BarPlot };

export class Frame implements Panel {
  private readonly scroll = make("div", { class: "m-plot-scroll" });
  private readonly area = make("div", { class: "m-plot-area" });
  private readonly notice = make("p", { class: "m-plot-notice" });
  private readonly bar: PanelBar;
  private readonly heldRuns: HeldRuns;
  private readonly data: DataTable;
  private readonly ends = new AbortController();
  private readonly watch: ResizeObserver;
  private plot: Plot | null = null;
  private points: Points | null = null;
  private loading: AbortController | null = null;
  private reading: Promise<void> = Promise.resolve();
  private hidden = new Set<string>();
  private shown: number[] = [];
  private waiting = 0;
  private width = 0;
  private drawn = "";
  private besides = 0;

  constructor(
    private readonly root: HTMLElement,
    private spec: PanelSpec,
    private readonly source: string,
    private readonly linked: Linked,
  ) {
    root.classList.add("m-plot");
    root.dataset.kind = spec.kind;
    if (root.getAttribute("role") === "img") root.setAttribute("role", "group"); // has parts of its own to tab to
    this.hidden = new Set(new URL(source, location.href).searchParams.getAll("hide"));
    this.bar = new PanelBar((next) => this.change(next), () => this.offered());
    this.heldRuns = new HeldRuns(() => this.brush(undefined, true), (run) => this.light(run));
    this.data = new DataTable();
    this.notice.setAttribute("role", "status");
    this.area.tabIndex = 0;
    this.area.setAttribute("role", "group");
    this.scroll.append(this.area);
    root.append(this.bar.element, this.scroll, this.notice, this.heldRuns.element, this.data.element);
    this.bar.show(spec, null);
    linked.onHighlight((id) => this.plot?.light(id === null ? null : this.runOf(id)));
    addEventListener("mled:theme", () => this.draw(), { signal: this.ends.signal });
    this.measure();
    this.watch = new ResizeObserver(() => this.resized());
    this.watch.observe(root);
    this.reading = this.load();
  }

  destroy(): void {
    this.ends.abort();
    this.watch.disconnect();
    this.loading?.abort();
    this.plot?.destroy();
    this.root.replaceChildren();
    this.root.classList.remove("m-plot");
  }

  resize(): void {
    this.measure();
    this.draw();
  }

  ready(): Promise<void> {
    return this.reading;
  }

  async picture(kind: "png" | "svg"): Promise<Blob> {
    if (!this.plot || !this.points) throw new Error("Nothing is drawn yet.");
    const brush = this.spec.brush ? [`brushed: ${inWords(this.points, this.spec.brush)}`] : [];
    const said = [titleOf(this.spec, this.points), ...brush, ...this.plot.notices()];
    return this.plot.file(kind, said.filter((words) => !words.startsWith("drag")).join(" · "));
  }

  rows(): Row[] {
    return this.points ? rowsOf(this.points, this.shown) : [];
  }

  show(spec: PanelSpec): void {
    this.change(spec);
  }

  hide(runIds: Iterable<string>): void {
    this.hidden = new Set(runIds);
    this.draw();
  }

  private resized(): void {
    if (Math.abs(this.root.clientWidth - this.width) < 1) return;
    this.resize();
  }

  /** The picture's height is fixed once, so that what comes below it does not make it smaller. */
  private measure(): void {
    const below = [this.heldRuns.element, this.data.element];
    const were = below.map((element) => element.hidden);
    for (const element of below) element.hidden = true;
    this.scroll.style.flex = "";
    this.scroll.style.height = "";
    const height = this.scroll.clientHeight;
    if (height > 0) {
      this.scroll.style.flex = "none";
      this.scroll.style.height = `${height}px`;
    }
    below.forEach((element, at) => (element.hidden = were[at] ?? false));
    this.width = this.root.clientWidth;
  }

  private async load(): Promise<void> {
    this.loading?.abort();
    const mine = new AbortController();
    this.loading = mine;
    this.area.setAttribute("aria-busy", "true");
    try {
      this.points = await fetchPoints(addressOf(this.source, fieldsOf(this.spec)), mine.signal);
      this.area.removeAttribute("aria-busy");
      this.draw();
    } catch (error) {
      if (mine.signal.aborted) return;
      this.area.removeAttribute("aria-busy");
      this.say(error instanceof Error ? error.message : "The points did not come.");
    }
  }

  private async offered(): Promise<Points> {
    return fetchPoints(addressOf(this.source, fieldsOf(this.spec), true));
  }

  private say(words: string): void {
    this.plot?.destroy();
    this.plot = null;
    this.area.textContent = words;
    this.area.classList.add("m-chart-empty");
  }

  private draw(): void {
    const { points } = this;
    if (!points) return;
    this.shown = points.runs.flatMap((run, at) => (this.hidden.has(run.id) ? [] : [at]));
    if (!points.runs.length) return this.say("No run matches.");
    if (this.drawn !== this.spec.kind) this.say("");
    this.area.classList.remove("m-chart-empty");
    if (!this.plot) this.area.replaceChildren();
    this.plot ??= this.make();
    this.drawn = this.spec.kind;
    this.root.dataset.kind = this.spec.kind;
    const wide = this.spec.kind === "parallel" ? ParallelPlot.widthFor(this.spec.fields?.length ?? 0) : 0;
    this.area.style.width = wide > this.scroll.clientWidth ? `${wide}px` : "";
    const held = brushed(points, this.shown, this.spec.brush);
    this.plot.show({ points, spec: this.spec, shown: this.shown, held: held && new Set(held) });
    this.area.setAttribute("aria-label", `${titleOf(this.spec, points)}. Arrow keys go from run to run, Enter opens one.`);
    this.bar.show(this.spec, points);
    this.tell(points, held);
    this.settle();
  }

  /** Once the notice and the bar stand, the picture takes what is left: only then its height is known. */
  private settle(): void {
    const besides = this.bar.element.offsetHeight + this.notice.offsetHeight;
    if (besides === this.besides) return;
    const first = this.besides === 0;
    this.besides = besides;
    if (first) this.resize();
  }

  /** While a brush moves: the picture, and how many it holds. The list follows when it is let go. */
  private drawHeld(): void {
    const { points, plot } = this;
    if (!points || !plot) return;
    const held = brushed(points, this.shown, this.spec.brush);
    plot.showHeld({ points, spec: this.spec, shown: this.shown, held: held && new Set(held) });
    this.heldRuns.say(points, this.shown, held, this.spec.brush ?? {});
  }

  private make(): Plot {
    const kind = PLOTS[this.spec.kind] ?? ScatterPlot;
    return new kind(this.area, {
      light: (run) => this.light(run),
      brush: (brush, done) => this.brush(brush, done),
      change: (spec) => this.change(spec),
      open: (run) => location.assign(this.points?.runs[run]?.url ?? ""),
    });
  }

  private tell(points: Points, held: number[] | null): void {
    const words = this.plot?.notices() ?? [];
    if (points.cut) words.unshift(`the first ${points.runs.length.toLocaleString("en-US")} of ${points.total} runs`);
    this.setNotice(words.join(" · "));
    this.heldRuns.show(points, this.shown, held, this.spec.brush ?? {});
    this.data.show(points, this.shown);
    this.linked.onBrush?.(held && held.map((run) => points.runs[run]?.id ?? ""));
  }

  private setNotice(words: string): void {
    const said = words.charAt(0).toUpperCase() + words.slice(1);
    if (this.notice.textContent !== said) this.notice.textContent = said;
  }

  private light(run: number | null): void {
    this.plot?.light(run);
    this.linked.highlight(run === null ? null : (this.points?.runs[run]?.id ?? null));
  }

  private runOf(id: string): number | null {
    const at = this.points?.runs.findIndex((run) => run.id === id) ?? -1;
    return at < 0 ? null : at;
  }

  private brush(brush: Record<string, string[]> | undefined, done: boolean): void {
    const { brush: _, ...rest } = this.spec;
    this.spec = brush ? { ...rest, brush } : rest;
    if (done) {
      this.linked.onSpec?.(this.spec);
      this.draw();
    } else if (!this.waiting) {
      this.waiting = requestAnimationFrame(() => {
        this.waiting = 0;
        this.drawHeld();
      });
    }
  }

  private change(next: PanelSpec): void {
    const drawn = new Set(fieldsOf({ ...next, brush: {} }));
    const brush = Object.fromEntries(Object.entries(next.brush ?? {}).filter(([key]) => drawn.has(key)));
    const { brush: _, ...rest } = next;
    this.spec = Object.keys(brush).length ? { ...rest, brush } : rest;
    this.linked.onSpec?.(this.spec);
    const known = new Set(this.points?.fields.map((field) => field.key));
    if (fieldsOf(this.spec).every((key) => known.has(key))) this.draw();
    else this.reading = this.load();
  }
}

/** What a panel shows, as its title says it. */
export function titleOf(spec: PanelSpec, points: Points | null): string {
  if (spec.title) return spec.title;
  const label = (key: string | undefined): string => (key ? labelOf(key, points?.fields.find((field) => field.key === key)) : "");
  switch (spec.kind) {
    case "parallel":
      return `Parallel coordinates of ${(spec.fields ?? []).map(label).join(", ") || "no fields"}`;
    case "box":
      return `${label(spec.y)} by ${label(spec.x)}`;
    case "bar":
      return spec.x ? `${label(spec.y)} by ${label(spec.x)}` : `${label(spec.y)} of each run`;
    default:
      return `${label(spec.y)} against ${label(spec.x)}`;
  }
}
