// The bar of a panel: a menu of its fields, and its switches.
import { labelOf, type Points } from "./points";
import type { PanelSpec } from "./spec";

type Change = (spec: PanelSpec) => void;

interface Switch {
  words: string;
  on: (spec: PanelSpec) => boolean;
  turned: (spec: PanelSpec) => PanelSpec;
  kinds: string[];
  title?: string;
}

const toggled = (list: string[] | undefined, item: string): string[] => (list?.includes(item) ? list.filter((one) => one !== item) : [...(list ?? []), item]);
const logOf = (axis: string): Pick<Switch, "on" | "turned"> => ({ on: (spec) => !!spec.log?.includes(axis), turned: (spec) => ({ ...spec, log: toggled(spec.log, axis) }) });

const SWITCHES: Switch[] = [
  { words: "Log x", kinds: ["scatter"], ...logOf("x") },
  { words: "Log y", kinds: ["scatter", "box"], ...logOf("y") },
  { words: "Trend", kinds: ["scatter"], title: "The least-squares line", on: (spec) => !!spec.trend, turned: (spec) => ({ ...spec, trend: !spec.trend }) },
  { words: "Pareto", kinds: ["scatter"], title: "Runs that no other beats in both", on: (spec) => !!spec.pareto, turned: (spec) => ({ ...spec, pareto: !spec.pareto }) },
  { words: "Turn order", kinds: ["bar"], on: (spec) => !!spec.flip?.includes("y"), turned: (spec) => ({ ...spec, flip: toggled(spec.flip, "y") }) },
];
const PICKS: Record<string, [keyof PanelSpec & ("x" | "y" | "color" | "size"), string][]> = {
  scatter: [["x", "x"], ["y", "y"], ["color", "Colour"], ["size", "Size"]],
  box: [["x", "Groups"], ["y", "Values"], ["color", "Colour"]],
  bar: [["y", "Values"], ["x", "Groups"], ["color", "Colour"]],
  parallel: [["color", "Colour"]],
};

let made_ = 0;

export class PanelBar {
  readonly element = document.createElement("div");
  private readonly menu = document.createElement("details");
  private readonly form = document.createElement("div");
  private readonly switches = document.createElement("div");
  private readonly name = `plot-${++made_}`;
  private spec: PanelSpec | null = null;
  private offered: string[] | null = null;
  private asked = false;

  constructor(
    private readonly change: Change,
    private readonly offer: () => Promise<Points>,
  ) {
    this.element.className = "m-plot-bar";
    this.menu.className = "m-menu";
    const summary = document.createElement("summary");
    summary.className = "btn btn-quiet btn-sm";
    summary.textContent = "Fields";
    this.form.className = "m-menu-list m-menu-form m-plot-form";
    this.menu.append(summary, this.form);
    this.menu.addEventListener("toggle", () => this.menu.open && void this.ask());
    this.switches.className = "m-plot-switches";
    this.element.append(this.menu, this.switches);
  }

  show(spec: PanelSpec, points: Points | null): void {
    const wanted = SWITCHES.filter((one) => one.kinds.includes(spec.kind));
    if (this.spec?.kind !== spec.kind) this.switches.replaceChildren(...wanted.map((one) => this.button(one)));
    this.spec = spec;
    wanted.forEach((one, at) => {
      const button = this.switches.children[at] as HTMLButtonElement;
      button.setAttribute("aria-pressed", String(one.on(spec)));
      button.classList.toggle("active", one.on(spec));
    });
    if (this.menu.open && this.offered && points) this.fill();
  }

  private button(one: Switch): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-line btn-sm";
    button.textContent = one.words;
    if (one.title) button.title = one.title;
    button.addEventListener("click", () => this.spec && this.change(one.turned(this.spec)));
    return button;
  }

  private async ask(): Promise<void> {
    if (this.offered) return this.fill();
    if (this.asked) return;
    this.asked = true;
    this.form.textContent = "Loading";
    try {
      this.offered = (await this.offer()).offered ?? [];
      this.fill();
    } catch (error) {
      this.form.textContent = error instanceof Error ? error.message : "The fields did not come.";
    }
    this.asked = false;
  }

  /** The form; the field that has the focus keeps it. */
  private fill(): void {
    const { spec, offered } = this;
    if (!spec || !offered) return;
    const focused = this.form.contains(document.activeElement) ? document.activeElement?.id : "";
    const scroll = this.form.querySelector(".m-plot-axes")?.scrollTop ?? 0;
    const search = this.form.querySelector<HTMLInputElement>("input[type=search]")?.value ?? "";
    const parts: HTMLElement[] = [];
    if (spec.kind === "parallel") parts.push(...this.axes(spec, offered, search));
    for (const [name, words] of PICKS[spec.kind] ?? []) parts.push(...this.pick(spec, name, words, offered));
    if (spec.pareto) parts.push(...this.ways(spec, "x"), ...this.ways(spec, "y"));
    this.form.replaceChildren(...parts);
    const list = this.form.querySelector(".m-plot-axes");
    if (list) list.scrollTop = scroll;
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  private pick(spec: PanelSpec, name: "x" | "y" | "color" | "size", words: string, offered: string[]): HTMLElement[] {
    const now = spec[name] ?? "";
    const select = this.select(`${this.name}-${name}`, now, [["", name === "color" ? "run" : "none"], ...choices(offered, now)]);
    select.addEventListener("change", () => this.spec && this.change({ ...this.spec, [name]: select.value }));
    return [labelled(select.id, words), select];
  }

  private ways(spec: PanelSpec, axis: "x" | "y"): HTMLElement[] {
    const options: [string, string][] = [["", "as the project says"], ["max", "higher"], ["min", "lower"]];
    const select = this.select(`${this.name}-goal-${axis}`, spec.goal?.[axis]?.[0] ?? "", options);
    select.addEventListener("change", () => {
      if (!this.spec) return;
      const { [axis]: _, ...others } = this.spec.goal ?? {};
      this.change({ ...this.spec, goal: select.value ? { ...others, [axis]: [select.value] } : others });
    });
    return [labelled(select.id, `Better ${axis}`), select];
  }

  private select(id: string, now: string, options: [string, string][]): HTMLSelectElement {
    const select = document.createElement("select");
    select.className = "form-select form-select-sm";
    select.id = id;
    for (const [value, words] of options) {
      const option = document.createElement("option");
      option.value = value;
      option.textContent = words;
      option.selected = value === now;
      select.append(option);
    }
    return select;
  }

  /** Which fields are axes: a checkbox each, those chosen first. */
  private axes(spec: PanelSpec, offered: string[], searched: string): HTMLElement[] {
    const search = document.createElement("input");
    search.type = "search";
    search.className = "form-control m-plot-wide";
    search.id = `${this.name}-search`;
    search.placeholder = "Find a field";
    search.setAttribute("aria-label", "Find a field");
    search.value = searched;
    const list = document.createElement("div");
    list.className = "m-plot-axes m-plot-wide";
    const chosen = spec.fields ?? [];
    const every = [...chosen, ...bothFigures(offered).filter((key) => !chosen.includes(key))];
    list.append(...every.map((key, at) => this.axis(key, at, chosen.includes(key))));
    const narrow = (): void => {
      for (const label of list.children) (label as HTMLElement).hidden = !label.textContent?.toLowerCase().includes(search.value.toLowerCase());
    };
    search.addEventListener("input", narrow);
    narrow();
    return [search, list];
  }

  private axis(key: string, at: number, on: boolean): HTMLElement {
    const label = document.createElement("label");
    label.className = "form-check";
    const box = document.createElement("input");
    box.type = "checkbox";
    box.className = "form-check-input";
    box.id = `${this.name}-axis-${at}`;
    box.checked = on;
    box.addEventListener("change", () => this.spec && this.change({ ...this.spec, fields: toggled(this.spec.fields, key) }));
    const words = document.createElement("span");
    words.textContent = fieldWords(key);
    label.append(box, words);
    return label;
  }
}

const KINDS: Record<string, string> = { params: "param", metrics: "metric", tags: "tag" };
const fieldWords = (key: string): string => `${labelOf(key)}${KINDS[key.split(".")[0] ?? ""] ? ` (${KINDS[key.split(".")[0] ?? ""]})` : ""}`;

/** Metrics are offered as their last and their best value. */
const bothFigures = (offered: string[]): string[] => offered.flatMap((key) => (key.startsWith("metrics.") ? [`${key}.best`, `${key}.last`, `${key}.min`, `${key}.max`] : [key]));

function choices(offered: string[], now: string): [string, string][] {
  const keys = bothFigures(offered);
  return (now && !keys.includes(now) ? [now, ...keys] : keys).map((key) => [key, fieldWords(key)]);
}

function labelled(id: string, words: string): HTMLLabelElement {
  const label = document.createElement("label");
  label.className = "form-label";
  label.htmlFor = id;
  label.textContent = words;
  return label;
}
