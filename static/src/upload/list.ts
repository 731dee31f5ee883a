// The files of a new version as they go up: one row each, and all of them together.
export type State = "waiting" | "sending" | "paused" | "done" | "failed";

export interface Item {
  path: string;
  size: number;
  sent: number;
  state: State;
  words: string;
  id: string;
}

const SHOWN = 200;
const UNITS = ["kB", "MB", "GB", "TB"];

/** Bytes as the server writes them: powers of 1000. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let amount = bytes;
  let unit = -1;
  while (amount >= 1000 && unit < UNITS.length - 1) {
    amount /= 1000;
    unit++;
  }
  return `${amount.toFixed(unit === 0 || amount >= 100 ? 0 : 1)} ${UNITS[unit]}`;
}

const ICONS: Record<State, string> = { waiting: "clock", sending: "upload", paused: "warn", done: "ok", failed: "bad" };

function words(item: Item): string {
  if (item.words) return item.words;
  if (item.state === "done") return "Sent";
  if (item.state === "waiting") return "Waiting";
  return `${item.size ? Math.floor((100 * item.sent) / item.size) : 100} %`;
}

export class List {
  private readonly rows = new Map<string, HTMLElement>();
  private readonly template: HTMLTemplateElement;
  private frame = 0;
  private readonly changed = new Set<Item>();

  constructor(
    private readonly place: HTMLElement,
    private readonly items: Map<string, Item>,
    private readonly remove: (path: string) => void,
  ) {
    this.template = document.querySelector<HTMLTemplateElement>("#upload-row")!;
  }

  /** Draws with the next frame, however often it is called. */
  touch(item: Item): void {
    this.changed.add(item);
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    this.frame = 0;
    for (const item of this.changed) this.drawRow(item);
    this.changed.clear();
    this.drawWhole();
  }

  private drawRow(item: Item): void {
    let row = this.rows.get(item.path);
    if (!this.items.has(item.path)) {
      row?.remove();
      this.rows.delete(item.path);
      return;
    }
    if (!row) {
      if (this.rows.size >= SHOWN) return;
      row = this.newRow(item);
    }
    row.dataset.state = item.state;
    row.querySelector(".s")!.textContent = size(item.size);
    const use = row.querySelector("use");
    use?.setAttribute("href", (use.getAttribute("href") ?? "").replace(/#.*$/, `#${ICONS[item.state]}`));
    const bar = row.querySelector("progress")!;
    bar.hidden = item.state === "done" || item.state === "failed";
    bar.max = Math.max(1, item.size);
    bar.value = item.size ? item.sent : item.state === "done" ? 1 : 0;
    row.querySelector(".w")!.textContent = words(item);
  }

  private newRow(item: Item): HTMLElement {
    const row = (this.template.content.cloneNode(true) as DocumentFragment).firstElementChild as HTMLElement;
    row.querySelector(".p")!.textContent = item.path;
    row.querySelector(".p")!.setAttribute("title", item.path);
    row.querySelector("progress")!.setAttribute("aria-label", item.path);
    const button = row.querySelector("button")!;
    button.querySelector(".visually-hidden")!.textContent = `Leave out ${item.path}`;
    button.addEventListener("click", () => this.remove(item.path));
    this.rows.set(item.path, row);
    this.place.append(row);
    return row;
  }

  private drawWhole(): void {
    const all = [...this.items.values()];
    const whole = document.getElementById("upload-whole")!;
    whole.hidden = all.length === 0;
    const bytes = all.reduce((sum, item) => sum + item.size, 0);
    const sent = all.reduce((sum, item) => sum + item.sent, 0);
    const done = all.filter((item) => item.state === "done").length;
    const bar = whole.querySelector("progress")!;
    bar.max = Math.max(1, bytes);
    bar.value = bytes ? sent : done ? 1 : 0;
    const hidden = all.length - this.rows.size;
    const more = hidden > 0 ? `, ${hidden.toLocaleString("en")} of them not listed` : "";
    whole.querySelector(".w")!.textContent =
      `${done.toLocaleString("en")} of ${all.length.toLocaleString("en")} files, ${size(sent)} of ${size(bytes)}${more}`;
  }
}
