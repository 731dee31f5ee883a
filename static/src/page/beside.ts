// A run beside the table: `O` or the row's small button opens it in a pane, J and K step with it open, Esc closes. It
// is in the address as `beside`. On a narrow screen the run's page opens instead.
const WIDE = matchMedia("(min-width: 1000px)");

const pane = (): HTMLElement | null => document.getElementById("beside");
const table = (): Element | null => document.querySelector("table[data-rows]");

function inAddress(ref: string | null): void {
  const state = new URLSearchParams(location.search);
  if (ref) state.set("beside", ref);
  else state.delete("beside");
  const query = state.toString();
  history.replaceState(history.state, "", `${location.pathname}${query ? `?${query}` : ""}${location.hash}`);
}

function rowOf(ref: string): HTMLElement | null {
  return [...document.querySelectorAll<HTMLElement>("table[data-rows] tr[data-ref]")].find((row) => row.dataset.ref === ref) ?? null;
}

function mark(ref: string | null): void {
  for (const row of document.querySelectorAll("tr[data-beside-open]")) row.removeAttribute("data-beside-open");
  if (ref) rowOf(ref)?.setAttribute("data-beside-open", "");
}

let turn = 0;

async function open(ref: string, href: string, focus: boolean): Promise<void> {
  const place = pane();
  if (!place) return;
  if (!WIDE.matches) return location.assign(href);
  const mine = ++turn;
  const url = new URL(href, location.href);
  const answer = await fetch(`${url.pathname}beside/${url.search}`, { credentials: "same-origin", headers: { "HX-Request": "true" } });
  if (mine !== turn) return;
  if (!answer.ok) return location.assign(href);
  place.innerHTML = await answer.text();
  place.hidden = false;
  place.dataset.ref = ref;
  inAddress(ref);
  mark(ref);
  if (focus) place.querySelector<HTMLElement>("#beside-name")?.focus();
}

export function closeBeside(): boolean {
  const place = pane();
  if (!place || place.hidden) return false;
  turn += 1;
  const inside = place.contains(document.activeElement);
  const row = rowOf(place.dataset.ref ?? "");
  place.hidden = true;
  place.replaceChildren();
  inAddress(null);
  mark(null);
  if (inside) row?.querySelector<HTMLElement>("a.name")?.focus();
  return true;
}

function current(): HTMLElement | null {
  return document.querySelector<HTMLElement>("table[data-rows] tr[data-current][data-ref]");
}

function openRow(row: HTMLElement, focus: boolean): void {
  void open(row.dataset.ref ?? "", row.dataset.href ?? "", focus);
}

export function listenForBeside(): void {
  if (!pane()) return;
  document.addEventListener("click", (event) => {
    const at = event.target as Element;
    if (at.closest("[data-beside-close]")) closeBeside();
    const opener = at.closest<HTMLElement>("[data-open-beside]");
    const row = opener?.closest<HTMLElement>("tr[data-ref]");
    if (!opener || !row || (event as MouseEvent).ctrlKey || (event as MouseEvent).metaKey) return;
    event.preventDefault();
    openRow(row, true);
  });
  document.addEventListener("keydown", (event) => {
    const typing = (event.target as Element).matches?.("input:not([type=checkbox]), textarea, select");
    if (event.ctrlKey || event.metaKey || event.altKey || typing || document.querySelector("dialog[open]")) return;
    const row = current();
    if (event.key === "o" && row) openRow(row, false);
    else if (event.key === "Escape" && !document.querySelector("details.m-menu[open], :popover-open")) closeBeside();
    else if ((event.key === "j" || event.key === "k") && !pane()?.hidden) setTimeout(() => current() && openRow(current()!, false));
  });
  // Another question pushes its own address: the open pane is put back into it.
  for (const name of ["htmx:pushedIntoHistory", "htmx:replacedInHistory"]) {
    document.addEventListener(name, () => {
      const place = pane();
      if (place && !place.hidden && place.dataset.ref) inAddress(place.dataset.ref);
    });
  }
  document.addEventListener("htmx:afterSwap", () => mark(pane()?.hidden ? null : (pane()?.dataset.ref ?? null)));
  const asked = new URLSearchParams(location.search).get("beside");
  const href = asked ? (rowOf(asked)?.dataset.href ?? `/r/${encodeURIComponent(asked)}/`) : "";
  if (asked && table() && WIDE.matches) void open(asked, href, false);
}
