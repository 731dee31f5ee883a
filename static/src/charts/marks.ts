// What every chart draws alike: colours of the theme, axes, times on an axis, and the marks of values that no line has.
import type uPlot from "uplot";
import { clock, figure } from "./format";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

export const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function axisStyle(): uPlot.Axis {
  return { stroke: css("--m-text-3"), grid: { stroke: css("--m-line"), width: 1 }, ticks: { show: false }, font: `11px ${css("--m-font")}`, gap: 6 };
}

/** Distances between two ticks, also for values beyond those that uPlot knows. */
export const INCREMENTS: number[] = Array.from({ length: 620 }, (_, at) => at - 310).flatMap((power) => [1, 2, 2.5, 5].map((by) => by * 10 ** power)).filter((step) => step > 0 && Number.isFinite(step));

/** The axis of values: ticks whatever their size, and as wide as its longest word, such as "3.4e+146". */
export function valueAxis(): uPlot.Axis {
  return {
    ...axisStyle(),
    size: (_, words) => Math.max(52, 14 + 6.5 * Math.max(0, ...(words ?? []).map((word) => word.length))),
    space: 34,
    incrs: INCREMENTS,
    values: (_, at) => at.map((value) => (value === null ? "" : figure(value))),
  };
}

export function onlyPowersOfTen(_: uPlot, splits: number[]): (number | null)[] {
  return splits.map((value) => (Number.isInteger(+Math.log10(value).toFixed(9)) ? value : null));
}

/** Milliseconds since 1970 on an axis that spans so many: days for long windows, seconds for short ones. */
export function clockOnAxis(value: number, span: number): string {
  const words = clock(value);
  if (span > 2 * DAY) return words.slice(0, -9);
  return span < 10 * MINUTE ? words.slice(-8) : words.slice(-8, -3);
}

/** An × on the floor for each value that is NaN or infinite: the line has a gap there that would not be seen. */
export function markNotFinite(u: uPlot, x: ArrayLike<number>, y: ArrayLike<number>, colour: string): void {
  const arm = 4 * devicePixelRatio;
  const floor = u.bbox.top + u.bbox.height - 7 * devicePixelRatio;
  u.ctx.save();
  u.ctx.strokeStyle = colour;
  u.ctx.lineWidth = 2 * devicePixelRatio;
  u.ctx.setLineDash([]);
  u.ctx.beginPath();
  for (let i = 0; i < y.length; i++) {
    if (Number.isFinite(y[i])) continue;
    const at = u.valToPos(x[i] ?? 0, "x", true);
    u.ctx.moveTo(at - arm, floor - arm);
    u.ctx.lineTo(at + arm, floor + arm);
    u.ctx.moveTo(at + arm, floor - arm);
    u.ctx.lineTo(at - arm, floor + arm);
  }
  u.ctx.stroke();
  u.ctx.restore();
}

/** The tooltip of a chart, made when it is first needed. */
export function tipOf(element: HTMLElement, kind = ""): HTMLElement {
  const made = element.querySelector<HTMLElement>(".m-chart-tip");
  if (made) return made;
  const tip = document.createElement("div");
  tip.className = `m-chart-tip ${kind}`.trim();
  tip.hidden = true;
  element.append(tip);
  return tip;
}
