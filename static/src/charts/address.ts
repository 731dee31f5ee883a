// The state of the charts is the address: this changes it, so that each change can be undone, and keeps what was changed
// when a link or a form of the page leads to the next question.
export type Change = Record<string, string | string[] | null>;

/** What scripts change without asking the server; see LOOK in experiments/actions/saved_views.py. */
const OWN = ["x", "log", "logx", "smooth", "method", "outliers", "yrange", "middle", "spread", "color", "dash", "facet", "tip", "off", "set", "xfrom", "xto", "panel", "hide", "show"];
const SLID = "smooth"; // a slider's changes that follow one another are one step
const TOGETHER_MS = 1_000;

let first = new URLSearchParams(location.search); // as the server wrote the links of this page
let last = { what: "", at: 0 };

export function asked(): URLSearchParams {
  return new URLSearchParams(location.search);
}

/** Puts a change into the address; null or [] takes a name out. */
export function change(by: Change): void {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(by)) {
    address.searchParams.delete(name);
    for (const one of value === null ? [] : [value].flat()) address.searchParams.append(name, one);
  }
  if (address.href === location.href) return;
  const what = Object.keys(by).join(" ");
  const now = Date.now();
  if (what === SLID && what === last.what && now - last.at < TOGETHER_MS) history.replaceState(history.state, "", address);
  else history.pushState({ charts: true }, "", address);
  last = { what, at: now };
  dispatchEvent(new CustomEvent("mled:view"));
}

/** Goes to an address of this page that differs in nothing but what scripts change; false where it differs in more. */
export function goes(query: string): boolean {
  const [here, there] = [asked(), new URLSearchParams(query)];
  if (rest(here) !== rest(there)) return false;
  const text = there.toString();
  history.pushState({ charts: true }, "", text ? `${location.pathname}?${text}` : location.pathname);
  last = { what: "", at: 0 };
  return true;
}

function rest(state: URLSearchParams): string {
  const left = new URLSearchParams([...state].filter(([name, value]) => !OWN.includes(name) && name !== "good" && value !== ""));
  left.sort();
  return left.toString();
}

/** The links and forms of this page were written for this address. */
export function startFrom(state: URLSearchParams): void {
  first = state;
}

const same = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((value, at) => value === b[at]);

/** A query of the same page with what scripts changed since; what it changes itself stays. */
export function carried(query: URLSearchParams): URLSearchParams {
  const now = asked();
  for (const name of OWN) {
    if (!same(query.getAll(name), first.getAll(name))) continue;
    query.delete(name);
    for (const value of now.getAll(name)) query.append(name, value);
  }
  return query;
}

interface Asking extends Event {
  detail: { path: string; verb: string; parameters: Record<string, unknown>; elt: HTMLElement };
}

function onAsking(event: Event): void {
  const { detail } = event as Asking;
  const to = new URL(detail.path, location.href);
  if (detail.verb !== "get" || to.pathname !== location.pathname || detail.elt.hidden) return;
  const form = detail.elt instanceof HTMLFormElement ? detail.elt : detail.elt.closest("form");
  const query = form && !(detail.elt instanceof HTMLAnchorElement) ? new URLSearchParams(new FormData(form) as unknown as Record<string, string>) : to.searchParams;
  for (const name of OWN) delete detail.parameters[name];
  const kept = carried(new URLSearchParams(query));
  for (const name of OWN) {
    to.searchParams.delete(name);
    for (const value of kept.getAll(name)) to.searchParams.append(name, value);
  }
  detail.path = `${to.pathname}${to.search}`;
}

function onLink(event: Event): void {
  const link = (event.target as Element).closest<HTMLAnchorElement>("#shown-as a, #charts a[href*='?']");
  if (!link) return;
  const to = new URL(link.href);
  if (to.pathname === location.pathname) link.href = `${to.pathname}?${carried(to.searchParams)}`;
}

/** A view is kept with what it looks like now. */
function onKeeping(event: Event): void {
  const query = (event.target as HTMLFormElement).querySelector<HTMLInputElement>("input[name=query], input[name=table]");
  if (query && document.getElementById("charts")) query.value = carried(new URLSearchParams(query.value)).toString();
}

export function listenForLeaving(): void {
  document.addEventListener("htmx:configRequest", onAsking);
  document.addEventListener("click", onLink, true);
  document.addEventListener("submit", onKeeping, true);
}
