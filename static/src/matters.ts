// What matters: its panels are drawn when they come into view, and what the reader changes in them stands in the address.
// Each small picture of a parameter can be taken into the panel that is touched.
import { parseSpec } from "./panels/index";
import { mountPanels } from "./panels/mount";

const figures = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>("[data-panel]")];

function keep(changed: HTMLElement): void {
  changed.dataset.changed = "1";
  const address = new URL(location.href);
  address.searchParams.delete("panel");
  for (const figure of figures()) if (figure.dataset.changed) address.searchParams.append("panel", figure.dataset.panel ?? "");
  history.replaceState(history.state, "", address);
}

const mounted = mountPanels(document, (figure, spec) => {
  const title = figure.querySelector("[data-title]");
  if (title && spec.kind !== "parallel") title.textContent = "One parameter";
  keep(figure);
});

document.addEventListener("click", (event) => {
  const button = (event.target as Element).closest<HTMLElement>("[data-explore]");
  const spec = parseSpec(button?.dataset.explore ?? "");
  const figure = document.querySelector<HTMLElement>("[data-panel]:not([data-panel^=parallel])");
  const panel = figure && mounted.get(figure);
  if (!spec || !figure) return;
  figure.scrollIntoView({ block: "center" });
  if (panel) panel.show(spec);
  else figure.dataset.panel = button?.dataset.explore ?? "";
});
