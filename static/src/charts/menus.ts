// The menus of the charts: they are filled when they are opened, and again while what they set changes.
import type { PanelSpec } from "../panels/spec";
import { asked, change } from "./address";
import { keepSettingOf, lookOfSection, settingOf, PanelPlace, without } from "./cells";
import type { Kind } from "./saving";
import { kindsOffered, lookForm, panelForm, sizeFields, tipForm, type Patch } from "./forms";
import { lookOf } from "./look";
import { icon, make } from "./swatch";
import type { Held, Workspace } from "./workspace";

/** The names in the address of what is called otherwise in a panel's settings. */
const IN_ADDRESS: Record<string, string> = { logy: "log" };
const FILES: [Kind, string][] = [["png", "Picture, PNG"], ["svg", "Drawing, SVG"], ["csv", "Numbers shown, CSV"]];

export function fillMenu(menu: HTMLDetailsElement, page: Workspace): void {
  const box = menu.querySelector<HTMLElement>(":scope > [data-menu]");
  if (!box) return;
  const fields = (): HTMLElement[] => [...box.querySelectorAll<HTMLElement>("select, input, button")];
  const at = fields().indexOf(document.activeElement as HTMLElement);
  const top = box.scrollTop;
  box.replaceChildren(...content(menu, page));
  if (at >= 0) fields()[at]?.focus();
  box.scrollTop = top;
}

function content(menu: HTMLDetailsElement, page: Workspace): HTMLElement[] {
  const again = (): void => {
    page.restate();
    if (menu.open) fillMenu(menu, page);
  };
  if (menu.id === "add-panel") return kinds(menu, page);
  if (menu.dataset.scope === "workspace") return ofAll(page, again);
  if (menu.dataset.scope === "section") return ofSection(menu.dataset.of ?? "", page, again);
  const place = page.placeOf(menu);
  return place ? ofPlace(menu, place, page, again) : [];
}

function act(words: string, name: string, done: () => void, kind = ""): HTMLElement {
  const button = make("button", { type: "button", class: `m-menu-act ${kind}`.trim() }, icon(name), words);
  button.addEventListener("click", done);
  return button;
}

function kinds(menu: HTMLDetailsElement, page: Workspace): HTMLElement[] {
  return kindsOffered(page.model).map(([words, about, spec]) => {
    const button = make("button", { type: "button", class: "m-menu-act m-kind" }, make("span", {}, words), make("span", { class: "t3 sm" }, about));
    button.addEventListener("click", () => {
      menu.open = false;
      page.addPanel(spec);
    });
    return button;
  });
}

function ofAll(page: Workspace, again: () => void): HTMLElement[] {
  const look = lookOf(asked());
  const keep = (patch: Patch): void => {
    const said = Object.entries(patch).map(([name, value]): [string, string | string[] | null] => [IN_ADDRESS[name] ?? name, plain(name, value)]);
    change(Object.fromEntries(said));
    if ("group" in patch) location.reload(); // the list of lines is another one
    else again();
  };
  return [make("h3", { class: "m-menu-title" }, "All charts"), lookForm({ above: "", said: { kind: "page" }, holds: look, model: page.model, keep }), tipForm(look.tip, page.model, keep)];
}

/** What an address leaves out: what holds anyway. */
function plain(name: string, value: unknown): string | string[] | null {
  const usual: Record<string, string> = { x: "step", middle: "mean", spread: "minmax", logx: "0", outliers: "0" };
  if (value === undefined || value === "-" || value === "" || value === usual[name]) return null;
  return Array.isArray(value) ? (value as string[]).filter((one) => one !== "-") : String(value);
}

function ofSection(section: string, page: Workspace, again: () => void): HTMLElement[] {
  const said = settingOf("section", section) ?? { kind: "section" };
  const keep = (patch: Patch): void => {
    keepSettingOf("section", section, without({ ...said, ...patch }));
    again();
  };
  return [make("h3", { class: "m-menu-title" }, section), lookForm({ above: "as all charts", said, holds: lookOfSection(section), model: page.model, keep })];
}

function ofPlace(menu: HTMLDetailsElement, place: Held, page: Workspace, again: () => void): HTMLElement[] {
  const own = place instanceof PanelPlace;
  const closed = (done: () => void) => (): void => {
    menu.open = false;
    done();
  };
  const said: PanelSpec = place.own() ?? { kind: "chart" };
  const keep = (patch: Patch): void => {
    place.keep(without({ ...said, ...patch }));
    again();
  };
  const acts = [
    act("Full screen", "ext", closed(() => page.openFull(place))),
    own
      ? act("Duplicate", "copy", closed(() => page.addPanel(place.own(), place)))
      : act("Add to my panels", "plus", closed(() => page.addPanel({ ...said, kind: "line", title: undefined, metrics: place.metrics() } as PanelSpec))),
    ...FILES.map(([kind, words]) => act(words, "download", closed(() => void page.exportPanel(place, kind)))),
    ...(own ? [act("Remove", "trash", closed(() => page.removePanel(place)), "stop")] : []),
  ];
  const lines = !own || said.kind === "line";
  const settings = [
    ...(own ? [panelForm(said, page.model, keep)] : [make("div", { class: "m-filterform" }, ...sizeFields(said, keep))]),
    ...(lines ? [lookForm({ above: own ? "as all charts" : "as its section", said, holds: place.look(), model: page.model, keep })] : []),
  ];
  return [make("div", { class: "m-menu-acts" }, ...acts), make("div", { class: "m-menu-sep stack tight" }, ...settings)];
}
