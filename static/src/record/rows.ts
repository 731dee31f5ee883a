// Rows of names and values: one more with a click or with Enter in the last one, gone with its button.
import { kindOf } from "./kinds";

const ROW = "[data-row]";

export function listenForRowsOf(form: HTMLFormElement): void {
  form.addEventListener("click", (event) => {
    const at = event.target as Element;
    const group = at.closest<HTMLElement>("[data-rows-of]");
    if (!group) return;
    if (at.closest("[data-add]")) {
      event.preventDefault();
      add(group);
    } else if (at.closest("[data-remove]")) remove(group, at.closest<HTMLElement>(ROW)!);
  });
  form.addEventListener("input", (event) => {
    const field = event.target as HTMLInputElement;
    const kind = field.closest(ROW)?.querySelector("[data-kind]");
    if (kind && field.name.endsWith("_value")) kind.textContent = kindOf(field.value);
  });
  form.addEventListener("keydown", (event) => {
    const field = event.target as HTMLElement;
    const row = field.closest<HTMLElement>(ROW);
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.isComposing || !row || !(field instanceof HTMLInputElement)) return;
    event.preventDefault();
    onward(row, field);
  });
}

/** To the value of this row, then to the next row; behind the last one comes a new one. */
function onward(row: HTMLElement, field: HTMLInputElement): void {
  const [key, value] = row.querySelectorAll("input");
  if (field === key) value?.focus();
  else if (row.nextElementSibling) row.nextElementSibling.querySelector("input")?.focus();
  else add(row.closest<HTMLElement>("[data-rows-of]")!);
}

function add(group: HTMLElement): void {
  const rows = group.querySelector<HTMLElement>("[data-rows]")!;
  rows.append(group.querySelector("template")!.content.cloneNode(true));
  number(group);
  rows.lastElementChild?.querySelector("input")?.focus();
}

function remove(group: HTMLElement, row: HTMLElement): void {
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  if (!group.querySelector(ROW)) add(group);
  number(group);
  next?.querySelector("input")?.focus();
  group.dispatchEvent(new Event("change", { bubbles: true }));
}

/** Every row says which one it is, to eyes and to readers. */
function number(group: HTMLElement): void {
  group.querySelectorAll<HTMLElement>(ROW).forEach((row, index) => {
    const label = row.getAttribute("aria-label") ?? "";
    row.setAttribute("aria-label", numbered(label, index + 1));
    for (const field of row.querySelectorAll("input")) {
      field.id = numbered(field.id, index + 1);
      field.setAttribute("aria-label", numbered(field.getAttribute("aria-label") ?? "", index + 1));
    }
    const words = row.querySelector("[data-remove] .visually-hidden");
    if (words) words.textContent = numbered(words.textContent ?? "", index + 1);
  });
}

function numbered(text: string, to: number): string {
  return text.replace(/\d+$/, String(to));
}
