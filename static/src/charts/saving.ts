// What leaves the page as a file: rows as CSV, and any blob under a name.
export type Kind = "png" | "svg" | "csv";
export type Row = (string | number)[];

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

export const csvBlob = (rows: readonly Row[]): Blob => new Blob([csvOf(rows)], { type: "text/csv;charset=utf-8" });
