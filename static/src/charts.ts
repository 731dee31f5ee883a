// Curves of many runs: draws what is in view, follows the bar above and the list of runs, keeps its state in the URL.
import { asked, goes, listenForLeaving, startFrom } from "./charts/address";
import { listenForLooks, listenToBar } from "./charts/bar";
import type { Kind } from "./charts/saving";
import { fillMenu } from "./charts/menus";
import { readModel } from "./charts/model";
import { Workspace } from "./charts/workspace";

let page: Workspace | null = null;
let drawn: HTMLElement | null = null;

/** The charts of the page as it is now; parts of it come anew without the page being left. */
function begin(): void {
  const root = document.getElementById("charts");
  if (root === drawn) return;
  page?.end();
  drawn = root;
  startFrom(asked());
  page = root && new Workspace(root, readModel(root));
}

function onClick(event: MouseEvent): void {
  const target = event.target as Element;
  const eye = target.closest("#charts .m-eye")?.closest<HTMLElement>("[data-place]");
  const file = target.closest<HTMLElement>("[data-export]");
  if (eye) page?.turnEye(eye);
  if (file) {
    file.closest("details")?.removeAttribute("open");
    void page?.export(file.dataset.export as Kind);
  }
}

function onToggle(event: Event): void {
  const menu = event.target;
  if (page && menu instanceof HTMLDetailsElement && menu.open && menu.querySelector(":scope > [data-menu]")) fillMenu(menu, page);
}

function onRow(event: PointerEvent, enters: boolean): void {
  const row = (event.target as Element).closest<HTMLElement>("#charts [data-place]");
  if (row && !row.contains(event.relatedTarget as Node | null)) page?.light(enters ? [page.idOf(row)] : null);
}

const EVERY_MS = 10_000;

/** A run that goes on: its curves in view are read again while somebody looks. */
function follow(): void {
  if (!document.querySelector("[data-live]")) return;
  setInterval(() => document.visibilityState === "visible" && void page?.refresh(), EVERY_MS);
}

begin();
follow();
listenToBar(() => page?.restate());
listenForLooks(() => page?.redraw());
listenForLeaving();
document.addEventListener("click", onClick);
document.addEventListener("toggle", onToggle, true);
document.addEventListener("pointerover", (event) => onRow(event, true));
document.addEventListener("pointerout", (event) => onRow(event, false));
document.addEventListener("focusin", (event) => onRow(event as unknown as PointerEvent, true));
document.addEventListener("focusout", (event) => onRow(event as unknown as PointerEvent, false));
document.addEventListener("htmx:afterSettle", begin);
addEventListener("popstate", (event) => {
  if (!(event.state as { htmx?: boolean } | null)?.htmx) page?.restate();
});
// The page says that the kept view is another one by now, and offers to keep it as it is.
addEventListener("mled:view", () => document.querySelector("[data-view-changed]")?.removeAttribute("hidden"));
// Undo and redo of the page: where only the charts differ, nothing has to come again.
addEventListener("mled:view-step", (event) => {
  if (page && goes((event as CustomEvent<string>).detail)) {
    event.preventDefault();
    page.restate();
  }
});
