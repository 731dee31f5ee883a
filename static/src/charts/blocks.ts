// The binary form of the curves or bands of one metric; see experiments/pages/chart_data.py. Little-endian.
export interface Block {
  kind: "curve" | "band";
  /** Of a curve the place of its run, of a band the place of its group. */
  place: number;
  x: Float64Array;
  y: Float64Array;
  low: Float64Array | null;
  high: Float64Array | null;
  runs: Float64Array | null;
  /** Of a curve that was thinned: mean x and mean y of each span. */
  means: { x: Float64Array; y: Float64Array } | null;
  total: number;
  notFinite: number;
  thinned: boolean;
}

export interface Group {
  name: string;
  /** Places of its runs. */
  runs: number[];
}

export interface Answer {
  blocks: Block[];
  groups: Group[];
  /** Points at whose step the metric of the x axis has no value. */
  leftOut: number;
}

export function readBlocks(buffer: ArrayBuffer): Answer {
  const view = new DataView(buffer);
  const magic = new TextDecoder().decode(new Uint8Array(buffer, 0, 4));
  if (magic !== "MLM2") throw new Error(`These are no curves: they begin with ${magic}`);
  const blocks: Block[] = [];
  let at = 8;
  for (let left = view.getUint32(4, true); left > 0; left--) {
    const kind = view.getUint32(at, true);
    const isBand = kind === 1;
    const n = view.getUint32(at + 8, true);
    const column = (index: number): Float64Array => new Float64Array(buffer, at + 32 + 8 * n * index, n);
    const curve = blocks[blocks.length - 1];
    if (kind === 2 && curve) curve.means = { x: column(0), y: column(1) };
    else blocks.push({
      kind: isBand ? "band" : "curve",
      place: view.getUint32(at + 4, true),
      x: column(0),
      y: column(1),
      low: isBand ? column(2) : null,
      high: isBand ? column(3) : null,
      runs: isBand ? column(4) : null,
      means: null,
      total: view.getFloat64(at + 16, true),
      notFinite: view.getFloat64(at + 24, true),
      thinned: view.getUint32(at + 12, true) === 1,
    });
    at += 32 + 8 * n * (isBand ? 5 : 2);
  }
  const told = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, at + 4, view.getUint32(at, true)))) as { groups: Group[]; left_out: number };
  return { blocks, groups: told.groups, leftOut: told.left_out };
}

export async function fetchBlocks(address: string, signal: AbortSignal): Promise<Answer> {
  const answer = await fetch(address, { signal, headers: { Accept: "application/octet-stream" } });
  if (!answer.ok) throw new Error(`The curves did not come: ${answer.status}`);
  return readBlocks(await answer.arrayBuffer());
}
