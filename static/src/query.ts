// The query bar: completion in the line and in the forms of its chips, history, examples that fill the line.
import { forget, history, keepSent, noteSent } from "./query/history";
import { Offers } from "./query/offers";
import { barOf, lineSource, put, valueSource } from "./query/sources";

const attached = new WeakMap<HTMLInputElement, Offers>();

const line = (): HTMLInputElement | null => document.querySelector<HTMLInputElement>("[data-suggest] #query");

/** The offers of a field that has some; they are made when it is first used. */
function offersOf(target: EventTarget | null): Offers | null {
  if (!(target instanceof HTMLInputElement) || !barOf(target)) return null;
  const isLine = target.id === "query";
  if (!isLine && target.dataset.complete === undefined) return null;
  const known = attached.get(target);
  if (known) return known;
  const made = new Offers(target, isLine ? lineSource : valueSource);
  attached.set(target, made);
  return made;
}

async function showHistory(field: HTMLInputElement, offers: Offers): Promise<void> {
  const bar = barOf(field);
  if (!bar) return;
  offers.close();
  const queries = await history(bar);
  if (!queries.length || field.value || document.activeElement !== field) return;
  const footer = document.createElement("footer");
  const clear = document.createElement("button");
  Object.assign(clear, { type: "button", className: "btn btn-quiet btn-sm", textContent: "Clear history" });
  clear.addEventListener("click", () => {
    forget(bar);
    offers.close();
  });
  footer.append("Your last queries", clear);
  offers.show({ start: 0, end: 0, items: queries.map((text) => ({ text, label: text, note: "", kind: "history" })) }, footer);
}

function onKey(event: KeyboardEvent): void {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const offers = offersOf(event.target);
  const field = event.target as HTMLInputElement;
  if (!offers) return;
  const wantsHistory = event.key === "ArrowUp" && field.id === "query" && !field.value && !offers.isChosen;
  if (wantsHistory) void showHistory(field, offers);
  if (!wantsHistory && !offers.key(event)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

function onClick(event: MouseEvent): void {
  const at = event.target as Element;
  const example = at.closest<HTMLElement>("[data-fill]");
  const field = line();
  if (example && field) {
    example.closest("details")?.removeAttribute("open");
    put(field, 0, field.value.length, example.dataset.fill ?? "");
    offersOf(field)?.close();
  } else if (at.closest("[data-fix]")) {
    noteSent();
  } else if (at instanceof HTMLInputElement && at.id !== "query") {
    void offersOf(at)?.now();
  }
}

/** Examples of the runs' own keys, once the help is opened. */
async function fillHelp(help: HTMLElement): Promise<void> {
  const address = help.dataset.help;
  delete help.dataset.help;
  if (!address) return;
  const answer = await fetch(address, { credentials: "same-origin" });
  if (answer.ok) help.innerHTML = await answer.text();
  else help.replaceChildren();
}

/** A form that opens near the right edge moves to the left as far as it must. */
function keepInView(opened: HTMLDetailsElement): void {
  const form = opened.querySelector<HTMLElement>(":scope > .m-menu-list");
  if (!form || !opened.closest(".m-chips") || getComputedStyle(opened).position === "static") return;
  form.style.left = "0";
  const over = form.getBoundingClientRect().right - (document.documentElement.clientWidth - 12);
  if (over > 0) form.style.left = `${-over}px`;
}

function onToggle(event: Event): void {
  const opened = event.target as HTMLDetailsElement;
  if (!(opened instanceof HTMLDetailsElement) || !opened.open) return;
  keepInView(opened);
  const help = opened.querySelector<HTMLElement>("[data-help]");
  if (help && opened.matches("[data-query-help]")) void fillHelp(help);
}

function onSubmit(event: SubmitEvent): void {
  const sent = event.target as HTMLFormElement;
  const field = sent.querySelector<HTMLInputElement>("#query");
  if (!barOf(sent)) return;
  if (field) offersOf(field)?.close();
  noteSent(field?.value.trim());
}

function onPage(): void {
  const field = line();
  const bar = field && barOf(field);
  if (field && bar) void keepSent(bar, field);
}

document.addEventListener("keydown", onKey, true);
document.addEventListener("input", (event) => offersOf(event.target)?.soon());
document.addEventListener("click", onClick);
document.addEventListener("toggle", onToggle, true);
document.addEventListener("submit", onSubmit, true);
document.addEventListener("htmx:load", onPage);
onPage();
