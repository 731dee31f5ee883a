// What panels reckon from their points: pure functions, held against numpy and against brute force by
// tests/pages/test_panel_figures.py.

export interface Line {
  n: number;
  slope: number;
  intercept: number;
  /** Pearson's correlation. */
  r: number;
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The least-squares line of y over x; null for fewer than three pairs, or where x or y is constant. */
export function leastSquares(xs: number[], ys: number[]): Line | null {
  const n = xs.length;
  if (n < 3) return null;
  // Scaled first, so that values near the ends of the range neither overflow nor vanish.
  const scaleX = largest(xs);
  const scaleY = largest(ys);
  const [mx, my] = [mean(xs.map((x) => x / scaleX)), mean(ys.map((y) => y / scaleY))];
  let [xx, yy, xy] = [0, 0, 0];
  for (let at = 0; at < n; at++) {
    const dx = (xs[at] as number) / scaleX - mx;
    const dy = (ys[at] as number) / scaleY - my;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  if (isConstant(xs) || isConstant(ys) || xx === 0 || yy === 0) return null;
  const r = Math.max(-1, Math.min(1, xy / Math.sqrt(xx) / Math.sqrt(yy)));
  const slope = (xy / xx) * (scaleY / scaleX);
  return { n, slope, intercept: my * scaleY - slope * mx * scaleX, r };
}

const largest = (values: number[]): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
const isConstant = (values: number[]): boolean => values.every((value) => value === values[0]);

export type Goal = "min" | "max";

/**
 * Which points no other beats: as good in both and better in one. Indices in the order of x, best y of equal x first;
 * equal points stay together.
 */
export function paretoFront(xs: number[], ys: number[], goalX: Goal, goalY: Goal): number[] {
  const [signX, signY] = [goalX === "max" ? 1 : -1, goalY === "max" ? 1 : -1];
  const gain = (at: number): [number, number] => [signX * (xs[at] as number), signY * (ys[at] as number)];
  const order = Array.from(xs.keys()).sort((a, b) => {
    const [[ax, ay], [bx, by]] = [gain(a), gain(b)];
    return bx - ax || by - ay || a - b;
  });
  const front: number[] = [];
  let bestY = -Infinity;
  let bestX = NaN;
  for (const at of order) {
    const [x, y] = gain(at);
    if (y > bestY || (y === bestY && x === bestX)) {
      front.push(at);
      bestY = y;
      bestX = x;
    }
  }
  return front.sort((a, b) => (xs[a] as number) - (xs[b] as number) || (ys[a] as number) - (ys[b] as number) || a - b);
}

/** Lowest, first quartile, median, third quartile, highest: by linear interpolation, as numpy's quantile. */
export function quartiles(values: number[]): [number, number, number, number, number] {
  const sorted = [...values].sort((a, b) => a - b);
  const quantile = (share: number): number => {
    const place = share * (sorted.length - 1);
    const below = sorted[Math.floor(place)] as number;
    const above = sorted[Math.ceil(place)] as number;
    return below === above ? below : below + (above - below) * (place - Math.floor(place));
  };
  return [quantile(0), quantile(0.25), quantile(0.5), quantile(0.75), quantile(1)];
}

/** Mean and sample standard deviation (n − 1); the deviation is NaN for one value. */
export function meanAndDeviation(values: number[]): [number, number] {
  const middle = mean(values);
  if (values.length < 2) return [middle, NaN];
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return [middle, Math.sqrt(squares / (values.length - 1))];
}
