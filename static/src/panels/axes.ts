// What one can take hold of in parallel coordinates: the name of each axis (a menu; dragged or moved with Shift and the
// arrow keys), the axis itself (drag to brush), and two handles that are sliders for the keyboard.
import { make } from "../charts/swatch";
import { MISSING } from "./brush";
import { spans, type Axis, type ParallelPlot } from "./parallel";
import type { Acts } from "./plot";
import { labelOf, numberWords } from "./points";
import type { PanelSpec } from "./spec";

const A_DRAG = 5;
const STEPS = 50; // of an axis of numbers, for arrow keys

interface Held {
  root: HTMLElement;
  head: HTMLButtonElement;
  strip: HTMLElement;
  handles: [HTMLElement, HTMLElement];
}

interface Drag {
  axis: Axis;
  from: number;
  low: number;
  high: number;
  how: "new" | "move" | "low" | "high";
  moved: boolean;
}

export class AxisControls {
  private readonly held = new Map<string, Held>();
  private readonly menu: HTMLElement;
  private drag: Drag | null = null;

  constructor(
    private readonly area: HTMLElement,
    private readonly plot: ParallelPlot,
    private readonly acts: Acts,
  ) {
    this.menu = make("div", { class: "m-menu-list m-headmenu m-plot-axismenu" });
    this.menu.popover = "auto";
    area.append(this.menu);
  }

  destroy(): void {
    this.held.clear();
  }

  /** Puts the controls where the axes are; those that stay keep the focus. */
  show(): void {
    const { axes } = this.plot;
    for (const [key, held] of this.held) {
      if (axes.some((axis) => axis.key === key)) continue;
      held.root.remove();
      this.held.delete(key);
    }
    axes.forEach((axis, at) => {
      const held = this.held.get(axis.key) ?? this.make(axis.key);
      this.place(held, axis, at);
      if (this.area.querySelectorAll(".m-plot-axis")[at] !== held.root) this.inOrder(axes);
    });
  }

  /** Tab goes through the axes as they are seen. */
  private inOrder(axes: Axis[]): void {
    const focused = document.activeElement;
    for (const axis of axes) {
      const root = this.held.get(axis.key)?.root;
      if (root) this.area.append(root);
    }
    if (focused instanceof HTMLElement && this.area.contains(focused)) focused.focus({ preventScroll: true });
  }

  private make(key: string): Held {
    const root = make("div", { class: "m-plot-axis" });
    root.setAttribute("role", "group");
    const head = document.createElement("button");
    head.type = "button";
    head.className = "m-plot-head";
    const strip = make("div", { class: "m-plot-strip" });
    const handles: [HTMLElement, HTMLElement] = [this.handle(key, 0), this.handle(key, 1)];
    root.append(head, strip, ...handles);
    this.area.append(root);
    const held = { root, head, strip, handles };
    this.held.set(key, held);
    this.listenToHead(head, key);
    strip.addEventListener("pointerdown", (event) => this.begins(event, key, "new"));
    strip.addEventListener("pointermove", (event) => this.moves(event));
    strip.addEventListener("pointerup", (event) => this.ends(event));
    strip.addEventListener("pointercancel", () => (this.drag = null));
    return held;
  }

  private handle(key: string, end: 0 | 1): HTMLElement {
    const handle = make("div", { class: "m-plot-handle" });
    handle.setAttribute("role", "slider");
    handle.setAttribute("aria-orientation", "vertical");
    handle.tabIndex = 0;
    handle.addEventListener("keydown", (event) => this.slides(event, key, end));
    handle.addEventListener("pointerdown", (event) => this.begins(event, key, end === 0 ? "low" : "high"));
    handle.addEventListener("pointermove", (event) => this.moves(event));
    handle.addEventListener("pointerup", (event) => this.ends(event));
    handle.addEventListener("pointercancel", () => (this.drag = null));
    return handle;
  }

  private place(held: Held, axis: Axis, at: number): void {
    const title = this.plot.title(axis);
    const half = Math.max(14, Math.min(60, this.plot.apart() / 2 - 2));
    held.root.style.left = `${axis.x - half}px`;
    held.root.style.width = `${2 * half}px`;
    held.root.setAttribute("aria-label", `${title}, axis ${at + 1} of ${this.plot.axes.length}`);
    held.head.textContent = title;
    held.head.title = `${title}: click for a menu, drag or Shift with an arrow key to move`;
    held.strip.style.top = `${this.plot.topEdge - 6}px`;
    held.strip.style.height = `${(axis.hasMissing ? this.plot.lane + 10 : this.plot.bottomEdge + 6) - this.plot.topEdge + 6}px`;
    const [low, high, missing] = this.places(axis);
    this.setHandle(held.handles[0], axis, missing ? -1 : low, `${labelOf(axis.key, axis.field)} from`);
    this.setHandle(held.handles[1], axis, high, `${labelOf(axis.key, axis.field)} to`);
    held.root.classList.toggle("brushed", this.said(axis.key) !== undefined);
  }

  private setHandle(handle: HTMLElement, axis: Axis, place: number, name: string): void {
    handle.style.top = `${this.plot.y(place < 0 ? null : place)}px`;
    handle.setAttribute("aria-label", name);
    handle.setAttribute("aria-valuemin", axis.hasMissing ? "-1" : "0");
    handle.setAttribute("aria-valuemax", "100");
    handle.setAttribute("aria-valuenow", String(place < 0 ? -1 : Math.round(place * 100)));
    handle.setAttribute("aria-valuetext", place < 0 ? "not recorded" : this.wordsAt(axis, place));
  }

  private wordsAt(axis: Axis, place: number): string {
    return axis.scale.words.length ? axis.scale.word(place)[0] : numberWords(axis.key, Number(axis.scale.number(place).toPrecision(4)));
  }

  private said(key: string): string[] | undefined {
    return this.plot.spec.brush?.[key];
  }

  /** From which to which place an axis is brushed, and whether with the runs that have no value. */
  private places(axis: Axis): [number, number, boolean] {
    const said = this.said(axis.key);
    if (!said) return [0, 1, false];
    const parts = spans(axis.scale, said);
    const half = axis.scale.words.length ? 0.5 / axis.scale.words.length : 0;
    const missing = said.includes(MISSING);
    if (!parts.length) return [0, 0, missing];
    return [(parts[0] as [number, number])[0] - half, (parts[parts.length - 1] as [number, number])[1] + half, missing];
  }

  // --- Brushing

  private axis(key: string): Axis | undefined {
    return this.plot.axes.find((axis) => axis.key === key);
  }

  /** Where a pointer is along an axis; below the axis it is -1 where there is a place for missing values. */
  private placeOf(event: PointerEvent, axis: Axis): number {
    const { topEdge, bottomEdge, lane } = this.plot;
    const y = event.clientY - this.area.getBoundingClientRect().top + this.area.scrollTop;
    if (axis.hasMissing && y > (bottomEdge + lane) / 2) return -1;
    return Math.max(0, Math.min(1, (bottomEdge - y) / (bottomEdge - topEdge)));
  }

  private begins(event: PointerEvent, key: string, how: Drag["how"]): void {
    const axis = this.axis(key);
    if (!axis || event.button !== 0) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    const from = this.placeOf(event, axis);
    const [low, high, missing] = this.places(axis);
    const inside = how === "new" && this.said(key) && !missing && from >= low && from <= high && !axis.scale.words.length;
    this.drag = { axis, from, low, high, how: inside ? "move" : how, moved: false };
    event.stopPropagation();
  }

  private moves(event: PointerEvent): void {
    const { drag } = this;
    if (!drag) return;
    event.stopPropagation();
    const at = this.placeOf(event, drag.axis);
    const pixels = Math.abs(at - drag.from) * (this.plot.bottomEdge - this.plot.topEdge);
    if (!drag.moved && pixels < A_DRAG) return;
    drag.moved = true;
    this.brush(drag.axis, ...this.dragged(drag, at), false);
  }

  private dragged(drag: Drag, at: number): [number, number] {
    if (drag.how === "low") return [at, drag.high];
    if (drag.how === "high") return [drag.low, at];
    if (drag.how === "new") return [drag.from, at];
    const by = Math.max(-drag.low, Math.min(1 - drag.high, at - drag.from));
    return [drag.low + by, drag.high + by];
  }

  private ends(event: PointerEvent): void {
    const { drag } = this;
    this.drag = null;
    if (!drag) return;
    event.stopPropagation();
    if (drag.moved) this.brush(drag.axis, ...this.dragged(drag, this.placeOf(event, drag.axis)), true);
    else if (drag.how === "new" || drag.how === "move") this.tapped(drag, event.ctrlKey || event.metaKey || event.shiftKey);
  }

  /** A click takes a word, or the runs without a value; again, or on numbers, it takes the brush away. */
  private tapped(drag: Drag, also: boolean): void {
    const { axis, from } = drag;
    const one = from < 0 ? MISSING : axis.scale.words.length ? axis.scale.word(from)[0] : null;
    const before = this.said(axis.key) ?? [];
    if (one === null) return this.set(axis.key, undefined, true);
    const had = before.includes(one);
    if (also) this.set(axis.key, had ? before.filter((word) => word !== one) : [...before, one], true);
    else this.set(axis.key, had && before.length === 1 ? undefined : [one], true);
  }

  private brush(axis: Axis, first: number, last: number, done: boolean): void {
    const [low, high] = [Math.min(first, last), Math.max(first, last)];
    const said = high < 0 ? [] : saidBetween(axis, Math.max(0, low), high);
    this.set(axis.key, low < 0 ? [...said, MISSING] : said, done);
  }

  private set(key: string, said: string[] | undefined, done: boolean): void {
    const brush = { ...this.plot.spec.brush };
    if (said?.length) brush[key] = said;
    else delete brush[key];
    this.acts.brush(Object.keys(brush).length ? brush : undefined, done);
  }

  private slides(event: KeyboardEvent, key: string, end: 0 | 1): void {
    const axis = this.axis(key);
    if (!axis || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Delete" || event.key === "Backspace" || event.key === "Escape") this.set(key, undefined, true);
    else {
      const [low, high, missing] = this.places(axis);
      const now = end === 0 ? (missing ? -1 : low) : high;
      const next = steppedTo(axis, now, event.key);
      if (next === null) return;
      if (end === 0) this.brush(axis, Math.min(next, high), high, true);
      else this.brush(axis, missing ? -1 : low, Math.max(next, low), true);
    }
    event.preventDefault();
    event.stopPropagation();
  }

  // --- The name of an axis

  private listenToHead(head: HTMLButtonElement, key: string): void {
    let from: number | null = null;
    let moved = false;
    head.addEventListener("pointerdown", (event) => {
      from = event.clientX;
      moved = false;
      head.setPointerCapture(event.pointerId);
    });
    head.addEventListener("pointermove", (event) => {
      event.stopPropagation();
      if (from === null || (!moved && Math.abs(event.clientX - from) < A_DRAG)) return;
      moved = true;
      head.style.transform = `translateX(${event.clientX - from}px)`;
    });
    head.addEventListener("pointerup", (event) => {
      head.style.transform = "";
      if (moved && from !== null) this.drop(key, event.clientX - from);
      from = null;
    });
    head.addEventListener("pointercancel", () => {
      head.style.transform = "";
      from = null;
    });
    head.addEventListener("click", (event) => {
      event.stopPropagation();
      if (!moved) this.openMenu(head, key);
    });
    head.addEventListener("keydown", (event) => this.headKey(event, key));
  }

  private headKey(event: KeyboardEvent, key: string): void {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    const order = this.plot.axes.map((axis) => axis.key);
    const at = order.indexOf(key);
    if (event.shiftKey) this.move(key, at + step);
    this.held.get(event.shiftKey ? key : (order[at + step] ?? key))?.head.focus();
    event.preventDefault();
    event.stopPropagation();
  }

  private drop(key: string, by: number): void {
    const axis = this.axis(key);
    if (!axis) return;
    const at = this.plot.axes.filter((other) => other.key !== key && other.x < axis.x + by).length;
    this.move(key, at);
  }

  private move(key: string, to: number): void {
    const order = this.plot.axes.map((axis) => axis.key).filter((one) => one !== key);
    if (to < 0 || to > order.length) return;
    order.splice(to, 0, key);
    this.acts.change({ ...this.plot.spec, fields: order });
  }

  private openMenu(head: HTMLElement, key: string): void {
    const axis = this.axis(key);
    if (!axis) return;
    const { spec } = this.plot;
    const at = this.plot.axes.indexOf(axis);
    const toggled = (name: "log" | "flip"): PanelSpec => ({ ...spec, [name]: spec[name]?.includes(key) ? spec[name].filter((one) => one !== key) : [...(spec[name] ?? []), key] });
    const entries: [string, boolean, () => void][] = [
      ...(axis.field.kind === "number" ? [["Logarithmic", !!spec.log?.includes(key), () => this.acts.change(toggled("log"))] as [string, boolean, () => void]] : []),
      ["Upside down", !!spec.flip?.includes(key), () => this.acts.change(toggled("flip"))],
      ["Colour by this", spec.color === key, () => this.acts.change({ ...spec, color: spec.color === key ? "" : key })],
      ...(at > 0 ? [["Move left", false, () => this.move(key, at - 1)] as [string, boolean, () => void]] : []),
      ...(at < this.plot.axes.length - 1 ? [["Move right", false, () => this.move(key, at + 1)] as [string, boolean, () => void]] : []),
      ...(spec.brush?.[key] ? [["Clear its brush", false, () => this.set(key, undefined, true)] as [string, boolean, () => void]] : []),
      ["Remove", false, () => this.acts.change({ ...spec, fields: spec.fields?.filter((one) => one !== key) ?? [] })],
    ];
    this.menu.replaceChildren(...entries.map(([words, on, act]) => this.entry(head, words, on, act)));
    const box = head.getBoundingClientRect();
    this.menu.style.left = `${Math.max(4, Math.min(box.left, innerWidth - 190))}px`;
    this.menu.style.top = `${box.bottom + 4}px`;
    this.menu.showPopover();
    this.menu.querySelector("button")?.focus();
  }

  private entry(head: HTMLElement, words: string, on: boolean, act: () => void): HTMLElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "m-menu-act";
    button.textContent = words;
    if (on) button.setAttribute("aria-current", "true");
    button.addEventListener("click", (event) => {
      event.stopPropagation();
      this.menu.hidePopover();
      head.focus();
      act();
    });
    return button;
  }
}

/** What a brush between two places of an axis says: words, or from and to, open at the ends of the axis. */
function saidBetween(axis: Axis, low: number, high: number): string[] {
  const { scale } = axis;
  if (scale.words.length) {
    const half = 0.5 / scale.words.length;
    return scale.words.filter((word) => {
      const place = scale.of(word) as number;
      return place + half > low + 1e-9 && place - half < high - 1e-9;
    });
  }
  const end = (place: number): [number, string] => [scale.number(place), place <= 0.001 || place >= 0.999 ? "" : String(Number(scale.number(place).toPrecision(5)))];
  return [end(low), end(high)].sort((a, b) => a[0] - b[0]).map(([, text]) => text);
}

/** Where a key takes an end of a brush from a place; null for other keys. */
function steppedTo(axis: Axis, now: number, key: string): number | null {
  const step = axis.scale.words.length ? 1 / axis.scale.words.length : 1 / STEPS;
  const by = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 }[key];
  if (key === "Home") return axis.hasMissing ? -1 : 0;
  if (key === "End") return 1;
  if (by === undefined) return null;
  if (now < 0) return by > 0 ? 0 : -1;
  const next = now + by * step;
  return next < -1e-9 && axis.hasMissing ? -1 : Math.max(0, Math.min(1, next));
}
