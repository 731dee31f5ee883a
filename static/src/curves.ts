// The curve on a run's overview: drawn when it comes into view, and read again while the run goes on and somebody looks.
import { listenForLooks, Watched } from "./charts/bar";
import { lookOf } from "./charts/look";
import { CurvePlot, type Look } from "./charts/plot";

const EVERY_MS = 10_000;
const plots = new Map<HTMLElement, CurvePlot>();

function look(): Look {
  const { x, log, smooth } = lookOf(new URLSearchParams(location.search));
  return { x: x === "time" || x === "relative" ? x : "step", log, smoothing: smooth };
}

function draw(element: HTMLElement): void {
  let plot = plots.get(element);
  if (!plot) plots.set(element, (plot = new CurvePlot(element, look())));
  void plot.show(look());
}

const watched = new Watched(draw);
const watch = (): void => document.querySelectorAll<HTMLElement>("[data-curve]").forEach((one) => !plots.has(one) && watched.add(one));
watch();
document.addEventListener("mled:parts", watch); // the run began, or logged its first figures, while the page was open
listenForLooks(() => plots.forEach((plot) => plot.redraw()));
setInterval(() => {
  if (document.visibilityState !== "visible" || !document.querySelector("[data-live]")) return;
  for (const element of watched.inView) void plots.get(element)?.refresh();
}, EVERY_MS);
