// The settings of all charts, of a section, of one chart or of a panel: what is not chosen holds as above it.
import type { PanelSpec } from "../panels/spec";
import { HIGHEST, WIDEST } from "./cells";
import { fixedRange, METRIC, type Look } from "./look";
import { fieldWords, type Model } from "./model";
import { make } from "./swatch";

export type Patch = Partial<PanelSpec> & { tip?: string[] };
export interface FormOf {
  /** What the words "as above" mean: "" for the settings of all charts, which are above all. */
  above: string;
  /** What is said here, and what holds. */
  said: PanelSpec;
  holds: Look;
  model: Model;
  keep(patch: Patch): void;
}

type Option = [value: string, label: string];
const YES_NO: Option[] = [["1", "yes"], ["0", "no"]];
const MIDDLES: Option[] = [["mean", "Mean"], ["median", "Median"]];
const SPREADS: Option[] = [["minmax", "min–max"], ["std", "standard deviation"], ["stderr", "standard error"], ["ci95", "95 % interval"], ["members", "every run, thin"]];
const METHODS: Option[] = [["ema", "EMA"], ["gaussian", "Gaussian"], ["mean", "Running mean"]];
const NOTHING: Option = ["-", "nothing"];
let made = 0;

/** How curves look. */
export function lookForm(form: FormOf): HTMLElement {
  const { holds, model, said, above } = form;
  const fields: Option[] = Object.keys(model.fields).map((field) => [field, fieldWords(field)]);
  const top = above === "";
  const grid = make("div", { class: "m-filterform" });
  const pick = (label: string, name: keyof PanelSpec, options: Option[], value: string | undefined, effective: string): void => {
    const heard = top ? effective || options[0]?.[0] || "" : (value ?? "");
    grid.append(...choice(label, top ? options : [["", above], ...options], heard, (next) => form.keep({ [name]: next || undefined } as Patch)));
  };
  const flag = (on: boolean): string => (on ? "1" : "0");
  if (!top) pick("Horizontal axis", "x", axes(model), said.x, holds.x);
  else grid.append(...choice("Horizontal axis", axes(model), holds.x, (next) => form.keep({ x: next })));
  if (!top) {
    grid.append(...numberField("Smoothing", said.smooth ?? "", above, (next) => form.keep({ smooth: next || undefined })));
    pick("Method", "method", METHODS, said.method, holds.method);
    pick("Log y", "logy", YES_NO, said.logy, flag(holds.log));
  }
  pick("Log x", "logx", YES_NO, said.logx, flag(holds.logx));
  pick("Cut outliers", "outliers", YES_NO, said.outliers, flag(holds.outliers));
  grid.append(...rangeFields(form));
  const group = top ? (holds.group[0] ?? "-") : (said.group?.[0] ?? "");
  grid.append(...choice("Group by", [...(top ? [] : [["", above] as Option]), NOTHING, ...withUnknown(fields, group)], group, (next) => form.keep({ group: next ? [next] : undefined })));
  if (holds.group.length) {
    pick("Line", "middle", MIDDLES, said.middle, holds.middle);
    pick("Band", "spread", SPREADS, said.spread, holds.spread);
  }
  pick("Colour by", "color", [NOTHING, ...fields], said.color, holds.color);
  pick("Dash by", "dash", [NOTHING, ...fields], said.dash, holds.dash);
  pick("Facet by", "facet", [NOTHING, ...fields], said.facet, holds.facet);
  return grid;
}

function withUnknown(options: Option[], value: string): Option[] {
  return value && value !== "-" && !options.some(([one]) => one === value) ? [...options, [value, fieldWords(value)]] : options;
}

function axes(model: Model): Option[] {
  return [["step", "Step"], ["relative", "Relative time"], ["time", "Wall time"], ...model.metrics.map((metric): Option => [`${METRIC}${metric}`, metric])];
}

function rangeFields({ said, holds, above, keep }: FormOf): HTMLElement[] {
  const own = above === "" ? holds.yrange : (said.yrange ?? "");
  const numbers = fixedRange(own);
  const options: Option[] = [...(above === "" ? [] : [["", above] as Option]), [above === "" ? "" : "-", "each chart its own"], ["same", "one for all of a section"], ["numbers", "from … to …"]];
  const fields = choice("Vertical range", options, numbers ? "numbers" : own, (next) => keep({ yrange: next === "numbers" ? "0:1" : next || undefined }));
  if (!numbers) return fields;
  const [from, to] = numbers.map((value) => make("input", { class: "form-control form-control-sm m-short", type: "number", step: "any", value: String(value) })) as [HTMLInputElement, HTMLInputElement];
  from.setAttribute("aria-label", "Lowest");
  to.setAttribute("aria-label", "Highest");
  for (const field of [from, to]) field.addEventListener("change", () => fixedRange(`${from.value}:${to.value}`) && keep({ yrange: `${from.value}:${to.value}` }));
  return [...fields, make("span"), make("div", { class: "row-x" }, from, to)];
}

/** Title and size of a panel, and the metrics of lines. */
export function panelForm(said: PanelSpec, model: Model, keep: (patch: Patch) => void): HTMLElement {
  const grid = make("div", { class: "m-filterform" });
  const title = make("input", { class: "form-control form-control-sm", value: said.title ?? "", placeholder: "as it says itself", maxlength: "120", id: `chart-setting-${++made}` });
  title.addEventListener("change", () => keep({ title: title.value.trim() || undefined }));
  grid.append(make("label", { for: title.id }, "Title"), title, ...sizeFields(said, keep));
  const parts: HTMLElement[] = [grid];
  if (said.kind === "line") parts.unshift(metricChoice(said.metrics ?? [], model.metrics, (metrics) => keep({ metrics })));
  if (said.kind === "importance") grid.prepend(...choice("Figure", [["spearman", "Spearman"], ["pearson", "Pearson"], ["importance", "Importance by permutation"]], said.method ?? "spearman", (method) => keep({ method })));
  if (said.kind === "importance") grid.prepend(...choice("Result", model.offered.metrics.map((name): Option => [`metrics.${name}.best`, name]), said.y ?? "", (y) => keep({ y })));
  return make("div", { class: "stack tight" }, ...parts);
}

export function sizeFields(said: PanelSpec, keep: (patch: Patch) => void): HTMLElement[] {
  const sizes = (most: number): Option[] => Array.from({ length: most }, (_, at): Option => [String(at + 1), String(at + 1)]);
  return [
    ...choice("Width", sizes(WIDEST), String(said.w ?? 1), (w) => keep({ w: Number(w) > 1 ? Number(w) : undefined })),
    ...choice("Height", sizes(HIGHEST), String(said.h ?? 1), (h) => keep({ h: Number(h) > 1 ? Number(h) : undefined })),
  ];
}

function metricChoice(chosen: readonly string[], offered: readonly string[], keep: (metrics: string[]) => void): HTMLElement {
  const boxes = [...new Set([...chosen, ...offered])].map((metric) => checkbox(metric, metric, chosen.includes(metric)));
  return checkboxes("Metrics", boxes, keep);
}

/** What is told of a run at the pointer. */
export function tipForm(chosen: readonly string[], model: Model, keep: (patch: Patch) => void): HTMLElement {
  const boxes = Object.keys(model.fields).map((field) => checkbox(field, fieldWords(field), chosen.includes(field)));
  return checkboxes("Told at the pointer", boxes, (tip) => keep({ tip }));
}

function checkbox(value: string, label: string, on: boolean): HTMLLabelElement {
  const box = make("input", { class: "form-check-input", type: "checkbox", value, checked: on });
  return make("label", { class: "form-check" }, box, make("span", { class: "trunc", title: label }, label));
}

const SEARCH_FROM = 8;

function checkboxes(legend: string, labels: HTMLLabelElement[], keep: (values: string[]) => void): HTMLElement {
  const list = make("div", { class: "m-checks" }, ...labels);
  list.addEventListener("change", () => keep([...list.querySelectorAll<HTMLInputElement>("input:checked")].map((box) => box.value)));
  const search = make("input", { class: "form-control form-control-sm mb-1", type: "search", placeholder: "Search", "aria-label": `Search ${legend.toLowerCase()}` });
  search.addEventListener("input", () => {
    for (const label of labels) label.hidden = !(label.textContent ?? "").toLowerCase().includes(search.value.toLowerCase());
  });
  return make("fieldset", { class: "m-pickfrom" }, make("legend", {}, legend), labels.length >= SEARCH_FROM && search, list);
}

/** A label and a select of a form in two columns. */
function choice(label: string, options: Option[], value: string, picked: (value: string) => void): [HTMLElement, HTMLElement] {
  const select = make("select", { class: "form-select form-select-sm", id: `chart-setting-${++made}` }, ...options.map(([one, words]) => make("option", { value: one, selected: one === value }, words)));
  select.addEventListener("change", () => picked(select.value));
  return [make("label", { for: select.id }, label), select];
}

function numberField(label: string, value: string, placeholder: string, keep: (value: string) => void): [HTMLElement, HTMLElement] {
  const field = make("input", { class: "form-control form-control-sm", type: "number", min: "0", max: "0.99", step: "0.01", value, placeholder, id: `chart-setting-${++made}` });
  field.addEventListener("change", () => field.validity.valid && keep(field.value));
  return [make("label", { for: field.id }, label), field];
}

/** The panels that can be added, with what they begin as. */
export function kindsOffered(model: Model): [words: string, about: string, spec: PanelSpec][] {
  const metric = model.goal && model.offered.metrics.includes(model.goal) ? model.goal : (model.metrics[0] ?? model.offered.metrics[0] ?? "");
  const curve = model.metrics.includes(metric) ? metric : (model.metrics[0] ?? metric);
  const params = Object.keys(model.fields).filter((field) => field.startsWith("params."));
  const numeric = params.filter((field) => (model.fields[field] ?? []).every((value) => value === null || Number.isFinite(Number(value))));
  const words = params.filter((field) => !numeric.includes(field));
  const first = (list: string[], otherwise: string): string => list[0] ?? otherwise;
  const best = `metrics.${metric}.best`;
  const x = first(numeric, first(params, "duration"));
  return [
    ["Lines", "chosen metrics over steps or time", { kind: "line", metrics: [curve] }],
    ["Lines by group", "mean or median with a band", { kind: "line", metrics: [curve], group: [first(words, first(params, "status"))], spread: "minmax" }],
    ["Scatter", "one field against another", { kind: "scatter", x, y: best, ...(words[0] && { color: words[0] }), trend: true }],
    ["Parallel coordinates", "many fields at once, with brushes", { kind: "parallel", fields: [...params.slice(0, 5), best], color: best, w: 2 }],
    ["Box and strip", "a result by the levels of a parameter", { kind: "box", x: first(words, x), y: best }],
    ["Bars of final values", "each run's result, sorted", { kind: "bar", y: best }],
    ["What moves a result", "correlation or importance of each parameter", { kind: "importance", y: best }],
  ];
}
