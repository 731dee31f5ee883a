// Panels over runs: scatter, parallel coordinates, boxes and bars. One contract for all of them:
//
//   const panel = mountPanel(root, parseSpec(text)!, source, linked);
//
// root: an empty element with a height of its own; the panel fills it, and adds below the picture what belongs to it
// (a notice, the brushed runs, the table of what is drawn).
// source: the address of the points, "/p/<slug>/points.json?…the same question as the table…" or
// "/points/data.json?runs=SEP-1,SEP-2"; which fields are read follows from the spec.
// linked: the page's side. highlight(runId) is told a run's readable id while it is pointed at, onHighlight hands over a
// listener for what is pointed at elsewhere, onBrush the brushed runs (null: no brush), onSpec a spec that the reader
// changed in the panel, to be kept in the address.
import type { Row } from "../charts/saving";
import { Frame } from "./frame";
import type { PanelSpec } from "./spec";

export { parseSpec, specText, type PanelSpec } from "./spec";

export interface Panel {
  destroy(): void;
  resize(): void;
  /** Once what was asked for last is drawn. */
  ready(): Promise<void>;
  picture(kind: "png" | "svg"): Promise<Blob>;
  /** What is drawn: a line for each run below the fields' keys. */
  rows(): Row[];
  /** Draws another spec in its place; its kind may be another, too. */
  show(spec: PanelSpec): void;
  /** Leaves out the runs of these readable ids, as the eyes of the page say. */
  hide(runIds: Iterable<string>): void;
}

export interface Linked {
  highlight(runId: string | null): void;
  onHighlight(listener: (runId: string | null) => void): void;
  onBrush?(runIds: string[] | null): void;
  onSpec?(spec: PanelSpec): void;
}

export function mountPanel(root: HTMLElement, spec: PanelSpec, source: string, linked: Linked): Panel {
  return new Frame(root, spec, source, linked);
}
