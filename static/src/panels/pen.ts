// One way to draw for the screen, for a PNG and for an SVG: a pen on a canvas, and a pen that writes SVG.
export type Shape = "circle" | "square" | "triangle" | "diamond" | "cross";

export interface Style {
  stroke?: string;
  fill?: string;
  width?: number;
  dash?: number[];
  alpha?: number;
}

export interface TextStyle {
  colour: string;
  align?: "left" | "center" | "right";
  size?: number;
  weight?: number;
  /** Drawn around the letters, so that lines behind do not disturb. */
  halo?: string;
  /** Upwards, as along a vertical axis. */
  upwards?: boolean;
}

export interface Pen {
  /** A line through x, y, x, y, … */
  line(points: number[], style: Style): void;
  rect(x: number, y: number, width: number, height: number, style: Style): void;
  mark(shape: Shape, x: number, y: number, radius: number, style: Style): void;
  text(x: number, y: number, words: string, style: TextStyle): void;
  widthOf(words: string, size?: number): number;
  /** What is drawn meanwhile is seen only within this place. */
  within(x: number, y: number, width: number, height: number, draw: () => void): void;
}

/** Pixels of a PNG for each pixel of the page: the same for every panel, so that they can stand side by side. */
export const PICTURE_SCALE = 2;
const SIZE = 11;

/** The corners of a mark as x, y, x, y, …; of circles and crosses none. */
function corners(shape: Shape, x: number, y: number, r: number): number[] {
  if (shape === "square") return [x - r * 0.89, y - r * 0.89, x + r * 0.89, y - r * 0.89, x + r * 0.89, y + r * 0.89, x - r * 0.89, y + r * 0.89];
  if (shape === "triangle") return [x, y - r * 1.25, x + r * 1.15, y + r * 0.85, x - r * 1.15, y + r * 0.85];
  if (shape === "diamond") return [x, y - r * 1.3, x + r * 1.3, y, x, y + r * 1.3, x - r * 1.3, y];
  return [];
}

export class CanvasPen implements Pen {
  constructor(
    readonly ctx: CanvasRenderingContext2D,
    private readonly font: string,
  ) {}

  line(points: number[], style: Style): void {
    this.trace(points);
    this.finish(style);
  }

  rect(x: number, y: number, width: number, height: number, style: Style): void {
    this.ctx.beginPath();
    this.ctx.rect(x, y, width, height);
    this.finish(style);
  }

  mark(shape: Shape, x: number, y: number, radius: number, style: Style): void {
    if (shape === "cross") {
      const arm = radius * 0.8;
      this.line([x - arm, y - arm, x + arm, y + arm], { ...style, stroke: style.fill ?? "", width: 2, fill: "" });
      this.line([x + arm, y - arm, x - arm, y + arm], { ...style, stroke: style.fill ?? "", width: 2, fill: "" });
      return;
    }
    const at = corners(shape, x, y, radius);
    if (at.length) {
      this.trace(at);
      this.ctx.closePath();
    } else {
      this.ctx.beginPath();
      this.ctx.arc(x, y, radius, 0, 2 * Math.PI);
    }
    this.finish(style);
  }

  text(x: number, y: number, words: string, style: TextStyle): void {
    const { ctx } = this;
    ctx.save();
    ctx.font = `${style.weight ?? 400} ${style.size ?? SIZE}px ${this.font}`;
    ctx.textAlign = style.align ?? "left";
    ctx.textBaseline = "middle";
    ctx.translate(x, y);
    if (style.upwards) ctx.rotate(-Math.PI / 2);
    if (style.halo) {
      ctx.strokeStyle = style.halo;
      ctx.lineWidth = 3;
      ctx.lineJoin = "round";
      ctx.strokeText(words, 0, 0);
    }
    ctx.fillStyle = style.colour;
    ctx.fillText(words, 0, 0);
    ctx.restore();
  }

  widthOf(words: string, size = SIZE): number {
    this.ctx.font = `400 ${size}px ${this.font}`;
    return this.ctx.measureText(words).width;
  }

  within(x: number, y: number, width: number, height: number, draw: () => void): void {
    this.ctx.save();
    this.ctx.beginPath();
    this.ctx.rect(x, y, width, height);
    this.ctx.clip();
    draw();
    this.ctx.restore();
  }

  private trace(points: number[]): void {
    this.ctx.beginPath();
    for (let at = 0; at + 1 < points.length; at += 2) {
      if (at === 0) this.ctx.moveTo(points[0] as number, points[1] as number);
      else this.ctx.lineTo(points[at] as number, points[at + 1] as number);
    }
  }

  private finish(style: Style): void {
    const { ctx } = this;
    ctx.globalAlpha = style.alpha ?? 1;
    if (style.fill) {
      ctx.fillStyle = style.fill;
      ctx.fill();
    }
    if (style.stroke) {
      ctx.strokeStyle = style.stroke;
      ctx.lineWidth = style.width ?? 1;
      ctx.setLineDash(style.dash ?? []);
      ctx.stroke();
    }
    ctx.globalAlpha = 1;
  }
}

/** A text within a drawing, without signs that no XML holds. */
export const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`).replace(/[^\P{C}\t\n]/gu, "");
export const rounded = (value: number): string => String(Math.round(value * 100) / 100);

class SvgPen implements Pen {
  private readonly parts: string[] = [];

  constructor(
    private readonly width: number,
    private readonly height: number,
    private readonly font: string,
    private readonly measure: (words: string, size?: number) => number,
  ) {}

  line(points: number[], style: Style): void {
    this.parts.push(`<path d="${path(points)}" ${attributes(style)}/>`);
  }

  rect(x: number, y: number, width: number, height: number, style: Style): void {
    this.parts.push(`<rect x="${rounded(x)}" y="${rounded(y)}" width="${rounded(width)}" height="${rounded(height)}" ${attributes(style)}/>`);
  }

  mark(shape: Shape, x: number, y: number, radius: number, style: Style): void {
    if (shape === "circle") this.parts.push(`<circle cx="${rounded(x)}" cy="${rounded(y)}" r="${rounded(radius)}" ${attributes(style)}/>`);
    else if (shape === "cross") {
      const arm = radius * 0.8;
      const strokes = path([x - arm, y - arm, x + arm, y + arm]) + path([x + arm, y - arm, x - arm, y + arm]);
      this.parts.push(`<path d="${strokes}" ${attributes({ ...style, stroke: style.fill ?? "", width: 2, fill: "" })}/>`);
    } else this.parts.push(`<path d="${path(corners(shape, x, y, radius))}Z" ${attributes(style)}/>`);
  }

  text(x: number, y: number, words: string, style: TextStyle): void {
    const anchor = { left: "start", center: "middle", right: "end" }[style.align ?? "left"];
    const turned = style.upwards ? ` transform="rotate(-90 ${rounded(x)} ${rounded(y)})"` : "";
    const halo = style.halo ? ` stroke="${style.halo}" stroke-width="3" stroke-linejoin="round" paint-order="stroke"` : "";
    this.parts.push(`<text x="${rounded(x)}" y="${rounded(y)}" dy="0.35em" text-anchor="${anchor}" font-size="${style.size ?? SIZE}" font-weight="${style.weight ?? 400}" fill="${style.colour}"${halo}${turned}>${escaped(words)}</text>`);
  }

  widthOf(words: string, size = SIZE): number {
    return this.measure(words, size);
  }

  within(x: number, y: number, width: number, height: number, draw: () => void): void {
    const id = `clip-${Math.random().toString(36).slice(2, 9)}`; // several drawings stand in one file
    this.parts.push(`<clipPath id="${id}"><rect x="${rounded(x)}" y="${rounded(y)}" width="${rounded(width)}" height="${rounded(height)}"/></clipPath><g clip-path="url(#${id})">`);
    draw();
    this.parts.push("</g>");
  }

  /** The whole file. */
  file(title: string): string {
    const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${this.width}" height="${this.height}" viewBox="0 0 ${this.width} ${this.height}" font-family="${escaped(this.font)}" role="img">`;
    return `${head}<title>${escaped(title)}</title>\n${this.parts.join("\n")}\n</svg>\n`;
  }
}

function path(points: number[]): string {
  let found = "";
  for (let at = 0; at + 1 < points.length; at += 2) found += `${at ? "L" : "M"}${rounded(points[at] as number)} ${rounded(points[at + 1] as number)}`;
  return found;
}

function attributes(style: Style): string {
  const said = [`fill="${style.fill || "none"}"`];
  if (style.stroke) said.push(`stroke="${style.stroke}" stroke-width="${style.width ?? 1}"`);
  if (style.stroke && style.dash?.length) said.push(`stroke-dasharray="${style.dash.join(" ")}"`);
  if (style.alpha !== undefined && style.alpha < 1) said.push(`opacity="${style.alpha}"`);
  return said.join(" ");
}

/** A canvas of its own for a file; drawn on in pixels of the page. */
export function sheet(width: number, height: number, scale = PICTURE_SCALE): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.ceil(width * scale), Math.ceil(height * scale)];
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser draws no pictures.");
  context.scale(scale, scale);
  return context;
}

export function blobOf(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("The picture is too large for this browser."))), "image/png"));
}

/** A drawing as a file, both kinds by the same strokes. */
export async function drawnFile(kind: "png" | "svg", width: number, height: number, font: string, title: string, paint: (pen: Pen) => void): Promise<Blob> {
  const drawn = new CanvasPen(sheet(width, height), font);
  if (kind === "png") {
    paint(drawn);
    return blobOf(drawn.ctx.canvas);
  }
  const pen = new SvgPen(width, height, font, (words, size) => drawn.widthOf(words, size));
  paint(pen);
  return new Blob([pen.file(title)], { type: "image/svg+xml" });
}

/** A text cut to a width, with an ellipsis. */
export function fitted(pen: Pen, words: string, room: number, size = SIZE): string {
  if (pen.widthOf(words, size) <= room) return words;
  let kept = words.length;
  while (kept > 1 && pen.widthOf(`${words.slice(0, kept)}…`, size) > room) kept--;
  return `${words.slice(0, kept)}…`;
}
