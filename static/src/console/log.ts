// The lines that are in the page, and bringing others: never more than a few thousand, whatever the log holds.
interface Answer {
  html: string;
  same?: boolean;
  first: number;
  last: number;
  total: number;
  mark: string;
  version: string;
  grew: boolean;
}

const KEPT = 3_000;

export class Log {
  find = "";
  private readonly list = document.getElementById("log") as HTMLOListElement;
  private asking: Promise<Answer | null> | null = null;
  private turns = 0;
  private first: number;
  private last: number;
  private total: number;

  constructor(
    private readonly panel: HTMLElement,
    private readonly box: HTMLElement,
  ) {
    this.first = Number(panel.dataset.first);
    this.last = Number(panel.dataset.last);
    this.total = Number(panel.dataset.total);
    box.addEventListener("scroll", () => this.fill(), { passive: true });
  }

  get seenLine(): number {
    const top = this.box.getBoundingClientRect().top;
    const line = this.lines().find((one) => one.getBoundingClientRect().bottom > top + 2);
    return Number(line?.dataset.line ?? this.first);
  }

  toBottom(): void {
    this.box.scrollTop = this.box.scrollHeight;
  }

  /** Bring a line into view, from the server where it is not in the page, and mark it. */
  async go(line: number): Promise<void> {
    const wanted = Math.min(Math.max(1, line), this.total);
    if (!(await this.bring({ line: String(wanted) }, () => this.has(wanted)))) return;
    this.point(wanted);
    this.line(wanted)?.scrollIntoView({ block: "center" });
  }

  /** Mark a line, and put it into the address. */
  point(line: number): void {
    for (const other of this.list.querySelectorAll("[data-lit]")) other.removeAttribute("data-lit");
    this.line(line)?.setAttribute("data-lit", "");
    const state = new URLSearchParams(location.search);
    state.set("file", this.panel.dataset.file ?? "");
    state.set("line", String(line));
    state.delete("match");
    history.replaceState(history.state, "", `?${state}#L${line}`);
  }

  async end(): Promise<void> {
    if (await this.bring({ last: "1" }, () => this.last >= this.total)) this.toBottom();
  }

  async earlier(): Promise<void> {
    if (this.first <= 1) return;
    const more = await this.ask({ until: String(this.first) });
    if (!more?.html) return;
    const before = this.box.scrollHeight - this.box.scrollTop;
    this.list.insertAdjacentHTML("afterbegin", more.html);
    this.box.scrollTop = this.box.scrollHeight - before;
    this.first = more.first;
    this.trim("end");
    this.tell();
  }

  async later(): Promise<void> {
    if (this.last >= this.total) return;
    const more = await this.ask({ first: String(this.last + 1) });
    if (!more?.html) return;
    this.list.insertAdjacentHTML("beforeend", more.html);
    this.last = more.last;
    this.trim("start");
    this.tell();
  }

  /** What came since. The last line is asked for again: it may have gone on. */
  async newer(stay: boolean): Promise<void> {
    if (this.last < this.total || this.asking) return;
    const { mark = "", version = "" } = this.panel.dataset;
    const more = await this.ask({ first: String(Math.max(1, this.last)), mark, version });
    if (!more || more.same) return;
    if (more.grew) {
      for (const line of this.lines()) if (Number(line.dataset.line) >= more.first) line.remove();
      this.list.insertAdjacentHTML("beforeend", more.html);
      this.last = Math.max(this.last, more.last);
      this.know(more);
      this.trim("start");
    } else this.replace(more);
    this.tell();
    if (stay) this.toBottom();
  }

  /** The same lines again, with other words marked. */
  async again(): Promise<void> {
    while (this.asking) await this.asking;
    const top = this.seenLine;
    const same = await this.ask({ line: String(top) });
    const lit = this.list.querySelector<HTMLElement>("[data-lit]")?.dataset.line;
    this.replace(same);
    this.line(top)?.scrollIntoView({ block: "start" });
    if (lit) this.line(Number(lit))?.setAttribute("data-lit", "");
  }

  has(line: number): boolean {
    return this.line(line) !== null;
  }

  private line(number: number): HTMLElement | null {
    return this.list.querySelector<HTMLElement>(`[data-line="${number}"]`);
  }

  private lines(): HTMLElement[] {
    return [...this.list.querySelectorAll<HTMLElement>("[data-line]")];
  }

  private fill(): void {
    if (this.asking) return;
    if (this.box.scrollTop < 200) void this.earlier();
    else if (this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 200) void this.later();
  }

  private replace(more: Answer | null): void {
    if (!more) return;
    this.list.innerHTML = more.html;
    this.first = more.first;
    this.last = more.last;
    this.know(more);
    this.tell();
  }

  private know(more: Answer): void {
    this.total = more.total;
    this.panel.dataset.mark = more.mark;
    this.panel.dataset.version = more.version;
  }

  private trim(from: "start" | "end"): void {
    const lines = this.lines();
    const gone = lines.length - KEPT;
    if (gone <= 0) return;
    if (from === "end") {
      for (const line of lines.slice(-gone)) line.remove();
      this.last -= gone;
      return;
    }
    const before = this.box.scrollHeight - this.box.scrollTop;
    for (const line of lines.slice(0, gone)) line.remove();
    this.first += gone;
    this.box.scrollTop = this.box.scrollHeight - before;
  }

  private tell(): void {
    const place = document.getElementById("console-total");
    if (place) place.textContent = this.total.toLocaleString("en");
    document.getElementById("console-earlier")?.toggleAttribute("hidden", this.first <= 1);
    document.getElementById("console-later")?.toggleAttribute("hidden", this.last >= this.total);
  }

  /** Other lines, as a person asks for them: they wait for what is under way. False where one asked for others since. */
  private async bring(wanted: Record<string, string>, isHere: () => boolean): Promise<boolean> {
    const turn = ++this.turns;
    while (this.asking) await this.asking;
    if (turn !== this.turns) return false;
    if (!isHere()) this.replace(await this.ask(wanted));
    return turn === this.turns;
  }

  /** Nothing where something is asked already: the next turn asks again. */
  private ask(wanted: Record<string, string>): Promise<Answer | null> {
    if (this.asking) return Promise.resolve(null);
    this.asking = this.fetch(wanted).finally(() => {
      this.asking = null;
    });
    return this.asking;
  }

  private async fetch(wanted: Record<string, string>): Promise<Answer | null> {
    const query = new URLSearchParams({ file: this.panel.dataset.file ?? "", ...wanted });
    if (this.find) query.set("find", this.find);
    try {
      const answer = await fetch(`${this.panel.dataset.linesUrl}?${query}`, { credentials: "same-origin" });
      return answer.ok ? ((await answer.json()) as Answer) : null;
    } catch {
      return null; // the next turn asks again
    }
  }
}
