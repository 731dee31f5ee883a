// Panels over the compared runs: drawn when they come into view; what the reader changes in them stands in the address.
import { mountPanels } from "./panels/mount";

const mounted = mountPanels(document, (figure) => {
  figure.dataset.changed = "1";
  const address = new URL(location.href);
  address.searchParams.delete("panel");
  const all = [...document.querySelectorAll<HTMLElement>("[data-panel]")];
  for (const one of all) address.searchParams.append("panel", one.dataset.panel ?? "");
  history.replaceState(history.state, "", address);
});

addEventListener("pagehide", () => mounted.forEach((panel) => panel.destroy()), { once: true });
