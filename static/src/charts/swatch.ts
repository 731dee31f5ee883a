// A short line in a colour and dash, and other small parts that scripts add to a page.
const SVG = "http://www.w3.org/2000/svg";

/** In a colour of its own, as a line of a chart has it. */
export function swatch(colour: string, dash: readonly number[]): SVGElement {
  return drawn("own", { stroke: colour, ...(dash.length && { "stroke-dasharray": dash.map((part) => part / 1.5).join(" ") }) });
}

/** One of the twelve of the runs' colours. */
export const slotSwatch = (slot: number): SVGElement => drawn(`r${slot}`, {});

function drawn(kind: string, attributes: Record<string, string>): SVGElement {
  const shown = document.createElementNS(SVG, "svg");
  shown.setAttribute("class", `m-sw ${kind}`);
  shown.setAttribute("viewBox", "0 0 18 8");
  shown.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  for (const [name, value] of Object.entries({ d: "M0 4h18", ...attributes })) path.setAttribute(name, value);
  shown.append(path);
  return shown;
}

/** An icon of the sprite that the page uses already. */
export function icon(name: string, extra = "i-sm"): SVGElement {
  const shown = document.createElementNS(SVG, "svg");
  shown.setAttribute("class", `i ${extra}`);
  shown.setAttribute("aria-hidden", "true");
  const sprite = document.querySelector("svg.i use")?.getAttribute("href")?.split("#")[0] ?? "";
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${sprite}#${name}`);
  shown.append(use);
  return shown;
}

type Child = Node | string | null | undefined | false;

/** An element with attributes (true: without a value; false, null: left out) and children. */
export function make<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, string | boolean | null> = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false));
  return made;
}
