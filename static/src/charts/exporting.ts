// Panels as files: pictures, drawings of vectors, and the numbers that are shown; one panel, or all of the workspace.
import type { Cell, Row, Shown } from "./board";
import { css } from "./marks";
import { blobOf, page } from "./vector";

export type Kind = "png" | "svg" | "csv";
export interface Exported {
  cell: Cell;
  shown: Shown;
}

const GAP = 16;
const ACROSS = 2;
const FORMULA = /^[=+\-@\t\r]/;

export function saved(name: string, kind: Kind, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${name.replace(/[^\p{L}\p{N}._-]+/gu, "_").slice(0, 120) || "chart"}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Rows as CSV; no cell of words begins a formula. */
export function csvOf(rows: readonly Row[]): string {
  const cell = (value: string | number): string => {
    if (typeof value === "number") return String(value);
    const text = FORMULA.test(value) && !Number.isFinite(Number(value)) ? `'${value}` : value;
    return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  };
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

export async function exportOne({ cell, shown }: Exported, kind: Kind): Promise<void> {
  saved(cell.title(), kind, kind === "csv" ? textBlob(csvOf(shown.rows())) : await shown.picture(kind));
}

/** All panels in one file: pictures side by side, numbers one value a row. */
export async function exportAll(name: string, all: readonly Exported[], kind: Kind): Promise<void> {
  if (kind === "csv") return saved(name, kind, textBlob(csvOf(longRows(all.map(({ cell, shown }) => ({ title: cell.title(), rows: shown.rows() }))))));
  const pictures = await Promise.all(all.map(({ shown }) => shown.picture(kind)));
  saved(name, kind, kind === "svg" ? await drawings(name, pictures) : await picture(pictures));
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

const textBlob = (text: string): Blob => new Blob([text], { type: "text/csv;charset=utf-8" });

interface Placed<T> {
  item: T;
  x: number;
  y: number;
}

/** Two beside one another, each row as high as its highest. */
function inRows<T extends { width: number; height: number }>(items: readonly T[]): { placed: Placed<T>[]; width: number; height: number } {
  const placed: Placed<T>[] = [];
  let [y, width] = [GAP, 0];
  for (let at = 0; at < items.length; at += ACROSS) {
    const row = items.slice(at, at + ACROSS);
    let x = GAP;
    for (const item of row) {
      placed.push({ item, x, y });
      x += item.width + GAP;
    }
    width = Math.max(width, x);
    y += Math.max(...row.map((item) => item.height)) + GAP;
  }
  return { placed, width, height: y };
}

async function picture(blobs: readonly Blob[]): Promise<Blob> {
  const { placed, width, height } = inRows(await Promise.all(blobs.map((blob) => createImageBitmap(blob))));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("This browser draws no pictures.");
  pen.fillStyle = css("--m-surface");
  pen.fillRect(0, 0, width, height);
  for (const { item, x, y } of placed) pen.drawImage(item, x, y);
  return blobOf(canvas);
}

async function drawings(name: string, blobs: readonly Blob[]): Promise<Blob> {
  const parts = await Promise.all(
    blobs.map(async (blob) => {
      const text = (await blob.text()).replace(/^<\?xml[^>]*\?>\s*/, "");
      const [width, height] = ["width", "height"].map((side) => Number(new RegExp(`<svg[^>]*?\\s${side}="([\\d.]+)`).exec(text)?.[1] ?? 400));
      return { text, width: width ?? 400, height: height ?? 240 };
    }),
  );
  const { placed, width, height } = inRows(parts);
  const inside = placed.map(({ item, x, y }) => item.text.replace("<svg", `<svg x="${x}" y="${y + 20}"`)).join("");
  return new Blob([page(width, height + 20, name, inside)], { type: "image/svg+xml" });
}
