// The legend of a picture: who each line is, in its colour and dash. On the page the list of runs says so; a file goes
// without it.
import { fitted, type Pen } from "../panels/pen";
import type { Answered, Drawn } from "./lines";
import type { Look } from "./look";
import { fieldWords, type Model } from "./model";

export interface Entry {
  words: string;
  colour: string;
  dash: readonly number[];
}

/** A name at its place: pixels from the left, and in which row. */
export interface Named extends Entry {
  left: number;
  row: number;
}

const MOST = 24;
const SWATCH = 18;
const GAP = 6;
const BETWEEN = 16;
const ROOM = 1.04; // who opens the file may read it in a wider font

/** One name for each line that looks like no other; of groups whose runs are drawn, too, only the groups. */
export function entriesOf(lines: readonly Drawn[], look: Look, answered: readonly Answered[], model: Model): Entry[] {
  const drawn = lines.filter((line) => line.block.x.length);
  const bands = drawn.filter((line) => line.kind === "band");
  const shown = bands.length ? bands : drawn;
  const places = new Map<string, Set<number>>();
  for (const line of shown) places.set(line.name, (places.get(line.name) ?? new Set()).add(line.place));
  const fields = [...new Set([look.color, look.dash])].filter((field) => field && model.fields[field] && !look.group.includes(field));
  const found = new Map<string, Entry>();
  for (const line of shown) {
    const group = answered.flatMap(({ answer }) => answer.groups).find((one) => line.kind === "band" && one.name === line.name);
    const twins = line.kind !== "band" && (places.get(line.name)?.size ?? 0) > 1;
    const words = [
      twins ? `${line.name} (${model.runs[line.place]?.ref ?? ""})` : line.name,
      group && `n = ${group.runs.length}`,
      answered.length > 1 && line.metric,
      ...fields.map((field) => `${fieldWords(field)} ${model.fields[field]?.[line.place] ?? "none"}`),
    ];
    const entry = { words: words.filter(Boolean).join(", "), colour: line.colour, dash: line.dash };
    found.set(`${entry.words} ${entry.colour} ${entry.dash.join(" ")}`, entry);
  }
  return [...found.values()];
}

/** The names one after the other, in as many rows as they need; of more than 24 how many are left. */
export function named(pen: Pen, entries: readonly Entry[], room: number): Named[] {
  const listed = entries.slice(0, MOST);
  if (entries.length > MOST) listed.push({ words: `and ${entries.length - MOST} more`, colour: "", dash: [] });
  let [left, row] = [0, 0];
  return listed.map((entry) => {
    const before = entry.colour ? SWATCH + GAP : 0;
    const words = fitted(pen, entry.words, room / ROOM - before);
    const width = before + pen.widthOf(words) * ROOM;
    if (left > 0 && left + width > room) [left, row] = [0, row + 1];
    const at = left;
    left += width + BETWEEN;
    return { ...entry, words, left: at, row };
  });
}

/** Draws one name with its swatch; y: the middle of its row. */
export function drawName(pen: Pen, { words, colour, dash }: Entry, x: number, y: number, ink: string): void {
  if (colour) pen.line([x, y, x + SWATCH, y], { stroke: colour, width: 2, dash: dash.map((part) => part / 1.5) });
  pen.text(colour ? x + SWATCH + GAP : x, y, words, { colour: ink });
}

/** Words in as many lines as they need. */
export function wrapped(pen: Pen, words: string, room: number): string[] {
  const lines: string[] = [];
  for (const word of words.split(" ").filter(Boolean)) {
    const last = lines[lines.length - 1];
    if (last !== undefined && pen.widthOf(`${last} ${word}`) * ROOM <= room) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(fitted(pen, word, room));
  }
  return lines;
}
