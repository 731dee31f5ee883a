// Where offers come from: for the query line what may stand at the cursor, for a field of a form the values of its key.
import type { Found, Offer, Source } from "./offers";

export function barOf(field: Element): HTMLElement | null {
  return field.closest<HTMLElement>("[data-suggest]");
}

async function ask(field: Element, pairs: Record<string, string>, signal: AbortSignal): Promise<Found> {
  const address = barOf(field)?.dataset.suggest ?? "";
  const answer = await fetch(`${address}&${new URLSearchParams(pairs)}`, { credentials: "same-origin", signal });
  if (!answer.ok) throw new Error(`offers: ${answer.status}`);
  return { start: 0, end: 0, ...((await answer.json()) as Partial<Found> & { items: Offer[] }) };
}

/** Puts a text into a field in the place of another, so that the browser's own undo knows of it. */
export function put(field: HTMLInputElement, start: number, end: number, text: string): void {
  field.focus();
  field.setSelectionRange(start, end);
  if (!document.execCommand("insertText", false, text)) field.setRangeText(text, start, end, "end");
}

export const lineSource: Source = {
  ask: (field, signal) => ask(field, { q: field.value, at: String(field.selectionStart ?? field.value.length) }, signal),
  take(field, found, offer) {
    const follows = field.value.slice(found.end);
    const text = follows.startsWith(" ") ? offer.text.trimEnd() : offer.text;
    put(field, found.start, found.end, text);
    if (text !== offer.text) field.setSelectionRange(found.start + text.length + 1, found.start + text.length + 1);
    return true;
  },
};

/** What a field completes: a key of the language, or the values of the key that the field beside it names. */
function spokenOf(field: HTMLInputElement): string {
  const { complete = "", completeKey } = field.dataset;
  const key = completeKey && field.form?.querySelector<HTMLInputElement>(`[name="${CSS.escape(completeKey)}"]`)?.value;
  return key ? `${complete}\`${key}\`` : complete;
}

/** The values of a key: what is taken becomes a ticked box beside the field, or stands in the field itself. */
export const valueSource: Source = {
  async ask(field, signal) {
    const found = await ask(field, { field: spokenOf(field), q: field.value }, signal);
    return { start: 0, end: field.value.length, items: found.items };
  },
  take(field, found, offer) {
    const name = field.dataset.into;
    const picks = name ? field.form?.querySelector<HTMLElement>(`[data-picks="${CSS.escape(name)}"]`) : null;
    if (!name || !picks) {
      put(field, found.start, found.end, offer.text);
      return false;
    }
    field.value = "";
    const held = [...picks.querySelectorAll<HTMLInputElement>("input")].find((box) => box.value === offer.text);
    if (held) held.checked = true;
    else picks.append(pick(name, offer.text));
    return false;
  },
};

function pick(name: string, value: string): HTMLElement {
  const label = document.createElement("label");
  label.className = "form-check";
  const box = document.createElement("input");
  Object.assign(box, { type: "checkbox", className: "form-check-input", name, value, checked: true });
  const words = document.createElement("span");
  words.className = "trunc";
  words.textContent = value;
  label.append(box, words);
  return label;
}
