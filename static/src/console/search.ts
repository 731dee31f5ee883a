// Searching the whole log: which lines hold the words is said by the server, stepping goes from one to the next.
import type { Log } from "./log";

const WAIT_MS = 350;

export interface Search {
  step(by: 1 | -1): void;
}

export function listenForSearch(log: Log, panel: HTMLElement): Search {
  const form = document.getElementById("console-search") as HTMLFormElement;
  const field = document.getElementById("find") as HTMLInputElement;
  const said = document.getElementById("found");
  let lines: number[] = [];
  let at = -1;
  let more = false;
  let timer = 0;
  let asked = 0;
  log.find = field.value;

  function tell(): void {
    if (said) said.textContent = !field.value ? "" : lines.length ? `${(at + 1).toLocaleString("en")} of ${lines.length.toLocaleString("en")}${more ? "+" : ""}` : "not found";
    for (const id of ["match-previous", "match-next"]) {
      const button = document.getElementById(id);
      button?.classList.toggle("disabled", !lines.length);
      button?.setAttribute("aria-disabled", String(!lines.length));
      if (lines.length) button?.setAttribute("href", "#found");
      else button?.removeAttribute("href");
    }
  }

  async function show(place: number): Promise<void> {
    at = place;
    tell();
    const line = lines[place];
    if (line !== undefined) await log.go(line);
  }

  async function search(move: boolean): Promise<void> {
    const words = field.value;
    const turn = ++asked;
    const state = new URLSearchParams(location.search);
    if (words) state.set("find", words);
    else state.delete("find");
    history.replaceState(history.state, "", `?${state}${location.hash}`);
    let found: { lines: number[]; more: boolean } = { lines: [], more: false };
    if (words) {
      const query = new URLSearchParams({ file: panel.dataset.file ?? "", find: words });
      const answer = await fetch(`${panel.dataset.findUrl}?${query}`, { credentials: "same-origin" });
      if (turn !== asked || !answer.ok) return;
      found = (await answer.json()) as typeof found;
    }
    ({ lines, more } = found);
    log.find = words;
    const seen = log.seenLine;
    await log.again();
    const next = lines.findIndex((line) => line >= seen);
    at = lines.length ? (next < 0 ? lines.length - 1 : next) : -1;
    if (move && lines.length) await show(at);
    else tell();
  }

  function step(by: 1 | -1): void {
    if (lines.length) void show((at + by + lines.length) % lines.length);
  }

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void search(true), WAIT_MS);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (lines.length && log.find === field.value) step(1);
    else void search(true);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.shiftKey) {
      event.preventDefault();
      step(-1);
    } else if (event.key === "Escape" && field.value) {
      field.value = "";
      void search(false);
      event.stopPropagation();
    }
  });
  if (field.value) void search(false);
  return { step };
}
