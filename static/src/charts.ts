// Curves of many runs: draws what is in view, follows the bar above and the list of runs, keeps its state in the URL.
import { OverlayPlot, type Board, type Legend, type OverlayLook } from "./charts/overlay";

const DEFAULT_SMOOTHING = 0.6;
const root = document.getElementById("charts");
const plots = new Map<HTMLElement, OverlayPlot>();
const inView = new Set<HTMLElement>();
const legend = new Map<number, Legend>();
const hidden = new Set<number>();

function asked(): URLSearchParams {
  return new URLSearchParams(location.search);
}

function look(): OverlayLook {
  const state = asked();
  const x = state.get("x");
  const [from, to] = [state.get("from"), state.get("to")].map((text) => (text === null ? NaN : Number(text)));
  return {
    x: x === "time" || x === "relative" ? x : "step",
    log: state.get("log") === "1",
    logx: state.get("logx") === "1",
    smoothing: root?.hasAttribute("data-grouped") ? 0 : Math.min(0.99, Math.max(0, Number(state.get("smooth") ?? DEFAULT_SMOOTHING) || 0)),
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

function drawInView(): void {
  for (const element of inView) draw(element);
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

function remember(change: Record<string, string | null>): void {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(change)) {
    if (value === null) address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  history.replaceState(history.state, "", address);
  const unzoom = document.getElementById("unzoom");
  if (unzoom) unzoom.hidden = look().window === null;
  drawInView();
}

function press(button: HTMLElement, on: boolean): void {
  button.setAttribute("aria-pressed", String(on));
  button.classList.toggle("active", on);
}

/** A choice of the bar. Another x axis means another window. */
function choose(button: HTMLElement): void {
  const [name = "", value = ""] = (button.dataset.look ?? "").split("=");
  if (name !== "x") {
    const on = button.getAttribute("aria-pressed") !== "true";
    press(button, on);
    remember({ [name]: on ? "1" : null });
    return;
  }
  for (const other of button.parentElement?.querySelectorAll<HTMLElement>("[data-look]") ?? []) press(other, other === button);
  remember({ x: value === "step" ? null : value, from: null, to: null });
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

function filterByName(text: string): void {
  const words = text.toLowerCase();
  for (const figure of document.querySelectorAll<HTMLElement>("[data-metric]")) figure.hidden = !figure.dataset.metric?.toLowerCase().includes(words);
  for (const section of document.querySelectorAll<HTMLElement>("[data-section]")) section.hidden = !section.querySelector("[data-metric]:not([hidden])");
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
  const smoothing = document.querySelector<HTMLInputElement>("#smooth");
  smoothing?.addEventListener("input", () => {
    const shown = document.getElementById("smooth-value");
    if (shown) shown.textContent = Number(smoothing.value).toFixed(2);
    remember({ smooth: Number(smoothing.value) === DEFAULT_SMOOTHING ? null : smoothing.value });
  });
  const name = document.querySelector<HTMLInputElement>("#metric-name");
  name?.addEventListener("input", () => filterByName(name.value));
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
  const unzoom = document.getElementById("unzoom");
  if (unzoom) unzoom.hidden = look().window === null;
  for (const element of document.querySelectorAll<HTMLElement>("[data-chart]")) watch.observe(element);
}

begin();
listen();
let settling = 0;
addEventListener("resize", () => {
  clearTimeout(settling);
  settling = setTimeout(() => inView.forEach((element) => plots.get(element)?.redraw()), 120);
});
addEventListener("mled:theme", () => inView.forEach((element) => plots.get(element)?.redraw()));
