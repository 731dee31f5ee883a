// Whether entries came to a board since its table was drawn, asked only while somebody looks. A strip tells it, and
// brings them in: no row moves by itself; filter, order, place on the page and the current row stay.
const EVERY = 3_000; // milliseconds: an entry is told of within five seconds

let timer = 0;
let asking = false;
let scrolled: [number, number] = [0, 0];
let newest = 0; // of the table that is about to be brought again, while it is

const body = (): HTMLElement | null => document.querySelector<HTMLElement>("[data-board-news]");
const table = (): HTMLElement | null => document.getElementById("board-table");

function wait(): void {
  clearTimeout(timer);
  if (body() && !document.hidden) timer = window.setTimeout(() => void ask(), EVERY);
}

async function ask(): Promise<void> {
  const at = body();
  if (!at || asking || document.hidden) return;
  asking = true;
  try {
    const { boardNews = "", after = "0", known = "" } = at.dataset;
    const mark = boardNews.includes("?") ? "&" : "?";
    const address = `${boardNews}${mark}after=${after}&known=${known}`;
    const answer = await fetch(address, { credentials: "same-origin", redirect: "error" });
    if (answer.ok && at.isConnected) tell(at, ((await answer.json()) as { new: number }).new);
  } catch {
    at.dataset.missed = String(Number(at.dataset.missed ?? 0) + 1); // the server is away: asked again later
  } finally {
    asking = false;
    wait();
  }
}

function tell(at: HTMLElement, count: number): void {
  const bar = at.querySelector<HTMLElement>("#board-newer .m-strip");
  const words = at.querySelector("[data-words]");
  const show = at.querySelector<HTMLElement>("[data-show]");
  if (!bar || !words || !show || !count) return;
  const text = `${count.toLocaleString("en")} new ${count === 1 ? "entry" : "entries"}.`;
  if (words.textContent !== text) words.textContent = text;
  show.textContent = count === 1 ? "Show it" : "Show them";
  bar.hidden = false;
}

/** Rows that were not there before bear a mark at their edge. */
function markNew(after: number): void {
  for (const row of table()?.querySelectorAll<HTMLElement>("tbody tr[data-ref]") ?? []) {
    row.classList.toggle("m-new", Number(row.dataset.ref) > after);
  }
}

function settle(): void {
  const at = table();
  if (body() && at) [at.scrollLeft, at.scrollTop] = scrolled;
  if (newest) {
    markNew(newest);
    at?.focus({ preventScroll: true }); // the link that brought them is gone
  }
  newest = 0;
  wait();
}

export function listenForBoardNews(): void {
  wait();
  document.addEventListener("click", (event) => {
    if ((event.target as Element).closest("[data-board-news] [data-show]")) newest = Number(body()?.dataset.after ?? 0);
  });
  document.addEventListener("htmx:beforeSwap", () => {
    scrolled = [table()?.scrollLeft ?? 0, table()?.scrollTop ?? 0];
  });
  document.addEventListener("htmx:afterSettle", settle);
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : void ask()));
}
