// A list of offers below a text field: a combobox by the book. Arrows choose, Tab and Enter take, Esc closes. Nothing is
// asked while nobody types: the list comes after a pause in typing, with the down arrow, or with a click into the field.
export interface Offer {
  text: string;
  label: string;
  note: string;
  kind: string;
}

export interface Found {
  start: number;
  end: number;
  items: Offer[];
}

export interface Source {
  ask(field: HTMLInputElement, signal: AbortSignal): Promise<Found>;
  take(field: HTMLInputElement, found: Found, offer: Offer): boolean; // whether to ask again at once
}

const PAUSE = 120; // ms without a key
let numbers = 0;

export class Offers {
  private readonly box = document.createElement("div");
  private readonly list = document.createElement("ul");
  private found: Found = { start: 0, end: 0, items: [] };
  private active = -1;
  private isStale = false; // typed on since the list was asked for
  private timer = 0;
  private asked: AbortController | null = null;
  private isAsking = false; // then Escape is for the offers that are on their way

  constructor(
    private readonly field: HTMLInputElement,
    private readonly source: Source,
  ) {
    numbers += 1;
    this.list.id = `offers-${numbers}`;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Offers");
    this.box.className = "m-offers";
    this.box.hidden = true;
    this.box.append(this.list);
    field.after(this.box);
    for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": this.list.id, "aria-haspopup": "listbox" })) {
      field.setAttribute(name, value);
    }
    this.box.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    this.list.addEventListener("click", (event) => {
      const item = (event.target as Element).closest<HTMLElement>("[role=option]");
      if (item) this.take(Number(item.dataset.place));
    });
    field.addEventListener("blur", () => this.close());
  }

  get isOpen(): boolean {
    return !this.box.hidden;
  }

  get isChosen(): boolean {
    return this.isOpen && this.active >= 0;
  }

  /** Asks after a pause in typing. */
  soon(): void {
    this.isStale = true;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.now(), PAUSE);
  }

  async now(): Promise<void> {
    clearTimeout(this.timer);
    this.asked?.abort();
    const asked = (this.asked = new AbortController());
    this.isAsking = true;
    try {
      const found = await this.source.ask(this.field, asked.signal);
      if (this.asked === asked) this.isAsking = false;
      if (!asked.signal.aborted && document.activeElement === this.field) this.show(found);
    } catch {
      if (!asked.signal.aborted) this.close(); // an offer that does not come is none
    }
  }

  show(found: Found, footer?: HTMLElement): void {
    this.found = found;
    this.active = -1;
    this.isStale = false;
    this.list.replaceChildren(...found.items.map((item, place) => this.option(item, place)));
    this.box.querySelector("footer")?.remove();
    if (footer) this.box.append(footer);
    const typed = this.field.value.slice(found.start, found.end).trim();
    const needless = found.items.length === 1 && found.items[0]?.text.trim() === typed;
    this.box.hidden = found.items.length === 0 || needless;
    this.field.setAttribute("aria-expanded", String(this.isOpen));
    this.choose(-1);
    this.box.scrollTop = 0;
  }

  close(): boolean {
    const was = this.isOpen || this.isAsking;
    this.isAsking = false;
    clearTimeout(this.timer);
    this.asked?.abort();
    this.box.hidden = true;
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
    return was;
  }

  /** Whether the key was one for the list. */
  key(event: KeyboardEvent): boolean {
    switch (event.key) {
      case "ArrowDown":
        if (this.isOpen) this.choose((this.active + 1) % this.found.items.length);
        else void this.now();
        return true;
      case "ArrowUp":
        if (!this.isOpen) return false;
        this.choose(this.active <= 0 ? this.found.items.length - 1 : this.active - 1);
        return true;
      case "Enter":
        return this.isOpen && !this.isStale && this.active >= 0 && this.take(this.active);
      case "Tab": {
        if (this.isOpen && this.isStale && !event.shiftKey) {
          void this.now().then(() => this.isOpen && !this.isStale && this.take(0));
          return true;
        }
        const typed = this.found.end > this.found.start;
        return this.isOpen && !event.shiftKey && (this.active >= 0 || typed) && this.take(Math.max(0, this.active));
      }
      case "Escape":
        return this.close();
      default:
        return false;
    }
  }

  private take(place: number): boolean {
    const offer = this.found.items[place];
    if (!offer) return false;
    const found = this.found;
    this.close();
    if (this.source.take(this.field, found, offer)) void this.now();
    return true;
  }

  private option(item: Offer, place: number): HTMLElement {
    const option = document.createElement("li");
    option.id = `${this.list.id}-${place}`;
    option.dataset.place = String(place);
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    const label = document.createElement("code");
    label.textContent = item.label;
    option.append(label);
    if (item.note) {
      const note = document.createElement("span");
      note.className = "note";
      note.textContent = item.note;
      option.append(note);
    }
    return option;
  }

  private choose(place: number): void {
    this.active = place;
    for (const [at, option] of [...this.list.children].entries()) {
      option.setAttribute("aria-selected", String(at === place));
      if (at === place) option.scrollIntoView({ block: "nearest" });
    }
    if (place < 0) this.field.removeAttribute("aria-activedescendant");
    else this.field.setAttribute("aria-activedescendant", `${this.list.id}-${place}`);
  }
}
