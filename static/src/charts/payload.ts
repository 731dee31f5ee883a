// The binary form of one curve. Little-endian:
//   0  4 bytes  "MLC1"
//   4  uint32   n, points that follow
//   8  float64  points in the window before sampling
//  16  uint32   points among them that are NaN or infinite
//  20  uint32   1 where sampled, else 0
//  24  float64  reserved, 0
//  32  float64  n times x (step, or milliseconds since 1970), then n times y
export interface Curve {
  x: Float64Array;
  y: Float64Array;
  total: number;
  notFinite: number;
  sampled: boolean;
}

const HEAD = 32;

export function readCurve(buffer: ArrayBuffer): Curve {
  const head = new DataView(buffer);
  const magic = new TextDecoder().decode(new Uint8Array(buffer, 0, 4));
  if (magic !== "MLC1") throw new Error(`This is no curve: it begins with ${magic}`);
  const n = head.getUint32(4, true);
  return {
    x: new Float64Array(buffer, HEAD, n),
    y: new Float64Array(buffer, HEAD + 8 * n, n),
    total: head.getFloat64(8, true),
    notFinite: head.getUint32(16, true),
    sampled: head.getUint32(20, true) === 1,
  };
}

export async function fetchCurve(address: string, signal?: AbortSignal): Promise<Curve> {
  const answer = await fetch(address, { signal: signal ?? null, headers: { Accept: "application/octet-stream" } });
  if (!answer.ok) throw new Error(`The curve did not come: ${answer.status}`);
  return readCurve(await answer.arrayBuffer());
}
