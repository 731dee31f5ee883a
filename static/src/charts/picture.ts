// A panel of lines as a file, PNG or SVG by the same strokes: its title, the plots, the title of the x axis, a legend of
// every line, and in words what smooths and cuts them.
import { CanvasPen, drawnFile, escaped, fitted, rounded, sheet, type Pen } from "../panels/pen";
import { drawName, named, wrapped, type Entry } from "./legend";
import { css } from "./marks";
import { drawPlot, type Drawing } from "./vector";

export interface Pictured {
  title: string;
  drawings: readonly Drawing[];
  xTitle: string;
  entries: readonly Entry[];
  words: string;
}

export const HEAD = 28; // pixels above a picture for its title
const SIDE = 12;
const AXIS = 18;
const ROW = 17;

export async function pictureOf(kind: "png" | "svg", element: HTMLElement, told: Pictured): Promise<Blob> {
  const font = css("--m-font");
  const { width, height, paint } = laidOut(new CanvasPen(sheet(1, 1), font), element, told);
  return drawnFile(kind, width, height, font, told.title, paint);
}

interface LaidOut {
  width: number;
  height: number;
  paint(pen: Pen): void;
}

function laidOut(measure: Pen, element: HTMLElement, told: Pictured): LaidOut {
  const width = element.clientWidth;
  const room = width - 2 * SIDE;
  const plots = placed(element, told.drawings);
  const entries = plots.length ? named(measure, told.entries, room) : [];
  const words = plots.length ? wrapped(measure, told.words, room) : [];
  const foot = Math.max(HEAD + element.clientHeight, ...plots.map(({ top, u }) => top + u.height));
  const legend = foot + (plots.length ? AXIS : 0) + ROW / 2;
  const said = legend + ROW * (entries.length ? (entries[entries.length - 1]?.row ?? 0) + 1 : 0);
  const height = Math.ceil(said + ROW * words.length + SIDE / 2);
  const paint = (pen: Pen): void => {
    const [text, quiet] = [css("--m-text"), css("--m-text-2")];
    pen.rect(0, 0, width, height, { fill: css("--m-surface") });
    pen.text(SIDE, HEAD / 2, fitted(measure, told.title, room / 1.2, 13), { colour: text, size: 13, weight: 600 });
    for (const { u, left, top, drawing } of plots) {
      if (drawing.title) pen.text(left + 4, top - 9, fitted(measure, drawing.title, u.width - 8), { colour: quiet, weight: 600 });
      drawPlot(pen, u, drawing, left, top);
    }
    if (!plots.length) return pen.text(width / 2, foot / 2, fitted(measure, element.textContent ?? "", room), { colour: quiet, align: "center" });
    const [only] = plots;
    const middle = plots.length === 1 && only ? only.left + (only.u.bbox.left + only.u.bbox.width / 2) / devicePixelRatio : width / 2;
    pen.text(middle, foot + AXIS / 2 - 2, fitted(measure, told.xTitle, room), { colour: quiet, align: "center" });
    for (const entry of entries) drawName(pen, entry, SIDE + entry.left, legend + entry.row * ROW, text);
    words.forEach((line, at) => pen.text(SIDE, said + at * ROW, line, { colour: quiet }));
  };
  return { width, height, paint };
}

interface PlacedPlot {
  u: NonNullable<Drawing["u"]>;
  drawing: Drawing;
  left: number;
  top: number;
}

/** Where the plots stand in the picture, those that are scrolled away too. */
function placed(element: HTMLElement, drawings: readonly Drawing[]): PlacedPlot[] {
  const box = element.getBoundingClientRect();
  const scrolled = element.querySelector(".m-facets")?.scrollTop ?? 0;
  return drawings.flatMap((drawing) => {
    const { u } = drawing;
    if (!u) return [];
    const at = u.root.getBoundingClientRect();
    return [{ u, drawing, left: at.left - box.left, top: at.top - box.top + scrolled + HEAD }];
  });
}

/** A drawing around others, with a title above. */
export function page(width: number, height: number, title: string, inside: string): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${rounded(width)}" height="${rounded(height)}" viewBox="0 0 ${rounded(width)} ${rounded(height)}" font-family="${escaped(css("--m-font"))}" font-size="11">` +
    `<title>${escaped(title)}</title><rect width="100%" height="100%" fill="${css("--m-surface")}"/>` +
    `<text x="${SIDE}" y="18" font-size="13" font-weight="600" fill="${css("--m-text")}">${escaped(title)}</text>${inside}</svg>`
  );
}
