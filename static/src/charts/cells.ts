// The cells of the grid: automatic charts of a metric, and panels of the reader's own; each with the settings that hold.
import { parseSpec, specText, type PanelSpec } from "../panels/spec";
import { asked, change } from "./address";
import type { Cell } from "./board";
import { lookOf, overridden, type Look } from "./look";
import { fieldWords } from "./model";

export const WIDEST = 3;
export const HIGHEST = 3;
const within = (value: number | undefined, most: number): number => Math.min(most, Math.max(1, value ?? 1));

/** What sections and automatic charts are set to: `set=section;title=val/;logy=1`, `set=chart;title=val/loss;w=2`. */
export type Scope = "section" | "chart";

export function settingOf(scope: Scope, name: string): PanelSpec | null {
  return settings().find((spec) => spec.kind === scope && spec.title === name) ?? null;
}

function settings(): PanelSpec[] {
  return asked().getAll("set").flatMap((text) => parseSpec(text) ?? []);
}

/** Keeps what a section or an automatic chart is set to; nothing said is nothing kept. */
export function keepSettingOf(scope: Scope, name: string, spec: PanelSpec): void {
  const others = settings().filter((one) => one.kind !== scope || one.title !== name);
  const says = Object.entries(spec).some(([key, value]) => key !== "kind" && key !== "title" && value !== undefined);
  change({ set: [...others, ...(says ? [{ ...spec, kind: scope, title: name }] : [])].map(specText) });
}

/** What all charts of a section look like. */
export function lookOfSection(section: string): Look {
  return overridden(lookOf(asked()), section ? settingOf("section", section) : null);
}

abstract class Place implements Cell {
  abstract readonly section: string;
  constructor(
    readonly id: string,
    readonly figure: HTMLElement,
  ) {}
  abstract title(): string;
  abstract metrics(): string[];
  abstract own(): PanelSpec | null;
  abstract keep(spec: PanelSpec): void;

  look(): Look {
    return overridden(lookOfSection(this.section), this.own());
  }

  get chart(): HTMLElement {
    return this.figure.querySelector<HTMLElement>("[data-chart]") as HTMLElement;
  }

  size(): [number, number] {
    const own = this.own();
    return [within(own?.w, WIDEST), within(own?.h, HIGHEST)];
  }

  /** Shows a size without keeping it. */
  fit([w, h]: [number, number] = this.size()): void {
    this.figure.dataset.w = String(w);
    this.figure.dataset.h = String(h);
  }

  keepSize([w, h]: [number, number]): void {
    this.keep(without({ ...(this.own() ?? { kind: "chart" }), w: w > 1 ? w : undefined, h: h > 1 ? h : undefined }));
  }
}

export class ChartPlace extends Place {
  constructor(
    figure: HTMLElement,
    readonly metric: string,
    readonly section: string,
  ) {
    super(`chart ${metric}`, figure);
  }

  title(): string {
    return this.metric;
  }

  metrics(): string[] {
    return [this.metric];
  }

  own(): PanelSpec | null {
    return settingOf("chart", this.metric);
  }

  keep(spec: PanelSpec): void {
    keepSettingOf("chart", this.metric, spec);
  }
}

export class PanelPlace extends Place {
  readonly section = "";

  constructor(
    id: string,
    figure: HTMLElement,
    private spec: PanelSpec,
    private readonly kept: (place: PanelPlace) => void,
  ) {
    super(id, figure);
  }

  title(): string {
    return titleOfPanel(this.spec, this.look());
  }

  metrics(): string[] {
    return this.spec.metrics ?? [];
  }

  own(): PanelSpec {
    return this.spec;
  }

  take(spec: PanelSpec): void {
    this.spec = spec;
  }

  keep(spec: PanelSpec): void {
    this.spec = without(spec);
    this.kept(this);
  }
}

/** A spec without the names that say nothing. */
export function without(spec: PanelSpec): PanelSpec {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined)) as unknown as PanelSpec;
}

const pointWords = (field: string | undefined): string => (field ? fieldWords(field.startsWith("metrics.") ? field.replace(/\.(last|min|max|best)$/, "") : field) : "?");

export function titleOfPanel(spec: PanelSpec, look: Look): string {
  if (spec.title) return spec.title;
  switch (spec.kind) {
    case "line":
      return `${(spec.metrics ?? []).join(", ") || "No metric"}${look.group.length && spec.group ? ` by ${look.group.map(fieldWords).join(", ")}` : ""}`;
    case "importance":
      return `What moves ${pointWords(spec.y)}`;
    case "parallel":
      return "Parallel coordinates";
    case "scatter":
      return `${pointWords(spec.y)} against ${pointWords(spec.x)}`;
    case "box":
      return `${pointWords(spec.y)} by ${pointWords(spec.x)}`;
    default:
      return `${pointWords(spec.y)}${spec.x ? ` by ${pointWords(spec.x)}` : " of each run"}`;
  }
}
