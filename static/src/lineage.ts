// The lineage graph: zoom, pan and keys. Without it, the graph is a drawing of links in a box that scrolls.
const SMALLEST = 0.3;
const LARGEST = 2;
const STEP = 1.25;
const READABLE = 0.85; // at first no smaller than this: what does not fit is scrolled to
const HELD_AFTER = 4; // pixels: less is a click

const box = document.querySelector<HTMLElement>("[data-graphbox]");
const graph = box?.querySelector<SVGSVGElement>("svg[data-graph]");

interface Spot {
  link: SVGAElement;
  rank: number;
  top: number;
}

function listen(box: HTMLElement, graph: SVGSVGElement): void {
  const whole = graph.viewBox.baseVal;
  let scale = 1;

  function fits(): number {
    const room = box.clientWidth - 2 * parseFloat(getComputedStyle(box).paddingLeft) - 2;
    return Math.min(1, room / whole.width);
  }

  // Keeps what lies under (x, y) of the box where it is.
  function zoom(to: number, x = box.clientWidth / 2, y = box.clientHeight / 2): void {
    const next = Math.min(LARGEST, Math.max(SMALLEST, to));
    const left = (box.scrollLeft + x) / scale;
    const top = (box.scrollTop + y) / scale;
    graph.setAttribute("width", String(Math.round(whole.width * next)));
    graph.setAttribute("height", String(Math.round(whole.height * next)));
    box.scrollLeft = left * next - x;
    box.scrollTop = top * next - y;
    scale = next;
  }

  function show(node: Element, smooth: boolean): void {
    const at = node.getBoundingClientRect();
    const frame = box.getBoundingClientRect();
    box.scrollBy({
      left: at.left + at.width / 2 - frame.left - frame.width / 2,
      top: at.top + at.height / 2 - frame.top - frame.height / 2,
      behavior: smooth && !matchMedia("(prefers-reduced-motion: reduce)").matches ? "smooth" : "auto",
    });
  }

  const spots: Spot[] = [...graph.querySelectorAll<SVGAElement>(".m-node > a[data-key]")].map((link) => {
    const node = link.parentElement as unknown as SVGGElement;
    return { link, rank: Number(node.dataset.rank), top: node.transform.baseVal.getItem(0).matrix.f };
  });

  function nearest(from: Spot, rank: number): Spot | undefined {
    const there = spots.filter((spot) => spot.rank === rank);
    const key = from.link.dataset.key ?? "";
    const joined = new Set(
      [...graph.querySelectorAll<SVGPathElement>(".ed")].flatMap(({ dataset: { above, below } }) =>
        above === key ? [below] : below === key ? [above] : [],
      ),
    );
    const first = there.filter((spot) => joined.has(spot.link.dataset.key));
    return (first.length > 0 ? first : there).sort((a, b) => Math.abs(a.top - from.top) - Math.abs(b.top - from.top))[0];
  }

  function beside(from: Spot, by: number): Spot | undefined {
    const column = spots.filter((spot) => spot.rank === from.rank).sort((a, b) => a.top - b.top);
    return column[column.indexOf(from) + by];
  }

  function light(key: string | undefined): void {
    for (const edge of graph.querySelectorAll<SVGPathElement>(".ed")) {
      edge.classList.toggle("lit", key !== undefined && (edge.dataset.above === key || edge.dataset.below === key));
    }
  }

  function go(to: Spot | undefined): boolean {
    if (to === undefined) return false;
    to.link.focus({ preventScroll: true });
    show(to.link, true);
    return true;
  }

  function key(event: KeyboardEvent): boolean {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const at = spots.find((spot) => spot.link === document.activeElement);
    switch (event.key) {
      case "+":
      case "=":
        zoom(scale * STEP);
        return true;
      case "-":
        zoom(scale / STEP);
        return true;
      case "0":
        zoom(fits());
        return true;
      case "o":
        if (at?.link.dataset.page) location.assign(at.link.dataset.page);
        return at?.link.dataset.page !== undefined;
      case "ArrowLeft":
      case "ArrowRight":
        if (at === undefined) return go(spots.find((spot) => spot.link.hasAttribute("aria-current")) ?? spots[0]);
        return go(nearest(at, at.rank + (event.key === "ArrowRight" ? 1 : -1)));
      case "ArrowUp":
      case "ArrowDown":
        if (at === undefined) return go(spots.find((spot) => spot.link.hasAttribute("aria-current")) ?? spots[0]);
        return go(beside(at, event.key === "ArrowDown" ? 1 : -1));
      default:
        return false;
    }
  }

  box.addEventListener("keydown", (event) => {
    if (!key(event)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  graph.addEventListener("focusin", (event) => light((event.target as Element).closest<SVGAElement>("a[data-key]")?.dataset.key));
  graph.addEventListener("focusout", () => light(undefined));
  graph.addEventListener("mouseover", (event) => light((event.target as Element).closest<SVGAElement>("a[data-key]")?.dataset.key));
  graph.addEventListener("mouseleave", () => light(undefined));

  box.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const frame = box.getBoundingClientRect();
      zoom(scale * Math.exp(-event.deltaY / 300), event.clientX - frame.left, event.clientY - frame.top);
    },
    { passive: false },
  );

  let held: { x: number; y: number; left: number; top: number; moved: boolean } | undefined;
  box.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType !== "mouse") return; // a finger scrolls by itself
    held = { x: event.clientX, y: event.clientY, left: box.scrollLeft, top: box.scrollTop, moved: false };
  });
  addEventListener("pointermove", (event) => {
    if (held === undefined) return;
    const [x, y] = [event.clientX - held.x, event.clientY - held.y];
    if (!held.moved && Math.hypot(x, y) < HELD_AFTER) return;
    held.moved = true;
    box.classList.add("held");
    box.scrollLeft = held.left - x;
    box.scrollTop = held.top - y;
  });
  addEventListener("pointerup", () => {
    const moved = held?.moved ?? false;
    held = undefined;
    box.classList.remove("held");
    if (moved) addEventListener("click", (event) => event.preventDefault(), { capture: true, once: true });
  });
  graph.addEventListener("dragstart", (event) => event.preventDefault());

  document.addEventListener("click", (event) => {
    const way = (event.target as Element).closest<HTMLElement>("[data-zoom]")?.dataset.zoom;
    if (way === "in") zoom(scale * STEP);
    if (way === "out") zoom(scale / STEP);
    if (way === "fit") zoom(fits());
  });

  zoom(Math.max(READABLE, fits()));
  const start = graph.querySelector("a[aria-current]");
  if (start !== null) show(start, false);
}

if (box && graph) listen(box, graph);
