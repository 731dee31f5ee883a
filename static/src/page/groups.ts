// A group of the run table opens where it stands: its first runs are asked for each time, never kept. What was open opens
// again when the table comes anew, as after a turned eye or another order.
import htmx from "htmx.org";
import { showSelection } from "./selection";

const opened = new Set<string>();

/** What a group is called, by its fields and values. */
function nameOf(button: HTMLElement): string {
  const fields = new URLSearchParams(location.search).getAll("group").filter(Boolean);
  return JSON.stringify([fields, button.getAttribute("aria-label")]);
}

const isOpen = (button: HTMLElement): boolean => button.getAttribute("aria-expanded") === "true";

async function open(button: HTMLElement, row: HTMLTableRowElement): Promise<void> {
  button.setAttribute("aria-expanded", "true");
  opened.add(nameOf(button));
  const answer = await fetch(button.dataset.openGroup ?? "", { credentials: "same-origin" });
  if (!answer.ok) return location.assign(row.dataset.href ?? location.href);
  const part = document.createElement("template");
  part.innerHTML = await answer.text();
  if (!row.isConnected || !isOpen(button)) return;
  const rows = [...part.content.querySelectorAll("tr")];
  row.after(...rows);
  for (const one of rows) htmx.process(one);
  showSelection();
}

function close(button: HTMLElement, row: HTMLTableRowElement): void {
  button.setAttribute("aria-expanded", "false");
  opened.delete(nameOf(button));
  while (row.nextElementSibling?.matches(".m-member")) row.nextElementSibling.remove();
}

function toggle(row: HTMLTableRowElement): void {
  const button = row.querySelector<HTMLElement>("[data-open-group]");
  if (!button) return;
  if (isOpen(button)) close(button, row);
  else void open(button, row);
}

function openAgain(): void {
  for (const button of document.querySelectorAll<HTMLElement>("[data-open-group][aria-expanded=false]")) {
    const row = button.closest("tr");
    if (row && opened.has(nameOf(button))) void open(button, row);
  }
}

export function listenForGroups(): void {
  document.addEventListener("click", (event) => {
    const at = event.target as Element;
    const row = at.closest<HTMLTableRowElement>("tr.group:has([data-open-group])");
    if (!row || at.closest("a, button:not([data-open-group])") || getSelection()?.toString()) return;
    toggle(row);
  });
  document.addEventListener("htmx:afterSettle", openAgain);
}
