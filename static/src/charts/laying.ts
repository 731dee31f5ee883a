// Pictures of panels at the places that the panels have in the grid: who stands beside whom on the page does so in the file.
export interface Tile<T> {
  item: T;
  figure: HTMLElement;
  width: number;
  height: number;
}

export interface LaidTile<T> extends Tile<T> {
  x: number;
  y: number;
}

interface LaidTiles<T> {
  placed: LaidTile<T>[];
  /** The names of sections; y: the foot of the words. */
  heads: { words: string; x: number; y: number }[];
  width: number;
  height: number;
}

const GAP = 16;
const SIDE = 12;
const SECTION = 26;

/** Columns as on the page, rows as high as their highest picture; the first begins at y. */
export function inGrid<T>(tiles: readonly Tile<T>[], y: number): LaidTiles<T> {
  const boxes = tiles.map((tile) => ({ tile, box: tile.figure.getBoundingClientRect(), section: tile.figure.closest<HTMLElement>("[data-section]")?.dataset.section ?? "" }));
  const from = Math.min(...boxes.map(({ box }) => box.left));
  const found: LaidTiles<T> = { placed: [], heads: [], width: 0, height: y };
  let section = "";
  for (let at = 0; at < boxes.length; ) {
    const first = boxes[at] as (typeof boxes)[number];
    let end = at + 1;
    while (boxes[end]?.section === first.section && Math.abs((boxes[end]?.box.top ?? NaN) - first.box.top) < 4) end++;
    if (first.section && first.section !== section) {
      found.heads.push({ words: first.section, x: SIDE, y: found.height + SECTION - 8 });
      found.height += SECTION;
    }
    section = first.section;
    const row = boxes.slice(at, end);
    for (const { tile, box } of row) {
      const x = Math.round(box.left - from);
      found.placed.push({ ...tile, x, y: found.height });
      found.width = Math.max(found.width, x + tile.width);
    }
    found.height += Math.max(...row.map(({ tile }) => Math.ceil(tile.height))) + GAP;
    at = end;
  }
  return found;
}
