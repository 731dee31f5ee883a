// The tree of files: arrows walk it, left and right fold, letters jump, Enter opens beside it. Without scripts it is a
// list of links; here it gets the roles of a tree, and folders are filled where they are.
import htmx from "htmx.org";

const tree = (): HTMLElement | null => document.getElementById("tree");

function items(): HTMLAnchorElement[] {
  const all = tree()?.querySelectorAll<HTMLAnchorElement>("a.f") ?? [];
  return [...all].filter((item) => item.closest("ul[hidden]") === null);
}

function levelOf(item: Element): number {
  let level = 0;
  for (let list = item.closest("ul"); list; list = list.parentElement?.closest("ul") ?? null) {
    level += 1;
    if (list.id === "tree") break;
  }
  return level;
}

function dress(): void {
  const root = tree();
  if (!root) return;
  const all = [...root.querySelectorAll<HTMLAnchorElement>("a.f")];
  if (all.length) root.setAttribute("role", "tree");
  else root.removeAttribute("role");
  root.setAttribute("aria-label", "Files");
  root.querySelectorAll("li").forEach((entry) => entry.setAttribute("role", all.length ? "none" : "listitem"));
  root.querySelectorAll("ul").forEach((list) => list.setAttribute("role", "group"));
  for (const item of all) {
    item.setAttribute("role", "treeitem");
    item.setAttribute("aria-level", String(levelOf(item)));
    item.tabIndex = -1;
  }
  const entry = all.find((item) => item === document.activeElement) ?? all.find((item) => item.ariaCurrent) ?? all[0];
  if (entry) entry.tabIndex = 0;
}

function goTo(item: HTMLAnchorElement | undefined): void {
  if (!item) return;
  for (const other of tree()?.querySelectorAll<HTMLAnchorElement>("a.f[tabindex='0']") ?? []) other.tabIndex = -1;
  item.tabIndex = 0;
  item.focus();
}

const isOpen = (folder: Element): boolean => folder.getAttribute("aria-expanded") === "true";

function fold(folder: HTMLAnchorElement, open: boolean): void {
  const entry = folder.parentElement;
  const shelf = folder.closest<HTMLElement>("[data-shelf]");
  if (!entry || !shelf) return;
  folder.setAttribute("aria-expanded", String(open));
  let inside = entry.querySelector<HTMLUListElement>(":scope > ul");
  if (inside) inside.hidden = !open;
  else if (open) {
    inside = document.createElement("ul");
    entry.append(inside);
    const address = `${shelf.dataset.shelf}?folder=${encodeURIComponent(folder.dataset.folder ?? "")}`;
    void htmx.ajax("get", address, { target: inside, swap: "innerHTML" });
  }
}

function above(item: Element): HTMLAnchorElement | undefined {
  return item.closest("ul")?.parentElement?.querySelector<HTMLAnchorElement>(":scope > a.f") ?? undefined;
}

function jump(letter: string, from: HTMLAnchorElement): void {
  const all = items();
  const after = all.indexOf(from) + 1;
  const name = (item: Element): string => item.querySelector(".trunc")?.textContent?.toLowerCase() ?? "";
  goTo([...all.slice(after), ...all.slice(0, after)].find((item) => name(item).startsWith(letter.toLowerCase())));
}

function walk(key: string, item: HTMLAnchorElement): boolean {
  const all = items();
  const at = all.indexOf(item);
  const isFolder = item.dataset.folder !== undefined;
  switch (key) {
    case "ArrowDown":
      goTo(all[at + 1]);
      return true;
    case "ArrowUp":
      goTo(all[at - 1]);
      return true;
    case "Home":
      goTo(all[0]);
      return true;
    case "End":
      goTo(all[all.length - 1]);
      return true;
    case "ArrowRight":
      if (isFolder && !isOpen(item)) fold(item, true);
      else if (isFolder) goTo(all[at + 1]);
      return true;
    case "ArrowLeft":
      if (isFolder && isOpen(item)) fold(item, false);
      else goTo(above(item));
      return true;
    default:
      return false;
  }
}

function onKey(event: KeyboardEvent): void {
  const item = (event.target as Element).closest<HTMLAnchorElement>("#tree a.f");
  if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
  const letter = event.key.length === 1 && /[\p{L}\p{N}_.-]/u.test(event.key);
  if (letter) jump(event.key, item);
  if (letter || walk(event.key, item)) {
    event.preventDefault();
    event.stopPropagation();
  }
}

let goOnFrom = -1; // where "Show more" stood, so that the keyboard goes on at the first of what came

function goOn(): void {
  if (goOnFrom >= 0) goTo(items()[goOnFrom]);
  goOnFrom = -1;
}

function onClick(event: MouseEvent): void {
  const more = (event.target as Element).closest<HTMLAnchorElement>("#tree a.more");
  if (more) goOnFrom = items().indexOf(more);
  const folder = (event.target as Element).closest<HTMLAnchorElement>("#tree a.f[data-folder]");
  if (!folder || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  event.stopPropagation();
  fold(folder, !isOpen(folder));
  goTo(folder);
}

function bringIntoView(item: HTMLElement): void {
  const pane = item.closest("aside");
  if (!pane) return;
  const above = item.getBoundingClientRect().top - pane.getBoundingClientRect().top;
  if (above < 0 || above > pane.clientHeight - 32) pane.scrollTop += above - pane.clientHeight / 2;
}

function markCurrent(): void {
  const shown = document.getElementById("file")?.dataset.path;
  for (const item of tree()?.querySelectorAll<HTMLAnchorElement>("a.f[data-file]") ?? []) {
    if (item.dataset.file === shown) {
      item.setAttribute("aria-current", "true");
      bringIntoView(item);
    } else item.removeAttribute("aria-current");
  }
}

export function listenForFiles(): void {
  document.addEventListener("keydown", onKey, true);
  document.addEventListener("click", onClick, true);
  document.addEventListener("htmx:afterSettle", (event) => {
    const swapped = (event as CustomEvent<{ target: Element }>).detail.target;
    if (swapped.id === "file" || swapped.id === "main") markCurrent();
    dress();
    goOn();
  });
  dress();
  const current = tree()?.querySelector<HTMLElement>("[aria-current]");
  if (current) bringIntoView(current);
}
