// The points of a panel as the server sends them (experiments/pages/points.py): runs, and each field as one column.
import { clock, exact, figure } from "../charts/format";
import type { PanelSpec } from "./spec";

export interface PointRun {
  id: string;
  uid: string;
  name: string;
  slot: number;
  url: string;
}

export interface Field {
  key: string;
  kind: "number" | "text";
  values: (number | string | null)[];
  /** By the run's place what it says instead of a number, such as NaN. */
  odd: Record<string, string>;
  better: "" | "higher" | "lower";
  /** Of a metric: which of its values these are. */
  figure: string;
  /** By word: the condition that finds it in a query, where it is no plain comparison. */
  asks: Record<string, string>;
}

export interface Points {
  runs: PointRun[];
  fields: Field[];
  total: string;
  cut: boolean;
  /** The run table's address and query that these runs come from; table is "" where there is no one table of them. */
  table: string;
  query: string;
  compare: string;
  compared_max: number;
  offered?: string[];
}

const OWN: Record<string, string> = { started: "Started", duration: "Duration", user: "User", status: "Status", dataset: "Dataset", experiment: "Experiment" };

/** The fields that a spec draws, each once; with limits of a brush on others. */
export function fieldsOf(spec: PanelSpec): string[] {
  const every = [spec.x, spec.y, spec.color, spec.size, ...(spec.fields ?? []), ...Object.keys(spec.brush ?? {})];
  return [...new Set(every.filter((key): key is string => !!key))];
}

export function addressOf(source: string, fields: string[], offer = false): string {
  const address = new URL(source, location.href);
  address.searchParams.delete("field");
  for (const field of fields) address.searchParams.append("field", field);
  if (offer) address.searchParams.set("offer", "1");
  return address.href;
}

export async function fetchPoints(address: string, signal?: AbortSignal): Promise<Points> {
  const answer = await fetch(address, { signal: signal ?? null, headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(answer.status === 400 ? "The query is not understood, so there is nothing to draw." : `The points did not come: ${answer.status}.`);
  return (await answer.json()) as Points;
}

/** A field as people read it: lr, val/auroc best, Duration. */
export function labelOf(key: string, field?: Field): string {
  const own = OWN[key];
  if (own) return own;
  const at = key.indexOf(".");
  const name = key.slice(at + 1);
  if (!key.startsWith("metrics.")) return name;
  const [, start, said] = /^(.+)\.(last|min|max|best)$/s.exec(name) ?? [undefined, name, "last"];
  return `${start} ${field?.figure || said}`;
}

/** A number of a field in words: short on axes, exact elsewhere. */
export function numberWords(key: string, value: number, short = false): string {
  if (key === "started") return `${clock(value)}${short ? "" : " UTC"}`;
  if (key === "duration") return lasted(value);
  return short ? figure(value) : exact(value);
}

function lasted(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 60) return `${+seconds.toPrecision(3)} s`;
  if (seconds < 3600) return `${+(seconds / 60).toFixed(1)} min`;
  return `${+(seconds / 3600).toFixed(1)} h`;
}

/** What a run says in a field; "not recorded" where it says nothing. */
export function wordsOf(field: Field, at: number): string {
  const value = field.values[at];
  if (value === null || value === undefined) return field.odd[at] ?? "not recorded";
  return typeof value === "number" ? numberWords(field.key, value) : value;
}

/** The words of a text field, in their natural order. */
export function wordsIn(field: Field): string[] {
  const words = new Set<string>();
  for (const value of field.values) if (value !== null) words.add(String(value));
  return [...words].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}
