// What stands below a picture: the runs that a brush holds, with ways on from there, and the numbers as a table. Also the
// same numbers as rows of a file.
import type { Row } from "../charts/saving";
import { make, slotSwatch } from "../charts/swatch";
import { inWords, queryOf } from "./brush";
import { labelOf, wordsOf, type Points } from "./points";

const HELD_LISTED = 50;
const ROWS_LISTED = 200;
const FIELDS_LISTED = 12;

/** A table of some runs: name, then the fields that are drawn. */
function tableOf(points: Points, runs: number[], name: string, lit?: (run: number | null) => void): HTMLElement {
  const box = make("div", { class: "m-tablebox" });
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", name);
  const table = make("table", { class: "m-t" });
  const head = make("tr");
  const fields = points.fields.slice(0, FIELDS_LISTED);
  for (const [words, numeric] of [["Run", false] as const, ...fields.map((field) => [labelOf(field.key, field), field.kind === "number"] as const)]) {
    const cell = make("th", { class: numeric && "n" }, words);
    cell.scope = "col";
    head.append(cell);
  }
  const body = make("tbody");
  for (const run of runs) {
    const row = make("tr");
    const first = make("th", { class: "fw-normal" });
    first.scope = "row";
    const link = make("a", {}, points.runs[run]?.name ?? "");
    link.href = points.runs[run]?.url ?? "";
    first.append(slotSwatch(points.runs[run]?.slot ?? 1), " ", link, " ", make("span", { class: "t3 sm" }, points.runs[run]?.id ?? ""));
    row.append(first, ...fields.map((field) => make("td", { class: field.kind === "number" && "n" }, wordsOf(field, run))));
    if (lit) {
      row.addEventListener("pointerenter", () => lit(run));
      row.addEventListener("pointerleave", () => lit(null));
    }
    body.append(row);
  }
  const top = make("thead");
  top.append(head);
  table.append(top, body);
  box.append(table);
  return box;
}

export class HeldRuns {
  readonly element = make("section", { class: "m-plot-held" });
  private listed = "";
  private readonly words = make("p");

  constructor(
    private readonly clear: () => void,
    private readonly lit: (run: number | null) => void,
  ) {
    this.element.setAttribute("aria-label", "Brushed runs");
    this.element.hidden = true;
  }

  /** Only how many there are. */
  say(points: Points, shown: number[], held: number[] | null, brush: Record<string, string[]>): void {
    this.words.textContent = held ? `${held.length.toLocaleString("en-US")} of ${shown.length.toLocaleString("en-US")} runs: ${inWords(points, brush)}` : "";
    this.listed = "";
  }

  show(points: Points, shown: number[], held: number[] | null, brush: Record<string, string[]>): void {
    this.element.hidden = held === null;
    const now = JSON.stringify([brush, held?.length, points.fields.map((field) => field.key), shown.length]);
    if (!held || now === this.listed) return;
    this.say(points, shown, held, brush);
    this.listed = now;
    const head = make("div", { class: "m-plot-ways" });
    head.append(this.words, ...this.ways(points, shown, held, brush));
    const parts: HTMLElement[] = [head];
    if (held.length) parts.push(tableOf(points, held.slice(0, HELD_LISTED), "Brushed runs", this.lit));
    if (held.length > HELD_LISTED) parts.push(make("p", { class: "t3 sm" }, `The first ${HELD_LISTED} are listed; the table has all.`));
    this.element.replaceChildren(...parts);
  }

  private ways(points: Points, shown: number[], held: number[], brush: Record<string, string[]>): HTMLElement[] {
    const ways: HTMLElement[] = [];
    const query = queryOf(points, shown, brush, held);
    if (points.table && query !== null && held.length) ways.push(link("Open them in the table", `${points.table}${points.table.includes("?") ? "&" : "?"}q=${encodeURIComponent(query)}`, query));
    if (held.length >= 2 && held.length <= points.compared_max) ways.push(link("Compare these", `${points.compare}?runs=${held.map((run) => points.runs[run]?.id ?? "").join(",")}`, ""));
    else if (held.length > points.compared_max) ways.push(make("span", { class: "t3" }, `up to ${points.compared_max} can be compared`));
    const clear = make("button", { class: "btn btn-quiet btn-sm" }, "Clear brush");
    clear.type = "button";
    clear.addEventListener("click", this.clear);
    return [...ways, clear];
  }
}

function link(words: string, address: string, title: string): HTMLAnchorElement {
  return make("a", { href: address, title: title || null }, words);
}

export class DataTable {
  readonly element = make("details", { class: "m-plot-data" });
  private readonly inside = make("div");
  private latest: [Points, number[]] | null = null;

  constructor() {
    this.element.append(make("summary", {}, "Data as table"), this.inside);
    this.element.addEventListener("toggle", () => this.fill());
  }

  show(points: Points, shown: number[]): void {
    this.latest = [points, shown];
    this.fill();
  }

  private fill(): void {
    if (!this.element.open || !this.latest) return;
    const [points, shown] = this.latest;
    this.inside.replaceChildren(tableOf(points, shown.slice(0, ROWS_LISTED), "Data of the picture"));
    if (shown.length > ROWS_LISTED) this.inside.append(make("p", { class: "t3 sm" }, `The first ${ROWS_LISTED} of ${shown.length.toLocaleString("en-US")} runs; the CSV has all.`));
  }
}

/** What is drawn: a line for each run, fields by their keys, all digits. */
export function rowsOf(points: Points, shown: number[]): Row[] {
  const head = ["run", "name", ...points.fields.map((field) => field.key)];
  return [head, ...shown.map((run): Row => [points.runs[run]?.id ?? "", points.runs[run]?.name ?? "", ...points.fields.map((field) => field.values[run] ?? field.odd[run] ?? "")])];
}
