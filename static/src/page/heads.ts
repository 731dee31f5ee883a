// The heads of the run table: a menu opens below its head, and a head dragged onto another of its group takes its place.
import htmx from "htmx.org";

let dragged: HTMLElement | null = null;

let lastMenu = ""; // the column whose menu was used last: the keyboard comes back to its head

const head = (event: Event): HTMLElement | null => (event.target as HTMLElement).closest<HTMLElement>("th[data-column-group]");
const fits = (to: HTMLElement | null): to is HTMLElement =>
  !!dragged && !!to && to !== dragged && to.dataset.columnGroup === dragged.dataset.columnGroup;

function place(menu: HTMLElement): void {
  const button = document.querySelector<HTMLElement>(`[popovertarget="${menu.id}"]`);
  if (!button) return;
  const at = button.getBoundingClientRect();
  const left = Math.min(at.left, innerWidth - (menu.offsetWidth || 220) - 12);
  menu.style.left = `${Math.max(12, left)}px`;
  menu.style.top = `${Math.min(at.bottom + 4, Math.max(12, innerHeight - menu.offsetHeight - 12))}px`;
}

/** Fills the menu of a column that came without one: of very many columns, each is asked for when it opens. */
async function fill(menu: HTMLElement): Promise<void> {
  const key = menu.dataset.menuOf;
  if (!key || menu.childElementCount) return;
  const asked = new URLSearchParams(location.search);
  asked.set("menu", key);
  const answer = await fetch(`${location.pathname}?${asked}`, { credentials: "same-origin" });
  if (!answer.ok) return;
  menu.innerHTML = await answer.text();
  htmx.process(menu);
  place(menu);
}

function makeDraggable(): void {
  for (const one of document.querySelectorAll<HTMLElement>("th[data-column-group]")) one.draggable = true;
}

function comeBack(): void {
  if (lastMenu && document.activeElement === document.body) {
    const column = document.querySelector(`th[data-column-key="${CSS.escape(lastMenu)}"]`);
    column?.querySelector<HTMLElement>(".m-headopen")?.focus({ preventScroll: true });
  }
  lastMenu = "";
}

function unmark(): void {
  for (const one of document.querySelectorAll(".m-drop")) one.classList.remove("m-drop");
}

/** Asks for the table with the columns in their new order. */
function reorder(from: HTMLElement, to: HTMLElement): void {
  const form = document.querySelector<HTMLFormElement>("#columns-now");
  const fields = [...(form?.querySelectorAll<HTMLInputElement>('input[name="columns"]') ?? [])];
  const field = (key?: string): number => fields.findIndex((one) => one.value === key);
  const [start, end] = [field(from.dataset.columnKey), field(to.dataset.columnKey)];
  const [moved, goal] = [fields[start], fields[end]];
  if (!form || !moved || !goal) return;
  if (start < end) goal.after(moved);
  else goal.before(moved);
  form.requestSubmit();
}

export function listenForHeads(): void {
  makeDraggable();
  document.addEventListener("htmx:load", makeDraggable);
  for (const moment of ["beforetoggle", "toggle"]) {
    document.addEventListener(moment, (event) => {
      const menu = event.target as HTMLElement;
      if (menu.matches?.(".m-headmenu") && (event as ToggleEvent).newState === "open") {
        place(menu);
        if (moment === "toggle") void fill(menu);
      }
    }, true);
  }
  document.addEventListener("submit", (event) => {
    const menu = event.submitter?.closest<HTMLElement>(".m-headmenu");
    const button = menu ? document.querySelector(`[popovertarget="${menu.id}"]`) : null;
    lastMenu = button?.closest("th")?.dataset.columnKey ?? "";
  }, true);
  document.addEventListener("htmx:afterSettle", comeBack);
  document.addEventListener("dragstart", (event) => {
    dragged = head(event);
    if (dragged && event.dataTransfer) event.dataTransfer.effectAllowed = "move";
  });
  document.addEventListener("dragover", (event) => {
    const to = head(event);
    unmark();
    if (!fits(to)) return;
    event.preventDefault();
    to.classList.add("m-drop");
  });
  document.addEventListener("drop", (event) => {
    const to = head(event);
    if (!fits(to) || !dragged) return;
    event.preventDefault();
    reorder(dragged, to);
  });
  document.addEventListener("dragend", () => {
    unmark();
    dragged = null;
  });
}
