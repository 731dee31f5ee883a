// A short line in a colour and dash, and other small parts that scripts add to a page.
const SVG = "http://www.w3.org/2000/svg";

export function swatch(colour: string, dash: readonly number[]): SVGElement {
  const shown = document.createElementNS(SVG, "svg");
  shown.setAttribute("class", "m-sw own");
  shown.setAttribute("viewBox", "0 0 18 8");
  shown.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", "M0 4h18");
  path.setAttribute("stroke", colour);
  if (dash.length) path.setAttribute("stroke-dasharray", dash.map((part) => part / 1.5).join(" "));
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
