// Curves of many runs: draws what is in view, follows the bar above and the list of runs, keeps its state in the URL.
import { axisAsked, chosen, drawWhatIsSeen, keepInAddress, listenForLooks, listenToFields, smoothingAsked } from "./charts/bar";
import { OverlayPlot, type Board, type Legend, type OverlayLook } from "./charts/overlay";

const root = document.getElementById("charts");
const plots = new Map<HTMLElement, OverlayPlot>();
const legend = new Map<number, Legend>();
const hidden = new Set<number>();

function asked(): URLSearchParams {
  return new URLSearchParams(location.search);
}

function look(): OverlayLook {
  const state = asked();
  const [from, to] = [state.get("from"), state.get("to")].map((text) => (text === null ? NaN : Number(text)));
  return {
    x: axisAsked(state),
    log: state.get("log") === "1",
    logx: state.get("logx") === "1",
    smoothing: root?.hasAttribute("data-grouped") ? 0 : smoothingAsked(state),
    window: Number.isFinite(from) && Number.isFinite(to) ? [from as number, to as number] : null,
  };
}

const board: Board = {
  legend,
  hidden,
  address(key, buckets) {
    const address = new URL(root?.dataset.source ?? "", location.href);
    const now = look();
    address.searchParams.set("key", key);
    address.searchParams.set("x", now.x);
    address.searchParams.set("buckets", String(buckets));
    if (now.window) {
      address.searchParams.set("from", String(now.window[0]));
      address.searchParams.set("to", String(now.window[1]));
    }
    return address.href;
  },
  zoom(window) {
    remember({ from: String(window[0]), to: String(window[1]) });
  },
  light(place) {
    for (const item of root?.querySelectorAll<HTMLElement>("[data-place]") ?? []) {
      item.toggleAttribute("data-lit", place !== null && Number(item.dataset.place) === place);
    }
    for (const element of inView) plots.get(element)?.light(place);
  },
};

function draw(element: HTMLElement): void {
  let plot = plots.get(element);
  if (!plot) plots.set(element, (plot = new OverlayPlot(element, element.dataset.chart ?? "", board, look())));
  void plot.show(look());
}

function remember(change: Record<string, string | null>): void {
  keepInAddress(change);
  showUnzoom();
  for (const element of inView) draw(element);
}

function showUnzoom(): void {
  const unzoom = document.getElementById("unzoom");
  if (unzoom) unzoom.hidden = look().window === null;
}

/** A choice of the bar. Another x axis means another window. */
function choose(button: HTMLElement): void {
  const change = chosen(button);
  remember("x" in change ? { ...change, from: null, to: null } : change);
}

function toggle(item: HTMLElement): void {
  const place = Number(item.dataset.place);
  const on = hidden.has(place);
  if (on) hidden.delete(place);
  else hidden.add(place);
  showEye(item, on);
  const off = [...hidden].map((one) => root?.querySelector<HTMLElement>(`[data-place="${one}"]`)?.dataset.ref ?? "");
  remember({ off: off.length ? off.join(",") : null });
}

function showEye(item: HTMLElement, on: boolean): void {
  item.querySelector(".m-eye")?.setAttribute("aria-pressed", String(on));
  item.toggleAttribute("data-off", !on);
}

function save(button: HTMLElement): void {
  const figure = button.closest("figure");
  const element = figure?.querySelector<HTMLElement>("[data-chart]");
  const picture = element ? plots.get(element)?.picture() : null;
  if (!picture) return;
  const link = document.createElement("a");
  link.href = picture;
  link.download = `${(element?.dataset.chart ?? "chart").replace(/[^\w.-]+/g, "_")}.png`;
  link.click();
}

function listen(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const eye = target.closest<HTMLElement>("#charts .m-eye");
    const choice = target.closest<HTMLElement>("#chart-bar [data-look]");
    const picture = target.closest<HTMLElement>("[data-picture]");
    if (eye) toggle(eye.closest<HTMLElement>("[data-place]") as HTMLElement);
    else if (choice) choose(choice);
    else if (picture) save(picture);
    else if (target.closest("#unzoom")) remember({ from: null, to: null });
  });
  for (const item of root?.querySelectorAll<HTMLElement>("[data-place]") ?? []) {
    item.addEventListener("pointerenter", () => board.light(Number(item.dataset.place)));
    item.addEventListener("pointerleave", () => board.light(null));
  }
  listenToFields(remember);
}

function begin(): void {
  const off = new Set((asked().get("off") ?? "").split(",").filter(Boolean));
  for (const item of root?.querySelectorAll<HTMLElement>("[data-place]") ?? []) {
    const place = Number(item.dataset.place);
    legend.set(place, { name: item.querySelector(".name")?.textContent ?? "", slot: Number(item.dataset.slot) });
    if (off.has(item.dataset.ref ?? "")) {
      hidden.add(place);
      showEye(item, false);
    }
  }
  showUnzoom();
}

begin();
const inView = drawWhatIsSeen("[data-chart]", draw);
listen();
listenForLooks(() => plots.forEach((plot) => plot.redraw()));
