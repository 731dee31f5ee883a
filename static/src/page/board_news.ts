// Whether entries came to a board since its table was drawn, asked only while somebody looks. A strip tells it, and
// brings them in: no row moves by itself, and filter, order and place on the page stay.
const EVERY = 4_000;

let timer = 0;

const strip = (): HTMLElement | null => document.querySelector<HTMLElement>("[data-board-news]");

function wait(): void {
  clearTimeout(timer);
  if (strip() && !document.hidden) timer = window.setTimeout(() => void ask(), EVERY);
}

async function ask(): Promise<void> {
  const at = strip();
  if (!at || document.hidden) return;
  try {
    const { boardNews = "", after = "0" } = at.dataset;
    const answer = await fetch(`${boardNews}&after=${after}`, { credentials: "same-origin", redirect: "error" });
    if (answer.ok && at.isConnected) tell(at, ((await answer.json()) as { new: number }).new);
  } catch {
    at.dataset.missed = String(Number(at.dataset.missed ?? 0) + 1); // the server is away: asked again later
  } finally {
    wait();
  }
}

function tell(at: HTMLElement, count: number): void {
  const bar = at.querySelector<HTMLElement>(".m-strip");
  const words = at.querySelector("[data-words]");
  if (!bar || !words || !count) return;
  const text = `${count.toLocaleString("en")} new ${count === 1 ? "entry" : "entries"}.`;
  if (words.textContent !== text) words.textContent = text;
  bar.hidden = false;
}

export function listenForBoardNews(): void {
  wait();
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : void ask()));
  document.addEventListener("htmx:load", wait);
}
