// What one panel shows, and the text that stands for it in an address: kind first, then name=value, with ";" between.
//
//   panel=scatter;x=params.lr;y=metrics.val/auroc.best;color=params.arch;log=x;trend=1
//   panel=parallel;fields=params.lr,params.arch,metrics.loss.min;log=params.lr;brush=params.lr:0.001:0.01;w=2
//
// "%", ";", "=", "," and ":" inside of names and values are percent-encoded (%25, %3B, %3D, %2C, %3A). What is unknown
// is dropped. experiments/pages/panels.py reads and writes the same; tests/pages/test_panels.py holds both together.

export interface PanelSpec {
  kind: string;
  /** Fields: params.<name>, tags.<name>, metrics.<name>.last|min|max|best, or started, duration, user, status, … */
  x?: string;
  y?: string;
  color?: string;
  size?: string;
  title?: string;
  /** The axes of parallel coordinates, in order. */
  fields?: string[];
  /** Names of metrics, for kinds that draw curves. */
  metrics?: string[];
  /** What is logarithmic, and what is upside down: "x" and "y", or fields. */
  log?: string[];
  flip?: string[];
  trend?: boolean;
  pareto?: boolean;
  /** Which way "x" and "y" are better, where it is not as the project says: "min" or "max". */
  goal?: Record<string, string[]>;
  /** By field: from and to of numbers ("" for an open end), or the chosen words; "?" among them: not recorded. */
  brush?: Record<string, string[]>;
  /** Width and height in places of the page's grid. */
  w?: number;
  h?: number;
  /** How curves are drawn, see charts/look.ts; what is not said holds as for the whole page. */
  group?: string[];
  middle?: string;
  spread?: string;
  dash?: string;
  facet?: string;
  smooth?: string;
  method?: string;
  logy?: string;
  logx?: string;
  outliers?: string;
  yrange?: string;
}

type Form = "text" | "list" | "flag" | "count" | "map";
const FORMS: Record<Exclude<keyof PanelSpec, "kind">, Form> = {
  x: "text",
  y: "text",
  color: "text",
  size: "text",
  title: "text",
  fields: "list",
  metrics: "list",
  log: "list",
  flip: "list",
  trend: "flag",
  pareto: "flag",
  goal: "map",
  brush: "map",
  w: "count",
  h: "count",
  group: "list",
  middle: "text",
  spread: "text",
  dash: "text",
  facet: "text",
  smooth: "text",
  method: "text",
  logy: "text",
  logx: "text",
  outliers: "text",
  yrange: "text",
};
const ITEMS_MAX = 40;
const TEXT_MAX = 2000;

const guarded = (text: string): string => text.replace(/[%;=,:]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
const plain = (text: string): string => text.replace(/%(25|3B|3D|2C|3A)/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)));

function read(form: Form, text: string): unknown {
  const items = text.split(",").filter((item) => item !== "").slice(0, ITEMS_MAX);
  switch (form) {
    case "text":
      return plain(text) || undefined;
    case "flag":
      return text === "1" || undefined;
    case "count":
      return /^[1-9][0-9]?$/.test(text) ? Number(text) : undefined;
    case "list":
      return items.length ? items.map(plain) : undefined;
    case "map":
      return items.length ? Object.fromEntries(items.map((item) => item.split(":").map(plain)).map(([name = "", ...said]) => [name, said])) : undefined;
  }
}

function written(form: Form, value: unknown): string {
  switch (form) {
    case "text":
      return guarded(value as string);
    case "flag":
      return "1";
    case "count":
      return String(value);
    case "list":
      return (value as string[]).map(guarded).join(",");
    case "map":
      return Object.entries(value as Record<string, string[]>).map(([name, said]) => [name, ...said].map(guarded).join(":")).join(",");
  }
}

/** The panel of a text; null where its kind is no word. */
export function parseSpec(text: string): PanelSpec | null {
  const [kind = "", ...parts] = text.slice(0, TEXT_MAX).split(";");
  if (!/^[a-z][a-z-]{0,29}$/.test(kind)) return null;
  const found: Record<string, unknown> = { kind };
  for (const part of parts) {
    const at = part.indexOf("=");
    const name = part.slice(0, Math.max(0, at));
    const form = Object.hasOwn(FORMS, name) ? FORMS[name as keyof typeof FORMS] : undefined;
    const value = form && read(form, part.slice(at + 1));
    if (value !== undefined) found[name] = value;
  }
  return found as unknown as PanelSpec;
}

/** The text of a panel, its parts always in the same order. */
export function specText(spec: PanelSpec): string {
  const parts = [spec.kind];
  for (const [name, form] of Object.entries(FORMS)) {
    const value = spec[name as keyof PanelSpec];
    const empty = value === undefined || value === false || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
    if (!empty) parts.push(`${name}=${written(form, value)}`);
  }
  return parts.join(";");
}
