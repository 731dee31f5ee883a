// Panels as files: pictures, drawings of vectors, and the numbers that are shown; one panel, or all of the workspace.
import { blobOf, escaped, PICTURE_SCALE, sheet } from "../panels/pen";
import type { Cell, Shown } from "./board";
import { inGrid, type Tile } from "./laying";
import { css } from "./marks";
import { HEAD, page } from "./picture";
import { csvBlob, saved, type Kind, type Row } from "./saving";

export interface Exported {
  cell: Cell;
  shown: Shown;
}

const LONGEST = 16_000; // pixels of a side: more and some browsers draw nothing
const LARGEST = 120_000_000; // pixels in all

export async function exportOne({ cell, shown }: Exported, kind: Kind): Promise<void> {
  saved(cell.title(), kind, kind === "csv" ? csvBlob(shown.rows()) : await shown.picture(kind));
}

/** All panels in one file: pictures as the grid has them, numbers one value a row. Says how many panels had no picture. */
export async function exportAll(name: string, all: readonly Exported[], kind: Kind): Promise<number> {
  if (kind === "csv") {
    saved(name, kind, csvBlob(longRows(all.map(({ cell, shown }) => ({ title: cell.title(), rows: shown.rows() })))));
    return 0;
  }
  const made = await Promise.allSettled(all.map(async ({ cell, shown }) => ({ figure: cell.figure, blob: await shown.picture(kind) })));
  const pictures = made.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  if (pictures.length) saved(name, kind, kind === "svg" ? await drawings(name, pictures) : await picture(name, pictures));
  return all.length - pictures.length;
}

/** Tables with different columns as one: panel, row, column, value. */
export function longRows(tables: readonly { title: string; rows: readonly Row[] }[]): Row[] {
  const found: Row[] = [["panel", "row", "column", "value"]];
  for (const { title, rows } of tables) {
    const [head = [], ...lines] = rows;
    lines.forEach((line, at) => line.forEach((value, column) => value !== "" && found.push([title, at + 1, head[column] ?? "", value])));
  }
  return found;
}

interface Picture {
  figure: HTMLElement;
  blob: Blob;
}

async function picture(name: string, pictures: readonly Picture[]): Promise<Blob> {
  const tiles = await Promise.all(
    pictures.map(async ({ figure, blob }): Promise<Tile<ImageBitmap>> => {
      const item = await createImageBitmap(blob);
      return { item, figure, width: item.width / PICTURE_SCALE, height: item.height / PICTURE_SCALE };
    }),
  );
  const { placed, heads, width, height } = inGrid(tiles, HEAD);
  const scale = Math.min(PICTURE_SCALE, LONGEST / height, LONGEST / width, Math.sqrt(LARGEST / (width * height)));
  const context = sheet(width, height, scale);
  context.fillStyle = css("--m-surface");
  context.fillRect(0, 0, width, height);
  context.fillStyle = css("--m-text");
  context.font = `600 13px ${css("--m-font")}`;
  for (const { words, x, y } of [{ words: name, x: 12, y: 18 }, ...heads]) context.fillText(words, x, y);
  for (const { item, x, y, width: wide, height: high } of placed) context.drawImage(item, x, y, wide, high);
  return blobOf(context.canvas);
}

async function drawings(name: string, pictures: readonly Picture[]): Promise<Blob> {
  const tiles = await Promise.all(
    pictures.map(async ({ figure, blob }): Promise<Tile<string>> => {
      const item = await blob.text();
      const [width = 400, height = 240] = ["width", "height"].map((side) => Number(new RegExp(`<svg[^>]*?\\s${side}="([\\d.]+)`).exec(item)?.[1] ?? NaN) || undefined);
      return { item, figure, width, height };
    }),
  );
  const { placed, heads, width, height } = inGrid(tiles, HEAD);
  const words = heads.map(({ words, x, y }) => `<text x="${x}" y="${y}" font-size="13" font-weight="600" fill="${css("--m-text")}">${escaped(words)}</text>`);
  const inside = placed.map(({ item, x, y }) => item.replace("<svg", `<svg x="${x}" y="${y}"`));
  return new Blob([page(width, height, name, [...words, ...inside].join(""))], { type: "image/svg+xml" });
}
