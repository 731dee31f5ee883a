// Curves of a run: draws what is in view, follows the bar above (axis, log, smoothing, name), keeps its state in the URL.
import { CurvePlot, type Look } from "./charts/plot";

const DEFAULT_SMOOTHING = 0.6;
const plots = new Map<HTMLElement, CurvePlot>();
const inView = new Set<HTMLElement>();

function look(): Look {
  const asked = new URLSearchParams(location.search);
  const x = asked.get("x");
  return {
    x: x === "time" || x === "relative" ? x : "step",
    log: asked.get("log") === "1",
    smoothing: Math.min(0.99, Math.max(0, Number(asked.get("smooth") ?? DEFAULT_SMOOTHING) || 0)),
  };
}

function draw(element: HTMLElement): void {
  let plot = plots.get(element);
  if (!plot) plots.set(element, (plot = new CurvePlot(element, look())));
  void plot.show(look());
}

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

function redrawInView(): void {
  for (const element of inView) plots.get(element)?.redraw();
}

function remember(change: Record<string, string | null>): void {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(change)) {
    if (value === null) address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  history.replaceState(history.state, "", address);
  for (const element of inView) draw(element);
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

function listen(): void {
  document.getElementById("curve-bar")?.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLAnchorElement>("[data-look]");
    if (!button) return;
    event.preventDefault();
    choose(button);
  });
  const smoothing = document.querySelector<HTMLInputElement>("#smooth");
  smoothing?.addEventListener("input", () => {
    const shown = document.getElementById("smooth-value");
    if (shown) shown.textContent = Number(smoothing.value).toFixed(2);
    remember({ smooth: Number(smoothing.value) === DEFAULT_SMOOTHING ? null : smoothing.value });
  });
  const name = document.querySelector<HTMLInputElement>("#metric-name");
  name?.addEventListener("input", () => filterByName(name.value));
}

/** A choice of the bar: a link for readers without scripts, here a state of the page. */
function choose(button: HTMLElement): void {
  const [name = "", value = ""] = (button.dataset.look ?? "").split("=");
  if (name === "log") {
    const on = button.getAttribute("aria-pressed") !== "true";
    press(button, on);
    remember({ log: on ? "1" : null });
    return;
  }
  for (const other of button.parentElement?.querySelectorAll<HTMLElement>("[data-look]") ?? []) press(other, other === button);
  remember({ [name]: value === "step" ? null : value });
}

function press(button: HTMLElement, on: boolean): void {
  button.setAttribute("aria-pressed", String(on));
  button.classList.toggle("active", on);
}

// A run that goes on: its curves in view are read again while somebody looks.
const EVERY_MS = 10_000;

function followTheRun(): void {
  if (!document.querySelector("[data-live]")) return;
  setInterval(() => {
    if (document.visibilityState !== "visible") return;
    for (const element of inView) void plots.get(element)?.refresh();
  }, EVERY_MS);
}

for (const element of document.querySelectorAll<HTMLElement>("[data-curve]")) watch.observe(element);
followTheRun();
listen();
let settling = 0;
addEventListener("resize", () => {
  clearTimeout(settling);
  settling = setTimeout(redrawInView, 120);
});
addEventListener("mled:theme", redrawInView);
