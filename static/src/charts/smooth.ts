// Smoothing of a curve: three methods, each with a strength from 0 (none) to 0.99, and the words that name it. Gaps stay
// gaps. What is smoothed are the points that were drawn.
export const METHODS = ["ema", "gaussian", "mean"] as const;
export type Method = (typeof METHODS)[number];
export type Gaps = (number | null)[];

export function smoothed(values: ArrayLike<number | null>, method: Method, strength: number): Gaps {
  if (method === "gaussian") return weighted(values, gaussianWeights(sigma(strength)));
  if (method === "mean") return weighted(values, new Array<number>(reach(strength) + 1).fill(1));
  return smooth(values, strength);
}

export function methodWords(method: Method, strength: number): string {
  if (method === "gaussian") return `Gaussian, σ ${+sigma(strength).toFixed(1)} points`;
  if (method === "mean") return `Running mean of ${2 * reach(strength) + 1} points`;
  return `EMA ${strength.toFixed(2)}`;
}

/** Points to each side of a running mean. */
const reach = (strength: number): number => Math.round(25 * strength);
const sigma = (strength: number): number => 10 * strength;

/** Exponential moving average without the bias of its start, as charts of training runs use it. */
export function smooth(values: ArrayLike<number | null>, weight: number): Gaps {
  const out: Gaps = [];
  let last = 0;
  let seen = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined || !Number.isFinite(value)) {
      out.push(null);
      continue;
    }
    seen += 1;
    last = last * weight + (1 - weight) * value;
    out.push(last / (1 - weight ** seen));
  }
  return out;
}

function gaussianWeights(deviation: number): number[] {
  if (deviation <= 0) return [1];
  return Array.from({ length: Math.ceil(3 * deviation) + 1 }, (_, away) => Math.exp(-(away * away) / (2 * deviation * deviation)));
}

/** The mean of each value's neighbours, by weights of 0, 1, 2, … places away; at the ends only of those there are. */
function weighted(values: ArrayLike<number | null>, weights: readonly number[]): Gaps {
  const out: Gaps = [];
  for (let i = 0; i < values.length; i++) {
    const here = values[i];
    if (here === null || here === undefined || !Number.isFinite(here)) {
      out.push(null);
      continue;
    }
    let sum = 0;
    let weight = 0;
    for (let j = Math.max(0, i - weights.length + 1); j < Math.min(values.length, i + weights.length); j++) {
      const value = values[j];
      if (value === null || value === undefined || !Number.isFinite(value)) continue;
      const by = weights[Math.abs(j - i)] as number;
      sum += by * value;
      weight += by;
    }
    out.push(sum / weight);
  }
  return out;
}
