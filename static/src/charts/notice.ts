// What a panel says of itself in words: how many points of how many, what smooths them, what is cut, what the colours are.
import type { Cell } from "./board";
import { exact } from "./format";
import { shades, smooths, type Answered, type Drawn } from "./lines";
import { axisWords, type Look } from "./look";
import { css } from "./marks";
import { fieldWords, type Model } from "./model";
import { methodWords } from "./smooth";
import { make, swatch } from "./swatch";

const LEGEND_MAX = 12;
const SPREADS: Record<string, string> = { minmax: "min to max", std: "standard deviation", stderr: "standard error", ci95: "95 % interval", members: "every run, thin" };

export interface Beside {
  /** Points beyond the vertical range. */
  beyond: number;
  facetsLeft: number;
}

export function tell(cell: Cell, look: Look, answered: readonly Answered[], lines: readonly Drawn[], model: Model, beside: Beside): void {
  const points = cell.figure.querySelector("[data-points]");
  if (points) points.textContent = pointWords(lines);
  const odd = cell.figure.querySelector<HTMLElement>("[data-odd]");
  const without = new Set(lines.filter((line) => line.block.notFinite > 0).map((line) => line.name + line.place)).size;
  const alone = model.runs.length === 1 ? (lines[0]?.block.notFinite ?? 0) : 0;
  if (odd) {
    odd.hidden = without === 0;
    const words = odd.querySelector("span");
    if (words) words.textContent = alone ? `${exact(alone)} NaN or infinite` : `NaN or infinite in ${without} run${without === 1 ? "" : "s"}`;
  }
  const notice = cell.figure.querySelector("[data-notice]");
  const words = [...(points ? [] : [pointWords(lines)]), ...noticeWords(look, answered, lines, beside)].filter(Boolean).join(" · ");
  notice?.replaceChildren(...[legend(look, answered, lines, model), words && make("span", {}, words)].filter((one): one is HTMLElement => Boolean(one)));
}

/** "320 of 100,000 points". */
export function pointWords(lines: readonly Drawn[]): string {
  const curves = lines.filter((line) => line.kind !== "band");
  if (!curves.length) return "";
  const drawn = curves.reduce((sum, line) => sum + line.block.x.length, 0);
  const total = curves.reduce((sum, line) => sum + line.block.total, 0);
  return drawn < total ? `${exact(drawn)} of ${exact(total)} points` : `${exact(total)} point${total === 1 ? "" : "s"}`;
}

export function noticeWords(look: Look, answered: readonly Answered[], lines: readonly Drawn[], beside: Beside): string[] {
  const words: string[] = [];
  const bands = lines.filter((line) => line.kind === "band");
  if (bands.length) {
    const total = bands.reduce((sum, line) => sum + line.block.total, 0);
    words.push(`${look.middle === "median" ? "Median" : "Mean"} and ${SPREADS[look.spread] ?? look.spread}`, `${exact(total)} values${bands.some((line) => line.block.thinned) ? ", put together by place" : ""}`);
  }
  if (lines.some((line) => smooths(line, look))) words.push(`${methodWords(look.method, look.smooth)}${lines.some((line) => line.block.means) ? " of the mean of each span" : ""}`);
  if (lines.some((line) => line.kind !== "band" && line.block.thinned)) words.push("sampled, min and max kept");
  if (beside.beyond) words.push(look.outliers ? `scaled to the 1st to 99th percentile, ${exact(beside.beyond)} beyond` : `${exact(beside.beyond)} outside the range`);
  else if (look.outliers) words.push("scaled to the 1st to 99th percentile");
  if (look.log) words.push("log y");
  if (look.logx) words.push("log x");
  const below = look.log ? lines.reduce((sum, line) => sum + line.block.y.reduce((n, y) => n + Number(y <= 0), 0), 0) : 0;
  if (below) words.push(`${exact(below)} not above 0`);
  const leftOut = answered.reduce((sum, { answer }) => sum + answer.leftOut, 0);
  if (leftOut) words.push(`${exact(leftOut)} points without ${axisWords(look.x)} at their step`);
  if (beside.facetsLeft) words.push(`${beside.facetsLeft} more values of ${fieldWords(look.facet)} are not drawn`);
  if (look.window) words.push("zoomed, double-click to go back");
  return words;
}

/** What colours and dashes mean, where that is not the list of the page. */
function legend(look: Look, answered: readonly Answered[], lines: readonly Drawn[], model: Model): HTMLElement | null {
  const colours = shades(look.color, model, css)?.list ?? [];
  const dashes = shades(look.dash, model, css)?.list ?? [];
  const text = css("--m-text-2");
  const items: [string, readonly number[], string][] = [];
  const groups = new Map(lines.filter((line) => line.kind === "band").map((line) => [line.name, line]));
  const count = (name: string): number => answered[0]?.answer.groups.find((group) => group.name === name)?.runs.length ?? 0;
  if (groups.size && !look.color) for (const [name, line] of groups) items.push([line.colour, line.dash, `${name}, n = ${count(name)}`]);
  for (const one of colours) items.push([one.colour, [], `${fieldWords(look.color)} ${one.value}`]);
  for (const one of dashes) items.push([text, one.dash, `${fieldWords(look.dash)} ${one.value}`]);
  const metrics = [...new Map(lines.map((line) => [line.metric, line.dash]))];
  if (metrics.length > 1 && !look.dash) for (const [metric, dash] of metrics) items.push([text, dash, metric]);
  if (!items.length) return null;
  const list = items.slice(0, LEGEND_MAX).map(([colour, dash, words]) => make("li", {}, swatch(colour, dash), make("span", { class: "trunc" }, words)));
  if (items.length > LEGEND_MAX) list.push(make("li", {}, `${items.length - LEGEND_MAX} more`));
  return make("ul", { class: "m-legend" }, ...list);
}
