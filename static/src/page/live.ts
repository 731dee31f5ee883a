// What is new since the run table was drawn, asked only while somebody looks. Figures of its rows change in place; new
// runs and a changed order are told in a strip that lies over the captions, so that no row moves under the cursor.
const SOON = 5_000; // while a run of the page runs
const LATER = 15_000;

let timer = 0;
let asking = false;
let changed = new Set<string>(); // rows whose cells are other than when the table was drawn

const strip = (): HTMLElement | null => document.getElementById("newer");
const rows = (): HTMLTableRowElement[] => [...document.querySelectorAll<HTMLTableRowElement>("table.m-runs tbody tr[data-ref]")];
const numberOf = (row: HTMLElement): string => row.dataset.ref?.split("-").pop() ?? "";

function wait(): void {
  clearTimeout(timer);
  if (!strip()?.dataset.live || document.hidden) return;
  const runs = document.querySelector("table.m-runs .runstatus .m-b.run") !== null;
  timer = window.setTimeout(() => void ask(), runs ? SOON : LATER);
}

function addressOf(at: HTMLElement): string {
  const { live = "", since = "", number = "" } = at.dataset;
  return `${live}&since=${since}&number=${number}&rows=${rows().map(numberOf).join(",")}`;
}

async function ask(): Promise<void> {
  const at = strip();
  if (!at?.dataset.live || asking || document.hidden) return;
  asking = true;
  try {
    const answer = await fetch(addressOf(at), { credentials: "same-origin", redirect: "error" });
    if (answer.ok && at.isConnected) take(at, await answer.text());
  } catch {
    at.dataset.missed = String(Number(at.dataset.missed ?? 0) + 1); // the server is away: asked again later
  } finally {
    asking = false;
    wait();
  }
}

function take(at: HTMLElement, html: string): void {
  const part = document.createElement("template");
  part.innerHTML = html;
  const told = part.content.querySelector<HTMLElement>("#newer");
  if (!told) return;
  at.dataset.since = told.dataset.since ?? "";
  const same = told.dataset.columns === at.dataset.columns;
  for (const row of part.content.querySelectorAll<HTMLTableRowElement>("[data-live-rows] tr")) if (same) refresh(row);
  tell(at, Number(told.dataset.new ?? 0));
}

/** Puts the cells of a row that differ into the row that stands there. Nothing moves. */
export function refresh(fresh: HTMLTableRowElement): void {
  const row = rows().find((one) => one.dataset.ref === fresh.dataset.ref);
  if (!row || row.cells.length !== fresh.cells.length) return;
  let differs = rename(row, fresh);
  for (const [place, cell] of [...row.cells].entries()) {
    const other = fresh.cells[place];
    if (!place || !other || plain(cell) === plain(other)) continue;
    cell.innerHTML = other.innerHTML;
    cell.className = cell.classList.contains("m-lastpin") ? `${other.className} m-lastpin` : other.className;
    if (other.title) cell.title = other.title;
    else cell.removeAttribute("title");
    differs = true;
  }
  if (!differs) return;
  changed.add(row.dataset.ref ?? "");
  row.dataset.live = "";
  row.addEventListener("animationend", () => delete row.dataset.live, { once: true });
}

/** The first cell has what the reader works with: tick, eye, star, place in the tree. Of it only the name is new. */
function rename(row: HTMLTableRowElement, fresh: HTMLTableRowElement): boolean {
  const [name, other] = [row, fresh].map((one) => one.querySelector<HTMLAnchorElement>("a.name"));
  if (!name || !other || name.textContent === other.textContent) return false;
  name.textContent = other.textContent;
  name.title = other.title;
  return true;
}

/** What a cell says, without what a script or the clock changed in it. */
function plain(cell: HTMLTableCellElement): string {
  const words = cell.textContent?.replace(/\s+/g, " ").trim() ?? "";
  if (cell.querySelector("time")) return cell.querySelector("time")?.dateTime ?? "";
  const icons = [...cell.querySelectorAll("use")].map((use) => use.getAttribute("href")).join(" ");
  const heat = /\bht\d/.exec(cell.className)?.[0] ?? "";
  return `${words} ${cell.querySelector("polyline")?.getAttribute("points") ?? ""} ${icons} ${heat} ${cell.classList.contains("best")}`;
}

function tell(at: HTMLElement, fresh: number): void {
  const words = [
    fresh ? `${fresh.toLocaleString("en")} new run${fresh === 1 ? "" : "s"}` : "",
    changed.size ? `${changed.size} changed` : "",
  ].filter(Boolean);
  const bar = at.querySelector<HTMLElement>(".m-strip");
  const said = at.querySelector("[data-live-words]");
  if (!bar || !said || !words.length) return;
  const text = `${words.join(", ")}.`;
  if (said.textContent !== text) said.textContent = text;
  at.querySelector<HTMLAnchorElement>("[data-live-show]")?.setAttribute("href", location.pathname + location.search);
  bar.hidden = false;
}

export function listenForLive(): void {
  wait();
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : void ask()));
  document.addEventListener("htmx:load", () => {
    changed = new Set();
    wait();
  });
}
