// The charts of one page: their cells, the eyes of the list, and what lights up where. Its state is the address.
import { formOf } from "../page/posting";
import { specText, parseSpec, type PanelSpec } from "../panels/spec";
import { asked, change } from "./address";
import { showBar, Watched } from "./bar";
import type { Board, Cell, Extent, Shown } from "./board";
import { ChartPlace, PanelPlace } from "./cells";
import { exportAll, exportOne, type Exported } from "./exporting";
import { fullScreen, type Full } from "./full";
import { movable, sizable, type Moves } from "./grid";
import { ImportancePanel } from "./importance";
import { LinePanel } from "./line_panel";
import { groupId } from "./lines";
import { lookOf } from "./look";
import type { Model } from "./model";
import { PointPanel } from "./point_panel";
import type { Kind } from "./saving";

export type Held = PanelPlace | ChartPlace;
const EXPORTED_MAX = 60;
const PANELS_MAX = 50;

export class Workspace implements Board {
  hidden = new Set<string>();
  private readonly watched = new Watched((element) => this.draw(element));
  private readonly held = new Map<HTMLElement, Held>();
  private readonly shown = new Map<Held, Shown>();
  private readonly ranges = new Map<string, Map<string, Extent>>();
  private readonly full: Full;
  private own: PanelPlace[] = [];
  private made = 0;
  private waiting = 0;

  constructor(
    private readonly root: HTMLElement,
    readonly model: Model,
  ) {
    this.full = fullScreen(() => this.figures(), (figure) => this.resized(figure));
    for (const figure of root.querySelectorAll<HTMLElement>("[data-metric]")) {
      const section = figure.closest<HTMLElement>("[data-section]")?.dataset.section ?? "";
      this.hold(new ChartPlace(figure, figure.dataset.metric ?? "", section));
    }
    this.restate();
  }

  end(): void {
    this.watched.end();
    for (const shown of this.shown.values()) shown.destroy();
    this.shown.clear();
  }

  /** Shows what the address says now. */
  restate(): void {
    showBar(asked());
    this.ranges.clear();
    this.readEyes();
    this.readPanels();
    for (const place of this.held.values()) place.fit();
    for (const element of this.watched.inView) this.draw(element);
  }

  redraw(): void {
    for (const element of this.watched.inView) this.shownIn(element)?.redraw();
  }

  /** Reads again what is in view, for runs that go on. */
  async refresh(): Promise<void> {
    await Promise.all([...this.watched.inView].map((element) => this.shownIn(element)?.refresh?.()));
  }

  // The board

  axis(): string {
    return lookOf(asked()).x;
  }

  zoom(window: Extent | null): void {
    change({ xfrom: window && String(window[0]), xto: window && String(window[1]) });
    this.restate();
  }

  light(ids: readonly string[] | null): void {
    for (const item of this.rows()) item.toggleAttribute("data-lit", ids !== null && ids.includes(this.idOf(item)));
    for (const element of this.watched.inView) this.shownIn(element)?.light(ids);
  }

  cross(x: number | null, axis: string): void {
    for (const element of this.watched.inView) this.shownIn(element)?.cross?.(x, axis);
  }

  shared(cell: Cell, own: Extent | null): Extent | null {
    const known = this.ranges.get(cell.section) ?? new Map<string, Extent>();
    this.ranges.set(cell.section, known);
    const before = String(joined(known));
    if (own) known.set(cell.id, own);
    else known.delete(cell.id);
    const now = joined(known);
    if (String(now) !== before && known.size > 1 && !this.waiting) {
      this.waiting = requestAnimationFrame(() => {
        this.waiting = 0;
        for (const [element, place] of this.held) if (place.section === cell.section && this.watched.inView.has(element)) this.shown.get(place)?.redraw();
      });
    }
    return now;
  }

  // Eyes

  private rows(): NodeListOf<HTMLElement> {
    return this.root.querySelectorAll<HTMLElement>("[data-place]");
  }

  idOf(item: HTMLElement): string {
    const ref = item.dataset.ref ?? "";
    return this.root.hasAttribute("data-grouped") ? groupId(ref) : ref;
  }

  private readEyes(): void {
    const state = asked();
    const listed = (name: string): Set<string> => new Set(state.getAll(name).flatMap((text) => text.split(",")));
    const [hide, show] = [listed("hide"), listed("show")];
    const count = this.model.count ?? Infinity;
    const off = this.model.runs.filter((run, place) => hide.has(run.ref) || (place >= count && !show.has(run.ref))).map((run) => run.ref);
    this.hidden = new Set([...off, ...state.getAll("off").map(groupId)]);
    let drawn = 0;
    for (const item of this.rows()) {
      const on = !this.hidden.has(this.idOf(item));
      drawn += Number(on);
      item.querySelector(".m-eye")?.setAttribute("aria-pressed", String(on));
      item.toggleAttribute("data-off", !on);
    }
    const shown = document.getElementById("lines-shown");
    const every = this.rows().length;
    if (shown) shown.textContent = drawn === every ? String(every) : `${drawn} of ${every} drawn`;
  }

  turnEye(item: HTMLElement): void {
    const ref = item.dataset.ref ?? "";
    const state = asked();
    const on = !this.hidden.has(this.idOf(item));
    const flipped = (name: string, listed: boolean): string[] => [...state.getAll(name).flatMap((text) => text.split(",")).filter((one) => one !== ref), ...(listed ? [ref] : [])];
    if (this.root.hasAttribute("data-grouped")) {
      change({ off: [...state.getAll("off").filter((one) => one !== ref), ...(on ? [ref] : [])] });
    } else {
      const first = Number(item.dataset.place) < (this.model.count ?? Infinity);
      change({ hide: flipped("hide", on && first), show: flipped("show", !on && !first) });
    }
    this.restate();
  }

  // Cells

  private hold(place: Held): void {
    this.held.set(place.chart, place);
    const moves: Moves = { moved: (figures) => this.reorder(figures), resized: (one) => this.shown.get(one)?.redraw(), say };
    if (place instanceof PanelPlace) movable(place, moves);
    sizable(place, moves);
    this.watched.add(place.chart);
  }

  private release(place: Held): void {
    this.watched.remove(place.chart);
    this.held.delete(place.chart);
    this.shown.get(place)?.destroy();
    this.shown.delete(place);
    place.figure.remove();
  }

  placeOf(element: Element): Held | null {
    const chart = element.closest("figure")?.querySelector<HTMLElement>("[data-chart]");
    return chart ? (this.held.get(chart) ?? null) : null;
  }

  private shownIn(element: HTMLElement): Shown | undefined {
    const place = this.held.get(element);
    return place && this.shown.get(place);
  }

  private draw(element: HTMLElement): void {
    const place = this.held.get(element);
    if (place) void this.shownOf(place).show();
  }

  private shownOf(place: Held): Shown {
    const known = this.shown.get(place);
    if (known) return known;
    const kind = place instanceof ChartPlace ? "line" : place.own().kind;
    const made =
      kind === "line"
        ? new LinePanel(place.chart, place, this)
        : kind === "importance"
          ? new ImportancePanel(place.chart, place, this.model)
          : new PointPanel(place.chart, place as PanelPlace, this);
    this.shown.set(place, made);
    return made;
  }

  private resized(figure: HTMLElement): void {
    const place = this.placeOf(figure);
    if (place) this.shown.get(place)?.redraw();
  }

  private figures(): HTMLElement[] {
    return [...this.root.querySelectorAll<HTMLElement>(".m-chartcell")].filter((figure) => !figure.hidden && figure.closest<HTMLDetailsElement>("details[data-section]")?.open !== false);
  }

  // Panels of the reader's own

  private get box(): HTMLElement | null {
    return document.getElementById("own-panels");
  }

  private readPanels(): void {
    const { box } = this;
    if (!box) return;
    const specs = asked().getAll("panel").flatMap((text) => parseSpec(text) ?? []).slice(0, PANELS_MAX);
    const left = [...this.own];
    const now = specs.map((spec) => {
      const text = specText(spec);
      const same = left.findIndex((place) => specText(place.own()) === text);
      const at = same >= 0 ? same : left.findIndex((place) => place.own().kind === spec.kind && !specs.some((one) => specText(one) === specText(place.own())));
      const [place] = at >= 0 ? left.splice(at, 1) : [];
      if (!place) return this.newPanel(spec);
      if (same < 0) this.retake(place, spec);
      return place;
    });
    for (const place of left) this.release(place);
    this.own = now;
    now.forEach((place, at) => box.children[at] !== place.figure && !place.figure.closest("dialog") && box.insertBefore(place.figure, box.children[at] ?? null));
    box.hidden = now.length === 0;
    for (const place of now) named(place);
  }

  private newPanel(spec: PanelSpec): PanelPlace {
    const template = document.getElementById("cell-template") as HTMLTemplateElement;
    const figure = template.content.firstElementChild?.cloneNode(true) as HTMLElement;
    this.box?.append(figure);
    const place = new PanelPlace(`panel ${++this.made}`, figure, spec, () => this.keepPanels());
    this.hold(place);
    return place;
  }

  /** Panels that keep their own state are made anew where the address says another; curves read what they miss. */
  private retake(place: PanelPlace, spec: PanelSpec): void {
    place.take(spec);
    if (spec.kind !== "line" && spec.kind !== "importance") {
      this.shown.get(place)?.destroy();
      this.shown.delete(place);
      if (this.watched.inView.has(place.chart)) this.draw(place.chart);
    }
  }

  private keepPanels(): void {
    change({ panel: this.own.map((place) => specText(place.own())) });
    this.restate();
  }

  private reorder(figures: HTMLElement[]): void {
    this.own.sort((a, b) => figures.indexOf(a.figure) - figures.indexOf(b.figure));
    this.keepPanels();
  }

  addPanel(spec: PanelSpec, after?: Held): void {
    const at = after instanceof PanelPlace ? this.own.indexOf(after) + 1 : this.own.length;
    const texts = this.own.map((place) => specText(place.own()));
    texts.splice(at, 0, specText(spec));
    change({ panel: texts });
    this.restate();
    const figure = this.own[at]?.figure;
    figure?.scrollIntoView({ block: "nearest" });
    figure?.querySelector<HTMLElement>("summary")?.focus();
    say(`Panel ${this.own[at]?.title() ?? ""} added`);
  }

  removePanel(place: PanelPlace): void {
    const title = place.title();
    this.own = this.own.filter((one) => one !== place);
    this.release(place);
    this.keepPanels();
    say(`Panel ${title} removed; Ctrl Z brings it back`);
  }

  openFull(place: Held): void {
    this.full.open(place.figure);
  }

  // Files

  async export(kind: Kind): Promise<void> {
    const places = this.figures().flatMap((figure) => this.placeOf(figure) ?? []).slice(0, EXPORTED_MAX);
    const all = await Promise.all(places.map((place) => this.ready(place)));
    if (kind === "csv" && !(await this.noted(`${all.length} charts`))) return;
    const left = await exportAll(this.model.project ? `${this.model.project}-charts` : "charts", all, kind);
    if (left) say(`${left} of ${all.length} charts had nothing to draw and are not in the file.`);
  }

  async exportPanel(place: Held, kind: Kind): Promise<void> {
    const ready = await this.ready(place);
    if (kind === "csv" && !(await this.noted(place.title()))) return;
    await exportOne(ready, kind);
  }

  /** Numbers leave only once that is on record. */
  private async noted(what: string): Promise<boolean> {
    const body = formOf({ runs: this.model.runs.map((run) => run.ref).join(","), what: what.slice(0, 200) });
    const answer = await fetch(this.model.noted, { method: "POST", body, credentials: "same-origin" });
    if (!answer.ok) say("The export could not be put on record, so nothing was saved. Try again.");
    return answer.ok;
  }

  private async ready(place: Held): Promise<Exported> {
    const shown = this.shownOf(place);
    await shown.show();
    return { cell: place, shown };
  }
}

function named(place: PanelPlace): void {
  const title = place.title();
  const head = place.figure.querySelector<HTMLElement>("h3");
  if (head && head.textContent !== title) head.textContent = head.title = title;
  for (const words of place.figure.querySelectorAll<HTMLElement>("[data-named]")) words.textContent = `${words.dataset.named} ${title}`;
  place.chart.setAttribute("aria-label", `${title}; its numbers are in the menu as CSV`);
}

function joined(ranges: ReadonlyMap<string, Extent>): Extent | null {
  const all = [...ranges.values()];
  return all.length ? [Math.min(...all.map(([low]) => low)), Math.max(...all.map(([, high]) => high))] : null;
}

export function say(words: string): void {
  const place = document.getElementById("charts-said");
  if (place) place.textContent = words;
}
