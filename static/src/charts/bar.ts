// The bar above charts: what it keeps in the URL, how its buttons look, and the search for a metric's name. Both pages of
// curves have it: those of one run and those of many.
export const DEFAULT_SMOOTHING = 0.6; // as SMOOTHING in experiments/pages/drawing.py

export type Axis = "step" | "time" | "relative";

export function axisAsked(state: URLSearchParams): Axis {
  const x = state.get("x");
  return x === "time" || x === "relative" ? x : "step";
}

export function smoothingAsked(state: URLSearchParams): number {
  return Math.min(0.99, Math.max(0, Number(state.get("smooth") ?? DEFAULT_SMOOTHING) || 0));
}

/** Puts a change into the URL without a step in the history; null takes a name out. */
export function keepInAddress(change: Record<string, string | null>): void {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(change)) {
    if (value === null) address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  history.replaceState(history.state, "", address);
}

function press(button: HTMLElement, on: boolean): void {
  button.setAttribute("aria-pressed", String(on));
  button.classList.toggle("active", on);
}

/** What pressing a [data-look] button changes: one of several for the axis, else on or off. */
export function chosen(button: HTMLElement): Record<string, string | null> {
  const [name = "", value = ""] = (button.dataset.look ?? "").split("=");
  if (name !== "x") {
    const on = button.getAttribute("aria-pressed") !== "true";
    press(button, on);
    return { [name]: on ? "1" : null };
  }
  for (const other of button.parentElement?.querySelectorAll<HTMLElement>("[data-look]") ?? []) press(other, other === button);
  return { x: value === "step" ? null : value };
}

function filterByName(text: string): void {
  const words = text.toLowerCase();
  for (const figure of document.querySelectorAll<HTMLElement>("[data-metric]")) {
    figure.hidden = !figure.dataset.metric?.toLowerCase().includes(words);
  }
  for (const section of document.querySelectorAll<HTMLElement>("[data-section]")) {
    section.hidden = !section.querySelector("[data-metric]:not([hidden])");
  }
}

/** Listens to the slider and the search field of the bar. */
export function listenToFields(remember: (change: Record<string, string | null>) => void): void {
  const smoothing = document.querySelector<HTMLInputElement>("#smooth");
  smoothing?.addEventListener("input", () => {
    const shown = document.getElementById("smooth-value");
    if (shown) shown.textContent = Number(smoothing.value).toFixed(2);
    remember({ smooth: Number(smoothing.value) === DEFAULT_SMOOTHING ? null : smoothing.value });
  });
  const name = document.querySelector<HTMLInputElement>("#metric-name");
  name?.addEventListener("input", () => filterByName(name.value));
}

/** Draws an element once it comes near the screen, and tells which ones are there. */
export function drawWhatIsSeen(selector: string, draw: (element: HTMLElement) => void): Set<HTMLElement> {
  const inView = new Set<HTMLElement>();
  const watch = new IntersectionObserver(
    (seen) => {
      for (const { target, isIntersecting } of seen) {
        const element = target as HTMLElement;
        if (!isIntersecting) inView.delete(element);
        else {
          inView.add(element);
          draw(element);
        }
      }
    },
    { rootMargin: "200px" },
  );
  for (const element of document.querySelectorAll<HTMLElement>(selector)) watch.observe(element);
  return inView;
}

/** Calls back when the page has settled in another size, and when its theme changed. */
export function listenForLooks(redraw: () => void): void {
  let settling = 0;
  addEventListener("resize", () => {
    clearTimeout(settling);
    settling = setTimeout(redraw, 120);
  });
  addEventListener("mled:theme", redraw);
}
