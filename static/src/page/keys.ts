// Single keys work while nothing is being typed; Ctrl+K and Esc always do.
import { closeMenus } from "./menus";
import { hasRows, openCurrent, step, take, turnEye } from "./rows";
import { toggleSidebar } from "./sidebar";

function isTyping(): boolean {
  const at = document.activeElement;
  return at instanceof HTMLElement && (at.isContentEditable || at.matches("input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea, select"));
}

function focus(selector: string): boolean {
  const field = document.querySelector<HTMLInputElement>(selector);
  field?.focus();
  field?.select();
  return field !== null;
}

function showKeys(): boolean {
  const dialog = document.getElementById("keys");
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
  return true;
}

function openTab(digit: string): boolean {
  const tabs = document.querySelectorAll<HTMLAnchorElement>("[data-tabs] a, a[data-view-digit]");
  const tab = tabs[(Number(digit) || 10) - 1];
  tab?.click();
  return tab !== undefined;
}

/** Whether the arrows walk the rows: nothing has the keyboard, or something within the table. */
function isAtRows(): boolean {
  const at = document.activeElement;
  return at === null || at.matches("body, main") || at.closest(".m-runsbox") !== null;
}

function escape(): boolean {
  if (closeMenus()) return true;
  if (isTyping()) (document.activeElement as HTMLElement).blur();
  return false;
}

function act(event: KeyboardEvent): boolean {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") return focus("#jump");
  if (event.key === "Escape") return escape();
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping() || document.querySelector("dialog[open]")) return false;
  switch (event.key) {
    case "/":
      return focus("#query") || focus("#find") || focus("#jump");
    case "?":
      return showKeys();
    case "[":
      toggleSidebar();
      return true;
    case "j":
      return step(1);
    case "k":
      return step(-1);
    case "ArrowDown":
      return isAtRows() && hasRows() && step(1);
    case "ArrowUp":
      return isAtRows() && hasRows() && step(-1);
    case "t":
      return take();
    case "e":
      return turnEye();
    case "Enter":
      return document.activeElement?.matches("body, main, .m-runsbox") === true && openCurrent();
    default:
      return /^[0-9]$/.test(event.key) && openTab(event.key);
  }
}

export function listenForKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (act(event)) event.preventDefault();
  });
  document.getElementById("keys-open")?.addEventListener("click", showKeys);
}
