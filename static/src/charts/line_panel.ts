// The curves of one or more metrics in many runs, or the bands of groups of runs, in one panel. The cell gives the look,
// the board which lines are hidden; the panel reads its data again when the server's answer depends on what changed.
import { fetchBlocks } from "./blocks";
import type { Board, Cell, Shown } from "./board";
import { entriesOf } from "./legend";
import { drawnOf, naturally, type Answered, type Drawn } from "./lines";
import { axisTitle, fixedRange, type Look } from "./look";
import { css } from "./marks";
import { noticeWords, pointWords, tell, type Beside } from "./notice";
import { pictureOf } from "./picture";
import { Plot, type Extent } from "./plot_of_lines";
import type { Row } from "./saving";

const FACETS_MAX = 12;
const FACET_WIDTH = 170;
const FACET_HEIGHT = 96;
const FACET_HEAD = 18;

export class LinePanel implements Shown {
  private answered: Answered[] | null = null;
  private loading: AbortController | null = null;
  private loaded = "";
  private plots: Plot[] = [];
  private lines: Drawn[] = [];
  private beside: Beside = { beyond: 0, facetsLeft: 0 };
  private window: Extent | null = null;

  constructor(
    private readonly element: HTMLElement,
    private readonly cell: Cell,
    private readonly board: Board,
  ) {}

  /** A panel with an axis of its own has a window of its own, too. */
  private look(): Look {
    const look = this.cell.look();
    if (look.x === this.board.axis()) this.window = null;
    return this.window ? { ...look, window: this.window } : look;
  }

  private zoom(window: Extent | null): void {
    if (this.cell.look().x === this.board.axis()) return this.board.zoom(window);
    this.window = window;
    void this.show();
  }

  async show(): Promise<void> {
    const addresses = this.cell.metrics().map((metric) => this.address(metric));
    if (addresses.join(" ") === this.loaded && this.answered) this.draw();
    else await this.load(addresses);
  }

  /** Reads again what is shown, for runs that go on. A zoomed window stays: nothing moves under the hand. */
  async refresh(): Promise<void> {
    if (this.answered && !this.loading && !this.look().window) await this.load(this.loaded.split(" "), true);
  }

  redraw(): void {
    if (this.answered) this.draw();
  }

  light(ids: readonly string[] | null): void {
    for (const plot of this.plots) plot.light(ids);
  }

  cross(x: number | null, axis: string): void {
    for (const plot of this.plots) plot.cross(axis === this.look().x ? x : null);
  }

  destroy(): void {
    this.loading?.abort();
    this.clear();
  }

  async picture(kind: "png" | "svg"): Promise<Blob> {
    const [look, answered] = [this.look(), this.answered ?? []];
    const words = [pointWords(this.lines), ...noticeWords({ ...look, window: null }, answered, this.lines, this.beside), look.window && "zoomed"];
    return pictureOf(kind, this.element, {
      title: this.cell.title(),
      drawings: this.plots.map((plot) => plot.drawing()),
      xTitle: axisTitle(look.x),
      entries: entriesOf(this.lines, look, answered, this.board.model),
      words: words.filter((said): said is string => Boolean(said)).join(" · "),
    });
  }

  /** What is shown as a table: only the lines that are drawn, in the window, as many points as are drawn. */
  rows(): Row[] {
    const banded = this.lines.some((line) => line.kind === "band");
    const head: Row = ["metric", "line", "run", "x", "value", ...(banded ? ["low", "high", "runs"] : [])];
    const rows = this.lines.flatMap((line) => {
      const { x, y, low, high, runs } = line.block;
      const ref = line.kind === "band" ? "" : (line.ids[0] ?? "");
      return Array.from(x, (at, i): Row => [line.metric, line.name, ref, at, y[i] ?? "", ...(banded ? [low?.[i] ?? "", high?.[i] ?? "", runs?.[i] ?? ""] : [])]);
    });
    return [head, ...rows];
  }

  private address(metric: string): string {
    const look = this.look();
    const address = new URL(this.board.model.data, location.href);
    const set = (name: string, value: string): void => address.searchParams.set(name, value);
    set("key", metric);
    set("x", look.x);
    set("buckets", String(Math.min(1000, Math.max(60, Math.round(this.element.clientWidth / 2)))));
    if (look.group.length) {
      const fields = look.facet && !look.group.includes(look.facet) ? [look.facet, ...look.group] : look.group;
      for (const field of fields) address.searchParams.append("group", field);
      set("middle", look.middle);
      set("spread", look.spread);
    }
    if (look.window) {
      set("from", String(look.window[0]));
      set("to", String(look.window[1]));
    }
    return address.href;
  }

  private async load(addresses: string[], quietly = false): Promise<void> {
    this.loading?.abort();
    const mine = new AbortController();
    this.loading = mine;
    if (!quietly) this.element.setAttribute("aria-busy", "true");
    try {
      const answers = await Promise.all(addresses.map((address) => fetchBlocks(address, mine.signal)));
      this.answered = this.cell.metrics().map((metric, at) => ({ metric, answer: answers[at] as Answered["answer"] }));
      this.loaded = addresses.join(" ");
      this.draw();
    } catch (error) {
      if (!mine.signal.aborted && !quietly) this.say(error instanceof Error ? error.message : "The curves did not come.");
    } finally {
      if (this.loading === mine) {
        this.loading = null;
        this.element.removeAttribute("aria-busy");
      }
    }
  }

  private clear(): void {
    for (const plot of this.plots) plot.destroy();
    this.plots = [];
  }

  private say(words: string): void {
    this.clear();
    this.element.textContent = words;
    this.element.classList.add("m-chart-empty");
  }

  private draw(): void {
    const look = this.look();
    const answered = this.answered ?? [];
    this.lines = drawnOf(answered, look, this.board.model, this.board.hidden, css);
    this.clear();
    const facets = [...new Set(this.lines.map((line) => line.facet))].sort(naturally);
    const plots = facets.slice(0, FACETS_MAX).map((facet) => new Plot(this.lines.filter((line) => line.facet === facet), facet, look, this.board, (window) => this.zoom(window)));
    const beyond = { count: 0 };
    if (!plots.some((plot) => plot.hasPoints)) {
      this.say(this.nothing(answered));
    } else {
      this.element.replaceChildren();
      this.element.classList.remove("m-chart-empty");
      const range = this.range(plots, beyond);
      this.place(plots, range);
    }
    this.beside = { beyond: beyond.count, facetsLeft: Math.max(0, facets.length - FACETS_MAX) };
    tell(this.cell, look, answered, this.lines, this.board.model, this.beside);
  }

  /** One range for all facets; with "same" one for all charts of the section; null: as each plot finds it. */
  private range(plots: readonly Plot[], beyond: { count: number }): Extent | null {
    const look = this.look();
    const fixed = fixedRange(look.yrange);
    const own = fixed ?? joined(plots.map((plot) => plot.extent(look.outliers)));
    if (fixed || look.outliers) beyond.count = own ? plots.reduce((sum, plot) => sum + plot.beyond(own), 0) : 0;
    if (fixed) return fixed;
    if (look.yrange === "same") return this.board.shared(this.cell, own);
    return plots.length > 1 || look.outliers ? own : null;
  }

  private place(plots: Plot[], range: Extent | null): void {
    const [width, height] = [this.element.clientWidth, this.element.clientHeight];
    this.plots = plots;
    if (plots.length === 1 && !plots[0]?.facet) {
      plots[0]?.draw(this.element, width, height, range);
      return;
    }
    const columns = Math.max(1, Math.min(plots.length, Math.floor(width / FACET_WIDTH)));
    const rows = Math.ceil(plots.length / columns);
    const grid = document.createElement("div");
    grid.className = "m-facets";
    if (rows * (FACET_HEIGHT + FACET_HEAD) > height) grid.tabIndex = 0; // scrolls, by keys too
    grid.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    this.element.append(grid);
    for (const plot of plots) {
      const box = document.createElement("div");
      const head = document.createElement("div");
      head.className = "m-facet-head trunc";
      head.textContent = plot.facet;
      box.append(head);
      grid.append(box);
      plot.draw(box, Math.floor(width / columns) - 4, Math.max(FACET_HEIGHT, Math.floor(height / rows) - FACET_HEAD), range);
    }
  }

  private nothing(answered: readonly Answered[]): string {
    if (!answered.some(({ answer }) => answer.blocks.length)) return "None of these has it in this window.";
    if (!this.lines.length) return "All lines are hidden: open an eye in the list of runs.";
    const look = this.look();
    if (answered.some(({ answer }) => answer.leftOut > 0) && !this.lines.some((line) => line.block.x.length)) {
      return "No point has a value of the metric on the horizontal axis at its step.";
    }
    return look.log || look.logx ? "Nothing above 0 to draw on a log axis." : "Only NaN or infinite values.";
  }
}

function joined(extents: readonly (Extent | null)[]): Extent | null {
  const known = extents.filter((extent): extent is Extent => extent !== null);
  return known.length ? [Math.min(...known.map(([low]) => low)), Math.max(...known.map(([, high]) => high))] : null;
}

