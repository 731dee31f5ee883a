// One's own last queries in a project, kept on the server. What was asked is noted when it is sent, and kept once the
// page shows that it was understood.
import { keepSetting } from "../page/settings";

const NAME = "query_history";
const MOST = 30;
const SENT = "mled-query-sent";
const WHATEVER = "*";
const known = new Map<string, string[]>();

export async function history(bar: HTMLElement): Promise<string[]> {
  const project = bar.dataset.project ?? "";
  const held = known.get(project);
  if (held) return held;
  const answer = await fetch(`${bar.dataset.suggest ?? ""}&history=1`, { credentials: "same-origin" });
  const kept = answer.ok ? ((await answer.json()) as { history: string[] }).history : [];
  known.set(project, kept);
  return kept;
}

function keep(project: string, queries: string[]): void {
  known.set(project, queries);
  keepSetting(NAME, queries, project);
}

export function forget(bar: HTMLElement): void {
  keep(bar.dataset.project ?? "", []);
}

/** Notes that a query is on its way; without a text, whatever stands in the line of the next page. */
export function noteSent(text = WHATEVER): void {
  sessionStorage.setItem(SENT, text);
}

/** Keeps the query that was sent, if the page answers it. */
export async function keepSent(bar: HTMLElement, field: HTMLInputElement): Promise<void> {
  const sent = sessionStorage.getItem(SENT);
  if (sent === null) return;
  sessionStorage.removeItem(SENT);
  const text = field.defaultValue.trim();
  if (!text || (sent !== WHATEVER && sent !== text) || field.getAttribute("aria-invalid") === "true") return;
  const before = await history(bar);
  if (before[0] !== text) keep(bar.dataset.project ?? "", [text, ...before.filter((one) => one !== text)].slice(0, MOST));
}
