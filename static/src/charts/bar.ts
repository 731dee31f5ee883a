// The bar above charts: its buttons, the smoothing, and the search for a metric's name. Both pages of curves have it:
// those of one run and those of many.
import { change, type Change } from "./address";
import { DEFAULT_SMOOTHING } from "./look";

function press(button: HTMLElement, on: boolean): void {
  button.setAttribute("aria-pressed", String(on));
  button.classList.toggle("active", on);
}

/** What pressing a [data-look] button changes: one of several for the axis, else on or off. */
function chosen(button: HTMLElement): Change {
  const [name = "", value = ""] = (button.dataset.look ?? "").split(/=(.*)/s);
  if (name !== "x") return { [name]: button.getAttribute("aria-pressed") === "true" ? null : "1" };
  return { x: value === "step" ? null : value, xfrom: null, xto: null }; // another axis means another window
}

/** Shows in the bar what the address says. */
export function showBar(state: URLSearchParams): void {
  for (const button of document.querySelectorAll<HTMLElement>("#chart-bar [data-look]")) {
    const [name = "", value = ""] = (button.dataset.look ?? "").split(/=(.*)/s);
    press(button, (state.get(name) ?? (name === "x" ? "step" : "")) === value);
  }
  const smoothing = document.querySelector<HTMLInputElement>("#smooth");
  const shown = document.getElementById("smooth-value");
  if (smoothing) smoothing.value = state.get("smooth") ?? String(DEFAULT_SMOOTHING);
  if (shown && smoothing) shown.textContent = Number(smoothing.value).toFixed(2);
  const method = document.querySelector<HTMLSelectElement>("#smooth-method");
  if (method) method.value = state.get("method") ?? "ema";
  const unzoom = document.getElementById("unzoom");
  if (unzoom) unzoom.hidden = !state.has("xfrom");
}

export function filterByName(text: string): void {
  const words = text.toLowerCase();
  for (const figure of document.querySelectorAll<HTMLElement>("[data-metric], [data-choice]")) {
    figure.hidden = !(figure.dataset.metric ?? figure.dataset.choice ?? "").toLowerCase().includes(words);
  }
  for (const section of document.querySelectorAll<HTMLElement>("[data-section]")) {
    section.hidden = !section.querySelector("[data-metric]:not([hidden])");
  }
}

/** Listens to the bar; each change goes into the address, and changed is called. */
export function listenToBar(changed: () => void): void {
  const apply = (by: Change): void => {
    change(by);
    changed();
  };
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const button = target.closest<HTMLElement>("#chart-bar [data-look]");
    if (button) apply(chosen(button));
    else if (target.closest("#unzoom")) apply({ xfrom: null, xto: null });
  });
  document.addEventListener("input", (event) => {
    const field = event.target as HTMLInputElement;
    if (field.id === "smooth") apply({ smooth: Number(field.value) === DEFAULT_SMOOTHING ? null : field.value });
    else if (field.id === "smooth-method") apply({ method: field.value === "ema" ? null : field.value });
    else if (field.id === "metric-name") filterByName(field.value);
  });
}

/** Draws an element once it comes near the screen, and tells which ones are there. */
export class Watched {
  readonly inView = new Set<HTMLElement>();
  private readonly watch: IntersectionObserver;

  constructor(draw: (element: HTMLElement) => void) {
    this.watch = new IntersectionObserver(
      (seen) => {
        for (const { target, isIntersecting } of seen) {
          const element = target as HTMLElement;
          if (!isIntersecting) this.inView.delete(element);
          else if (!this.inView.has(element)) {
            this.inView.add(element);
            draw(element);
          }
        }
      },
      { rootMargin: "200px" },
    );
  }

  add(element: HTMLElement): void {
    this.watch.observe(element);
  }

  remove(element: HTMLElement): void {
    this.watch.unobserve(element);
    this.inView.delete(element);
  }

  end(): void {
    this.watch.disconnect();
    this.inView.clear();
  }
}

/** Calls back when the page has settled in another size, and when its theme changed. */
export function listenForLooks(redraw: () => void): void {
  let settling = 0;
  addEventListener("resize", () => {
    clearTimeout(settling);
    settling = window.setTimeout(redraw, 120);
  });
  addEventListener("mled:theme", redraw);
}
