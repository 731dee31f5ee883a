// A comment that was begun waits in this tab until it is sent or emptied: saving the note beside it, or another page,
// takes nothing away.
const POSTED = "#comment-"; // where the server leads once a comment stands

interface Draft {
  text: string;
  /** On its way; whether it arrived shows the page that comes. */
  sent: boolean;
}

function keyOf(form: HTMLFormElement): string {
  const who = document.querySelector(".m-menu-who .t3")?.textContent ?? "";
  return `mled:comment ${who} ${new URL(form.action).pathname}`;
}

function read(key: string): Draft | null {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "null") as Draft | null;
  } catch {
    return null;
  }
}

function keep(key: string, text: string, sent = false): void {
  try {
    if (text.trim()) sessionStorage.setItem(key, JSON.stringify({ text, sent } satisfies Draft));
    else sessionStorage.removeItem(key);
  } catch {
    // no storage, or a full one: the text is kept by the page alone
  }
}

export function keepDrafts(): void {
  const form = document.getElementById("say");
  const field = form?.querySelector("textarea");
  if (!(form instanceof HTMLFormElement) || !field) return;
  const key = keyOf(form);
  const before = read(key);
  if (before?.sent && location.hash.startsWith(POSTED)) keep(key, "");
  else if (before) {
    field.value ||= before.text;
    keep(key, field.value);
  }
  field.addEventListener("input", () => keep(key, field.value));
  form.addEventListener("submit", () => keep(key, field.value, true));
  // What a mention puts in comes without an event of its own.
  addEventListener("pagehide", () => keep(key, field.value, read(key)?.sent ?? false));
}
