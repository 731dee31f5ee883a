// Curves of a run: draws what is in view, follows the bar above (axis, log, smoothing, name), keeps its state in the URL.
import { axisAsked, chosen, drawWhatIsSeen, keepInAddress, listenForLooks, listenToFields, smoothingAsked } from "./charts/bar";
import { CurvePlot, type Look } from "./charts/plot";

const plots = new Map<HTMLElement, CurvePlot>();

function look(): Look {
  const state = new URLSearchParams(location.search);
  return { x: axisAsked(state), log: state.get("log") === "1", smoothing: smoothingAsked(state) };
}

function draw(element: HTMLElement): void {
  let plot = plots.get(element);
  if (!plot) plots.set(element, (plot = new CurvePlot(element, look())));
  void plot.show(look());
}

const inView = drawWhatIsSeen("[data-curve]", draw);

function remember(change: Record<string, string | null>): void {
  keepInAddress(change);
  for (const element of inView) draw(element);
}

/** A choice of the bar: a link for readers without scripts, here a state of the page. */
document.getElementById("curve-bar")?.addEventListener("click", (event) => {
  const button = (event.target as Element).closest<HTMLElement>("[data-look]");
  if (!button) return;
  event.preventDefault();
  remember(chosen(button));
});

// A run that goes on: its curves in view are read again while somebody looks.
const EVERY_MS = 10_000;

function followTheRun(): void {
  if (!document.querySelector("[data-live]")) return;
  setInterval(() => {
    if (document.visibilityState !== "visible") return;
    for (const element of inView) void plots.get(element)?.refresh();
  }, EVERY_MS);
}

followTheRun();
listenToFields(remember);
listenForLooks(() => plots.forEach((plot) => plot.redraw()));
