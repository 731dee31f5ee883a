// A run that waits or goes on: its page follows. What changed of its state is said to screen readers; the parts of the
// page ([data-part]) that became others take the place of the old ones while nobody is about to do something in them.
import htmx from "htmx.org";

const EVERY_MS = 5_000;
const REDRAWN = ["curves", "system", "console"]; // tabs that are made once, and made anew when there is more to make

const said = document.getElementById("job-said");
const news = document.getElementById("job-news");
const tab = document.querySelector<HTMLElement>("[data-run-tab]")?.dataset.runTab ?? "";
const shapes = (): [string, string] => {
  const part = document.getElementById("job");
  return [part?.dataset.state ?? "", part?.dataset.shape ?? ""];
};
let [state, shape] = shapes();
let isAsking = false;
// Something changed since the page was asked for last, or could not be shown: then it is asked for again, also once the
// job is over and nothing else would.
let isOwed = false;

const isOver = (): boolean => ["finished", "failed", "stopped", ""].includes(state);

/** Whether somebody writes, chooses or marks something here. */
function isBusy(part: Element): boolean {
  const marked = getSelection();
  const isMarked = marked !== null && !marked.isCollapsed && marked.anchorNode !== null && part.contains(marked.anchorNode);
  const typed = [...part.querySelectorAll("textarea, input")].some((one) => (one as HTMLInputElement).value !== (one as HTMLInputElement).defaultValue);
  return isMarked || typed || part.contains(document.activeElement) || part.querySelector("details[open]") !== null;
}

/** Puts a part where the old one was. A curve that is drawn already moves over, and reads its new points by itself. */
function replace(old: HTMLElement, fresh: HTMLElement): void {
  for (const drawn of old.querySelectorAll<HTMLElement>("[data-curve]")) {
    const same = [...fresh.querySelectorAll<HTMLElement>("[data-curve]")].find((one) => one.dataset.curve === drawn.dataset.curve);
    if (same && drawn.childElementCount) same.replaceWith(drawn);
  }
  old.replaceWith(fresh);
  htmx.process(fresh);
}

/** As it came from the server, whatever scripts made of it since. */
const sources = new WeakMap<HTMLElement, string>();
for (const part of document.querySelectorAll<HTMLElement>("[data-part]")) sources.set(part, part.innerHTML);

async function follow(): Promise<void> {
  isOwed = true;
  if (isAsking || document.hidden) return;
  isAsking = true;
  try {
    let isWhole = true;
    while (isOwed) {
      isOwed = false;
      const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
      isWhole = answer.ok && take(new DOMParser().parseFromString(await answer.text(), "text/html"));
    }
    isOwed = !isWhole;
  } catch {
    isOwed = true; // the server is away: asked again later
  } finally {
    isAsking = false;
  }
}

/** Whether all that became others could be put in their places. */
function take(page: Document): boolean {
  let isWhole = true;
  for (const old of document.querySelectorAll<HTMLElement>("[data-part]")) {
    const fresh = page.querySelector<HTMLElement>(`[data-part="${old.dataset.part ?? ""}"]`);
    if (!fresh || fresh.innerHTML === sources.get(old)) continue;
    if (isBusy(old)) {
      isWhole = false;
      continue;
    }
    sources.set(fresh, fresh.innerHTML);
    replace(old, fresh);
  }
  document.querySelector("[data-run-tab]")?.toggleAttribute("data-live", state === "running");
  document.dispatchEvent(new CustomEvent("mled:parts"));
  return isWhole;
}

document.addEventListener("visibilitychange", () => isOwed && void follow());

function changed(): void {
  if (!REDRAWN.includes(tab)) void follow();
  else if (isBusy(document.body) && document.activeElement !== document.body) news?.removeAttribute("hidden");
  else location.reload();
}

document.addEventListener("htmx:afterSettle", () => {
  const [nowState, nowShape] = shapes();
  if (nowShape === shape) return;
  if (nowState !== state && said) said.textContent = document.querySelector("#job .m-jobsaid")?.textContent ?? "";
  [state, shape] = [nowState, nowShape];
  changed();
});
news?.querySelector("button")?.addEventListener("click", () => location.reload());
setInterval(() => (isOwed || !isOver()) && !REDRAWN.includes(tab) && void follow(), EVERY_MS);
