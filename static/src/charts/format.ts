// Numbers and times on axes: short, and the same figure always in the same words.
const SHORT: [number, string][] = [
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

export function figure(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e12) return value.toExponential(1);
  for (const [unit, letter] of SHORT) if (size >= unit) return `${+(value / unit).toFixed(2)}${letter}`;
  if (size > 0 && size < 1e-3) return value.toExponential(size < 1e-3 && +value.toExponential(0) === value ? 0 : 1);
  return String(+value.toPrecision(4));
}

export function exact(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return value.toLocaleString("en-US");
  return String(+value.toPrecision(6));
}

/** Milliseconds since 1970 as "21 Nov 09:14:07" in UTC. */
export function clock(ms: number): string {
  const at = new Date(ms);
  if (Number.isNaN(at.getTime())) return "";
  const month = at.toLocaleString("en-GB", { month: "short", timeZone: "UTC" });
  return `${at.getUTCDate()} ${month} ${at.toISOString().slice(11, 19)}`;
}
