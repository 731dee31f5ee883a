// What panels of charts and their page know of one another.
import type { Look } from "./look";
import type { Model } from "./model";
import type { Row } from "./saving";

export type Extent = [number, number];

/** One place of the grid: an automatic chart of a metric, or a panel of the reader's own. */
export interface Cell {
  readonly id: string;
  readonly figure: HTMLElement;
  /** The section of an automatic chart; "" for a panel of one's own. */
  readonly section: string;
  title(): string;
  metrics(): string[];
  look(): Look;
}

/** What stands in a cell. */
export interface Shown {
  /** Draws with the cell's look of now; reads what it does not have. */
  show(): void | Promise<void>;
  /** Draws again in another size or theme. */
  redraw(): void;
  refresh?(): Promise<void>;
  /** Draws the lines of these ids strong and the others faint; null: all alike. */
  light(ids: readonly string[] | null): void;
  cross?(x: number | null, axis: string): void;
  picture(kind: "png" | "svg"): Promise<Blob>;
  rows(): Row[];
  destroy(): void;
}

/** The page's side. */
export interface Board {
  readonly model: Model;
  /** Ids of runs and groups whose eye is shut. */
  readonly hidden: ReadonlySet<string>;
  /** The x axis of the whole page, to which its window belongs. */
  axis(): string;
  zoom(window: Extent | null): void;
  light(ids: readonly string[] | null): void;
  /** The pointer is at this x in a chart with that axis; null: nowhere. */
  cross(x: number | null, axis: string): void;
  /** The range that the charts of a section have in common, with this one's own. */
  shared(cell: Cell, own: Extent | null): Extent | null;
}
