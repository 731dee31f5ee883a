// What every kind of panel does alike: canvases that follow the size of their place, pointing at a run, stepping from
// run to run by keys, and one way to paint for the screen and for a file.
import { tipOf } from "../charts/marks";
import { themeNow, type Theme } from "./colours";
import { CanvasPen, drawnFile, fitted, type Pen } from "./pen";
import { labelOf, wordsOf, type Field, type Points } from "./points";
import type { PanelSpec } from "./spec";

export interface Stage {
  points: Points;
  spec: PanelSpec;
  /** The runs that are drawn: all but those that the page's eyes hide. */
  shown: number[];
  /** Of those, the runs that the brush holds; null without a brush. */
  held: Set<number> | null;
}

export interface Acts {
  light(run: number | null): void;
  /** A brush as it changes; done: let go. undefined: none. */
  brush(brush: Record<string, string[]> | undefined, done: boolean): void;
  change(spec: PanelSpec): void;
  open(run: number): void;
}

export interface Rect {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const TITLE = 22; // pixels for the title of a file

export abstract class Plot {
  protected readonly base: HTMLCanvasElement;
  protected readonly top: HTMLCanvasElement;
  protected theme: Theme = themeNow();
  protected width = 0;
  protected height = 0;
  protected lit: number | null = null;
  protected stage!: Stage;
  private readonly ends = new AbortController();

  constructor(
    protected readonly area: HTMLElement,
    protected readonly acts: Acts,
  ) {
    this.base = this.canvas("m-plot-base");
    this.base.setAttribute("role", "img");
    this.top = this.canvas("m-plot-top");
    this.top.setAttribute("aria-hidden", "true");
    this.listen("pointermove", (event) => this.pointed(event));
    this.listen("pointerleave", () => this.left());
    this.listen("click", (event) => this.clicked(event));
    this.listen("keydown", (event) => this.pressed(event));
  }

  show(stage: Stage): void {
    this.stage = stage;
    this.theme = themeNow();
    this.width = this.area.clientWidth;
    this.height = this.heightFor(stage) ?? this.area.clientHeight;
    if (this.width < 40 || this.height < 40) return;
    this.fit(this.base);
    this.fit(this.top);
    this.base.setAttribute("aria-label", this.sentence());
    const pen = this.pen(this.base);
    this.layout(pen, this.width, this.height);
    this.paintScreen(pen);
    this.paintTop();
  }

  /** Draws a brush that is still moving; kinds that can do it quicker do. */
  showHeld(stage: Stage): void {
    this.show(stage);
  }

  light(run: number | null): void {
    if (this.lit === run) return;
    this.lit = run;
    if (this.stage) this.paintTop();
  }

  destroy(): void {
    this.ends.abort();
    this.area.replaceChildren();
  }

  /** The panel as a file, with its title. */
  file(kind: "png" | "svg", title: string): Promise<Blob> {
    const foot = this.fileHeight();
    return drawnFile(kind, this.width, foot + TITLE, this.theme.font, title, (pen) => {
      pen.rect(0, 0, this.width, foot + TITLE, { fill: this.theme.surface });
      this.paintFile(pen);
      pen.text(12, foot + TITLE / 2 - 4, fitted(pen, title, this.width - 24), { colour: this.theme.quiet, weight: 600 });
    });
  }

  /** What stands below the picture: methods, numbers of runs, what is left out. */
  abstract notices(): string[];
  /** What the picture shows, for who does not see it. */
  protected abstract sentence(): string;
  protected abstract layout(pen: Pen, width: number, height: number): void;
  protected abstract paint(pen: Pen): void;
  /** The run at a place of the area, if one is near. */
  protected abstract nearest(x: number, y: number): number | null;
  /** Runs in the order in which arrow keys step through them. */
  protected abstract order(): number[];
  /** Draws what changes quickly: the run that is pointed at, a brush. */
  protected abstract paintTop(): void;
  /** Where a run stands, for the tip. */
  protected abstract spot(run: number): [number, number] | null;

  /** The height that this kind needs, where it does not take what it gets. */
  protected heightFor(_: Stage): number | null {
    return null;
  }

  /** Of that, how much a file needs. */
  protected fileHeight(): number {
    return this.height;
  }

  protected paintScreen(pen: Pen): void {
    this.paint(pen);
  }

  protected paintFile(pen: Pen): void {
    this.paint(pen);
  }

  protected field(key: string | undefined): Field | undefined {
    return this.stage.points.fields.find((one) => one.key === key);
  }

  protected label(field: Field | undefined): string {
    if (!field) return "";
    const way = { higher: " ↑", lower: " ↓", "": "" }[field.better];
    return labelOf(field.key, field) + way;
  }

  protected pen(canvas: HTMLCanvasElement): CanvasPen {
    const ctx = canvas.getContext("2d") as CanvasRenderingContext2D;
    const ratio = devicePixelRatio || 1;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, this.width, this.height);
    return new CanvasPen(ctx, this.theme.font);
  }

  protected canvas(kind: string): HTMLCanvasElement {
    const canvas = document.createElement("canvas");
    canvas.className = kind;
    this.area.append(canvas);
    return canvas;
  }

  protected fit(canvas: HTMLCanvasElement): void {
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(this.width * ratio);
    canvas.height = Math.round(this.height * ratio);
    canvas.style.width = `${this.width}px`;
    canvas.style.height = `${this.height}px`;
  }

  protected listen<K extends keyof HTMLElementEventMap>(name: K, act: (event: HTMLElementEventMap[K]) => void): void {
    this.area.addEventListener(name, act, { signal: this.ends.signal });
  }

  /** A place of the area, in its own pixels. */
  protected place(event: MouseEvent): [number, number] {
    const box = this.area.getBoundingClientRect();
    return [event.clientX - box.left + this.area.scrollLeft, event.clientY - box.top + this.area.scrollTop];
  }

  protected pointed(event: PointerEvent): void {
    if (event.buttons || !this.stage) return;
    const run = this.nearest(...this.place(event));
    this.acts.light(run);
    this.tell(run, ...this.place(event));
  }

  protected left(): void {
    this.acts.light(null);
    this.tell(null, 0, 0);
  }

  /** Shows what a run says in the fields that are drawn. */
  protected tell(run: number | null, x: number, y: number): void {
    const tip = tipOf(this.area, "list");
    tip.hidden = run === null;
    this.area.classList.toggle("m-plot-on-run", run !== null);
    if (run === null) return;
    const { points } = this.stage;
    const rows = points.fields.map((field) => row("", `${labelOf(field.key, field)}: ${wordsOf(field, run)}`));
    tip.replaceChildren(row("near", `${points.runs[run]?.name ?? ""}  ${points.runs[run]?.id ?? ""}`), ...rows);
    const left = x + 14 + tip.offsetWidth > this.area.scrollLeft + this.area.clientWidth ? x - 14 - tip.offsetWidth : x + 14;
    tip.style.left = `${Math.max(2, left)}px`;
    tip.style.top = `${Math.max(2, Math.min(y + 12, this.height - tip.offsetHeight - 2))}px`;
  }

  protected clicked(event: MouseEvent): void {
    if (!this.stage || (event.target as Element).closest("button, [role=slider], .m-plot-strip")) return;
    const run = this.nearest(...this.place(event));
    if (run !== null) this.acts.open(run);
  }

  private pressed(event: KeyboardEvent): void {
    if (!this.stage || event.target !== this.area || event.ctrlKey || event.metaKey || event.altKey) return;
    const order = this.order();
    const at = this.lit === null ? -1 : order.indexOf(this.lit);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step && order.length) this.stepTo(order[at < 0 ? (step > 0 ? 0 : order.length - 1) : (at + step + order.length) % order.length] as number);
    else if (event.key === "Enter" && this.lit !== null) this.acts.open(this.lit);
    else if (event.key === "Escape" && this.stage.spec.brush) this.acts.brush(undefined, true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private stepTo(run: number): void {
    this.acts.light(run);
    const spot = this.spot(run);
    if (spot) this.tell(run, ...spot);
  }
}

function row(kind: string, words: string): HTMLElement {
  const line = document.createElement("div");
  if (kind) line.className = kind;
  line.textContent = words.length > 90 ? `${words.slice(0, 89)}…` : words;
  return line;
}
