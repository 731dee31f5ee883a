// How parameters go with a result, as bars: correlation or importance of each, with n, and a caution where runs are few.
// The figures are those of the page "What matters", for the runs of the same question.
import { blobOf, sheet } from "../panels/pen";
import type { Cell, Shown } from "./board";
import { css } from "./marks";
import type { Model } from "./model";
import { HEAD, page } from "./picture";
import type { Row } from "./saving";
import { make } from "./swatch";

const MOST = 12;
const FIGURES = ["last", "min", "max", "best"];
export const METHODS = ["spearman", "pearson", "importance"] as const;
type Method = (typeof METHODS)[number];
const SVG = "http://www.w3.org/2000/svg";

interface Figures {
  n: number;
  too_few: number;
  /** How importance is reckoned. */
  method: string;
  relations: ({ name: string; n: number } & Record<Method, number | null>)[];
}

interface Relation {
  name: string;
  n: number;
  by: number;
}

export class ImportancePanel implements Shown {
  private figures: Figures | null = null;
  private loaded = "";
  private loading: AbortController | null = null;

  constructor(
    private readonly element: HTMLElement,
    private readonly cell: Cell & { own(): { y?: string; method?: string } | null },
    private readonly model: Model,
  ) {}

  async show(): Promise<void> {
    const address = this.address();
    if (address === this.loaded && this.figures) return this.draw();
    this.loading?.abort();
    const mine = new AbortController();
    this.loading = mine;
    this.element.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { signal: mine.signal });
      if (!answer.ok) throw new Error(answer.status === 400 ? "Choose a metric in the menu of this panel." : `The figures did not come: ${answer.status}`);
      this.figures = (await answer.json()) as Figures;
      this.loaded = address;
      this.draw();
    } catch (error) {
      if (!mine.signal.aborted) this.say(error instanceof Error ? error.message : "The figures did not come.");
    } finally {
      if (this.loading === mine) this.element.removeAttribute("aria-busy");
    }
  }

  redraw(): void {
    if (this.figures) this.draw();
  }

  light(): void {}

  destroy(): void {
    this.loading?.abort();
    this.element.replaceChildren();
  }

  rows(): Row[] {
    return [["parameter", this.method(), "n"], ...this.relations().map((one): Row => [one.name, one.by, one.n])];
  }

  async picture(kind: "png" | "svg"): Promise<Blob> {
    const svg = this.drawing();
    if (!svg) throw new Error("Nothing is drawn yet.");
    svg.setAttribute("y", String(HEAD));
    const [width, height] = [this.element.clientWidth, this.element.clientHeight + HEAD];
    const text = page(width, height, this.cell.title(), new XMLSerializer().serializeToString(svg));
    return kind === "svg" ? new Blob([text], { type: "image/svg+xml" }) : painted(text, width, height);
  }

  private method(): Method {
    const said = this.cell.own()?.method;
    return METHODS.find((one) => one === said) ?? "spearman";
  }

  private relations(): Relation[] {
    return strongest(this.figures?.relations ?? [], this.method());
  }

  private address(): string {
    const [, metric = "", figure = "best"] = /^metrics\.(.*?)(?:\.(last|min|max|best))?$/.exec(this.cell.own()?.y ?? "") ?? [];
    const address = new URL(this.model.matters ?? "", location.href);
    address.searchParams.set("result", metric || this.model.goal || (this.model.metrics[0] ?? ""));
    address.searchParams.set("figure", FIGURES.includes(figure) ? figure : "best");
    return address.href;
  }

  private say(words: string): void {
    this.element.replaceChildren(words);
    this.element.classList.add("m-chart-empty");
  }

  private draw(): void {
    const svg = this.drawing();
    const told = this.figures;
    if (!svg || !told) return this.say(this.method() === "importance" ? "Too few runs with this result to reckon importance." : "No parameter that is a number varies among the runs with this result.");
    const few = told.n < told.too_few;
    this.element.classList.remove("m-chart-empty");
    this.element.classList.toggle("m-few", few);
    this.element.replaceChildren(svg);
    const points = this.cell.figure.querySelector("[data-points]");
    const words = { spearman: "Spearman", pearson: "Pearson", importance: "Importance" }[this.method()];
    if (points) points.textContent = `${words}, n = ${told.n}`;
    const notice = this.cell.figure.querySelector("[data-notice]");
    notice?.replaceChildren(
      make("span", {}, few ? `Too few runs to tell: fewer than ${told.too_few}. ` : "", this.method() === "importance" ? told.method : "Correlation, not cause."),
      " ",
      make("a", { href: this.page() }, "What matters"),
    );
  }

  private page(): string {
    const address = new URL(this.model.mattersPage ?? "", location.href);
    address.searchParams.set("result", new URL(this.loaded || location.href).searchParams.get("result") ?? "");
    return `${address.pathname}${address.search}`;
  }

  private drawing(): SVGSVGElement | null {
    const shown = this.relations().slice(0, MOST);
    if (!shown.length) return null;
    const [width, height] = [this.element.clientWidth, this.element.clientHeight];
    const names = Math.min(width * 0.4, 12 + 6.4 * Math.max(...shown.map((one) => Math.min(24, one.name.length))));
    const row = Math.min(30, (height - 24) / shown.length);
    const reach = Math.max(0.2, ...shown.map((one) => Math.abs(one.by))) * 1.25;
    const x = (value: number): number => names + 34 + ((value + reach) / (2 * reach)) * (width - names - 68);
    const svg = element("svg", { width: String(width), height: String(height), viewBox: `0 0 ${width} ${height}`, "font-size": "11", "font-family": css("--m-font") }) as SVGSVGElement;
    for (const at of [-reach, 0, reach].map((one) => Math.trunc(one * 10) / 10)) {
      svg.append(element("path", { d: `M${x(at)} 2V${height - 20}`, stroke: css(at === 0 ? "--m-line-2" : "--m-line") }));
      svg.append(text(x(at), height - 6, String(at), css("--m-text-3"), "middle"));
    }
    shown.forEach((one, at) => {
      const y = 4 + at * row;
      const [from, to] = one.by < 0 ? [x(one.by), x(0)] : [x(0), x(one.by)];
      svg.append(text(names, y + row / 2 + 4, one.name.length > 24 ? `${one.name.slice(0, 23)}…` : one.name, css("--m-text"), "end"));
      const bar = element("rect", { x: String(from), y: String(y + row * 0.2), width: String(Math.max(1, to - from)), height: String(row * 0.6), fill: css("--run-1") });
      bar.append(titled(`${one.name}: ${one.by}, n = ${one.n}`));
      svg.append(bar, text(one.by < 0 ? from - 4 : to + 4, y + row / 2 + 4, one.by.toFixed(2), css("--m-text-2"), one.by < 0 ? "end" : "start"));
    });
    return svg;
  }
}

function element(tag: string, attributes: Record<string, string>): SVGElement {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function text(x: number, y: number, words: string, fill: string, anchor: string): SVGElement {
  const made = element("text", { x: String(x), y: String(y), fill, "text-anchor": anchor });
  made.textContent = words;
  return made;
}

function titled(words: string): SVGElement {
  const made = element("title", {});
  made.textContent = words;
  return made;
}

/** The parameters for which this was reckoned, the strongest first. */
export function strongest(relations: Figures["relations"], method: Method): Relation[] {
  return relations
    .flatMap((one) => (one[method] === null ? [] : [{ name: one.name, n: one.n, by: one[method] as number }]))
    .sort((a, b) => Math.abs(b.by) - Math.abs(a.by));
}

async function painted(svg: string, width: number, height: number): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const pen = sheet(width, height);
  pen.fillStyle = css("--m-surface");
  pen.fillRect(0, 0, width, height);
  pen.drawImage(image, 0, 0, width, height);
  return blobOf(pen.canvas);
}
