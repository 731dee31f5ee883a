// Which runs a brush holds, and the query that finds the same ones. A brush says for each field what is chosen: from and
// to for numbers ("" for an open end), words for texts, and "?" for runs that have none.
import { labelOf, numberWords, type Field, type Points } from "./points";

export type Said = string[];
export const MISSING = "?";

/** The ends of a brush on numbers; null where only runs without a number are chosen. */
export function bounds(said: Said): [number, number] | null {
  const [from, to] = said.filter((one) => one !== MISSING);
  if (from === undefined) return null;
  return [from === "" ? -Infinity : Number(from), to === undefined || to === "" ? Infinity : Number(to)];
}

export function covers(field: Field, said: Said): (run: number) => boolean {
  const missing = said.includes(MISSING);
  if (field.kind === "text") {
    const words = new Set(said);
    return (run) => {
      const value = field.values[run];
      return value === null || value === undefined ? missing : words.has(String(value));
    };
  }
  const ends = bounds(said);
  return (run) => {
    const value = field.values[run];
    if (typeof value !== "number") return missing;
    return ends !== null && value >= ends[0] && value <= ends[1];
  };
}

/** The runs, of those shown, that every part of the brush holds; null where nothing is brushed. */
export function brushed(points: Points, shown: number[], brush: Record<string, Said> | undefined): number[] | null {
  const tests = Object.entries(brush ?? {}).flatMap(([key, said]) => {
    const field = points.fields.find((one) => one.key === key);
    return field ? [covers(field, said)] : [];
  });
  return tests.length ? shown.filter((run) => tests.every((test) => test(run))) : null;
}

/** The roundest number in (below, above]; above itself where nothing rounder lies there. */
export function roundestUpTo(below: number, above: number): number {
  if (!Number.isFinite(below)) return above;
  for (let digits = 1; digits < 17; digits++) {
    const scale = 10 ** (digits - 1 - Math.floor(Math.log10(Math.max(Math.abs(above), Math.abs(below)) || 1)));
    for (const rounded of [Math.round(above * scale) / scale, Math.floor(above * scale) / scale]) {
      const plain = Number(rounded.toPrecision(15));
      if (plain > below && plain <= above) return plain;
    }
  }
  return above;
}

/** The conditions that find what a brush holds among these runs; null where a query cannot say it. */
export function conditionOf(field: Field, said: Said, shown: number[]): string | null {
  const name = nameInQuery(field);
  const missing = said.includes(MISSING);
  if (field.kind === "text") return wordsCondition(field, name, said, missing);
  if (name === null || (missing && Object.keys(field.odd).length > 0)) return null;
  const parts: string[] = [];
  const ends = bounds(said);
  if (ends) {
    const held = shown.map((run) => field.values[run]).filter((value): value is number => typeof value === "number");
    const inside = held.filter((value) => value >= ends[0] && value <= ends[1]);
    if (inside.length) parts.push(rangeCondition(field, name, held, -most(inside.map((value) => -value)), most(inside)));
    else if (!missing) return null;
  }
  if (missing) parts.push(`${name} IS NULL`);
  return parts.length > 1 ? `(${parts.join(" OR ")})` : (parts[0] ?? null);
}

function rangeCondition(field: Field, name: string, held: number[], low: number, high: number): string {
  const under = held.filter((value) => value < low);
  const over = held.filter((value) => value > high);
  const parts: string[] = [];
  // Ends that leave nothing out are not said; the others are as round as the gap to the next run allows. Infinities
  // stand beyond every end, NaN and words fail every comparison.
  const odd = Object.values(field.odd);
  if (under.length || odd.includes("−Infinity")) parts.push(`${name} >= ${inQuery(field, roundestUpTo(most(under), low))}`);
  if (over.length || odd.includes("Infinity")) parts.push(`${name} <= ${inQuery(field, -roundestUpTo(most(over.map((value) => -value)), -high))}`);
  if (!parts.length) parts.push(odd.length ? `${name} >= ${inQuery(field, low)}` : `${name} IS NOT NULL`);
  return parts.length > 1 ? parts.join(" AND ") : (parts[0] as string);
}

const most = (values: number[]): number => values.reduce((a, b) => Math.max(a, b), -Infinity);

function inQuery(field: Field, value: number): string {
  if (field.key === "started" || field.key === "duration") return String(Math.round(value));
  return String(value);
}

function wordsCondition(field: Field, name: string | null, said: Said, missing: boolean): string | null {
  const words = said.filter((one) => one !== MISSING && field.values.includes(one));
  const parts: string[] = [];
  const asked = words.map((word) => field.asks[word]).filter((one): one is string => one !== undefined);
  if (asked.length && asked.length === words.length) parts.push(...asked);
  else if (name === null) return null;
  else if (words.length === 1) parts.push(`${name} = ${quoted(words[0] as string)}`);
  else if (words.length) parts.push(`${name} IN (${words.map(quoted).join(", ")})`);
  if (missing && name === null) return null;
  if (missing) parts.push(`${name} IS NULL`);
  return parts.length > 1 ? `(${parts.join(" OR ")})` : (parts[0] ?? null);
}

/** How a query calls a field; null where it cannot. */
export function nameInQuery(field: Field): string | null {
  const [kind, name] = [field.key.slice(0, field.key.indexOf(".")), field.key.slice(field.key.indexOf(".") + 1)];
  if (kind === "params" || kind === "tags") return `${kind}.${keyInQuery(name)}`;
  if (kind === "metrics") {
    const key = `metrics.${keyInQuery(name.replace(/\.(last|min|max|best)$/, ""))}`;
    return field.figure && field.figure !== "last" ? `${field.figure}(${key})` : key;
  }
  return { started: "created", duration: "duration", experiment: "experiment", user: "user" }[field.key] ?? null;
}

const keyInQuery = (name: string): string => (/^[A-Za-z_][\w/.]*$/.test(name) ? name : `\`${name}\``);
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const IDS_MAX = 200;

/** The query of the brushed runs within that of the table: by the brush itself, or by ids where no query says it. */
export function queryOf(points: Points, shown: number[], brush: Record<string, Said>, held: number[]): string | null {
  const parts: string[] = [];
  for (const [key, said] of Object.entries(brush)) {
    const field = points.fields.find((one) => one.key === key);
    if (!field) continue;
    const condition = conditionOf(field, said, shown);
    if (condition === null) return held.length <= IDS_MAX ? `id IN (${held.map((run) => quoted(points.runs[run]?.id ?? "")).join(", ")})` : null;
    parts.push(condition);
  }
  const before = points.query.trim();
  return [...(before ? [/\bOR\b/i.test(before) ? `(${before})` : before] : []), ...parts].join(" AND ");
}

/** What is brushed, in words: "lr 0.001 to 0.01, arch gru or tcn". */
export function inWords(points: Points, brush: Record<string, Said>): string {
  return Object.entries(brush)
    .flatMap(([key, said]) => {
      const field = points.fields.find((one) => one.key === key);
      if (!field) return [];
      return [`${labelOf(key, field)} ${sayings(field, said).join(" or ")}`];
    })
    .join(", ");
}

function sayings(field: Field, said: Said): string[] {
  const missing = said.includes(MISSING) ? ["not recorded"] : [];
  if (field.kind === "text") {
    const words = said.filter((one) => one !== MISSING);
    return [...(words.length > 4 ? [`${words.length} values`] : words), ...missing];
  }
  const ends = bounds(said);
  if (!ends) return missing;
  const [from, to] = ends.map((end) => numberWords(field.key, Number(end.toPrecision(4))));
  const words = ends[0] === -Infinity ? `up to ${to}` : ends[1] === Infinity ? `from ${from}` : `${from} to ${to}`;
  return [words, ...missing];
}
