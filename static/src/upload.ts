// A new version from files: they go up while the note is written, and the form is sent once all of them are there.
import { fromDrop, fromField, type Chosen } from "./upload/choosing";
import { List, type Item } from "./upload/list";
import { forget, keyOf, recall, remember } from "./upload/remembering";
import { drop, Refusal, send, type Server } from "./upload/sending";

const AT_ONCE = 3;

class Uploading {
  private readonly items = new Map<string, Item>();
  private readonly files = new Map<string, File>();
  private readonly stops = new Map<string, AbortController>();
  private readonly list: List;
  private readonly server: Server;
  private submitting = false;

  constructor(private readonly form: HTMLFormElement) {
    this.server = {
      begin: form.dataset.begin!,
      one: form.dataset.one!,
      purpose: form.dataset.purpose ?? "",
      token: form.querySelector<HTMLInputElement>("[name=csrfmiddlewaretoken]")!.value,
    };
    this.list = new List(document.getElementById("upload-list")!, this.items, (path) => this.leaveOut(path));
    this.takeUp();
    this.listen();
  }

  /** What was sent before the server found a mistake in the form. */
  private takeUp(): void {
    const sent = JSON.parse(this.kept.value || "[]") as { id: string; path: string; size: number }[];
    for (const { id, path, size } of sent) {
      const item: Item = { id, path, size, sent: size, state: "done", words: "" };
      this.items.set(path, item);
      this.list.touch(item);
    }
  }

  /** Whether the form is about its files; else they may be none (data-optional). */
  private get needed(): boolean {
    return !("optional" in this.form.dataset);
  }

  private get kept(): HTMLInputElement {
    return this.form.querySelector<HTMLInputElement>("[name=uploads]")!;
  }

  private listen(): void {
    for (const field of this.form.querySelectorAll<HTMLInputElement>("input[type=file]")) {
      field.removeAttribute("name"); // their bytes go by themselves
      field.required = false;
      field.addEventListener("change", () => this.take(field));
      this.take(field); // chosen before this script was there
    }
    const place = this.form.querySelector<HTMLElement>("[data-drop]")!;
    for (const name of ["dragenter", "dragover"]) place.addEventListener(name, (event) => this.hover(event, place, true));
    for (const name of ["dragleave", "drop"]) place.addEventListener(name, (event) => this.hover(event, place, false));
    place.addEventListener("drop", (event) => void this.dropped(event));
    this.form.addEventListener("submit", (event) => this.submit(event));
    addEventListener("beforeunload", (event) => {
      if (!this.submitting && this.unfinished().length) event.preventDefault();
    });
  }

  private take(field: HTMLInputElement): void {
    if (!field.files?.length) return;
    this.add(fromField(field));
    field.value = "";
  }

  private hover(event: Event, place: HTMLElement, over: boolean): void {
    event.preventDefault();
    place.toggleAttribute("data-over", over);
  }

  private async dropped(event: DragEvent): Promise<void> {
    if (!event.dataTransfer) return;
    try {
      this.add(await fromDrop(event.dataTransfer.items));
    } catch {
      this.say("This folder could not be read. Choose it with the button instead.");
    }
  }

  /** A file with the same path takes the place of the one before. */
  private add(chosen: Chosen[]): void {
    this.say("");
    for (const { path, file } of chosen) {
      this.leaveOut(path);
      const item: Item = { id: "", path, size: file.size, sent: 0, state: "waiting", words: "" };
      this.items.set(path, item);
      this.files.set(path, file);
      this.list.touch(item);
    }
    this.next();
  }

  private leaveOut(path: string): void {
    const item = this.items.get(path);
    if (!item) return;
    this.stops.get(path)?.abort();
    this.items.delete(path);
    if (item.id) drop(this.server, item.id);
    this.list.touch(item);
    this.next();
    if (this.submitting) this.complete();
  }

  private unfinished(): Item[] {
    return [...this.items.values()].filter((item) => item.state !== "done" && item.state !== "failed");
  }

  private next(): void {
    for (const item of this.items.values()) {
      if (this.stops.size >= AT_ONCE) return;
      if (item.state === "waiting" && !this.stops.has(item.path)) void this.start(item);
    }
  }

  private async start(item: Item): Promise<void> {
    const file = this.files.get(item.path);
    if (!file) return;
    const stop = new AbortController();
    const key = keyOf(this.server.begin, item.path, file);
    this.stops.set(item.path, stop);
    item.state = "sending";
    this.list.touch(item);
    const told = {
      sent: (bytes: number) => this.tell(item, { sent: Math.min(bytes, item.size), state: "sending", words: "" }),
      waiting: (seconds: number) => this.tell(item, { state: "paused", words: `Connection lost. Trying again in ${seconds} s` }),
      begun: (id: string) => remember(key, id),
    };
    try {
      item.id = await send(this.server, file, recall(key), told, stop.signal);
      forget(key);
      this.tell(item, { sent: item.size, state: "done", words: "" });
    } catch (error) {
      if (!stop.signal.aborted) this.tell(item, { state: "failed", words: reason(error) });
    } finally {
      if (this.stops.get(item.path) === stop) this.stops.delete(item.path);
      this.next();
      if (this.submitting) this.complete();
    }
  }

  private tell(item: Item, change: Partial<Item>): void {
    if (this.items.get(item.path) !== item) return;
    Object.assign(item, change);
    this.list.touch(item);
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    if (this.submitting || !this.form.reportValidity()) return;
    if (!this.items.size && this.needed) {
      this.say("Choose at least one file.");
      this.form.querySelector<HTMLElement>("input[type=file]")?.focus();
      return;
    }
    this.submitting = true;
    this.busy(true);
    this.complete();
  }

  /** Sends the form when nothing is on its way any more, or says which files did not arrive. */
  private complete(): void {
    if (this.unfinished().length) return;
    const failed = [...this.items.values()].filter((item) => item.state === "failed");
    if (failed.length || (this.needed && !this.items.size)) {
      this.submitting = false;
      this.busy(false);
      this.say(failed.length ? `${failed.length} of ${this.items.size} files did not arrive. Leave them out or choose them again.` : "Choose at least one file.");
      return;
    }
    this.kept.value = JSON.stringify([...this.items.values()].map(({ id, path, size }) => ({ id, path, size })));
    this.form.submit();
  }

  private busy(on: boolean): void {
    const button = this.form.querySelector<HTMLButtonElement>("button[data-send]")!;
    button.disabled = on;
    button.querySelector(".w")!.textContent = on ? "Waiting for the files" : (button.dataset.send ?? "");
  }

  private say(words: string): void {
    const place = document.getElementById("upload-problem")!;
    place.hidden = !words;
    place.querySelector(".w")!.textContent = words;
  }
}

function reason(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  return "The server did not answer for a long time. Choose the file again to go on.";
}

const form = document.querySelector<HTMLFormElement>("form[data-begin]");
if (form) new Uploading(form);
