// Panels that stand in a page's markup: <figure data-panel="its text" data-source="address of its points"> with a place
// [data-plot] to draw in, and buttons [data-save="png"], "svg" and "csv". Those of one page light the same run.
import { csvBlob, saved } from "../charts/saving";
import { mountPanel, parseSpec, specText, type Linked, type Panel, type PanelSpec } from "./index";

type Listener = (runId: string | null) => void;

/** One shared light for all panels of a page. */
function oneLight(): { linkedFor: (more?: Partial<Linked>) => Linked } {
  const listeners = new Set<Listener>();
  const highlight: Listener = (runId) => listeners.forEach((listener) => listener(runId));
  return { linkedFor: (more = {}) => ({ highlight, onHighlight: (listener) => listeners.add(listener), ...more }) };
}

/** Mounts each panel once it comes near the screen. changed: hears of a spec that the reader changed. */
export function mountPanels(root: ParentNode, changed: (figure: HTMLElement, spec: PanelSpec) => void): Map<HTMLElement, Panel> {
  const { linkedFor } = oneLight();
  const mounted = new Map<HTMLElement, Panel>();
  const watch = new IntersectionObserver(
    (seen) => {
      for (const { target, isIntersecting } of seen) {
        if (!isIntersecting) continue;
        watch.unobserve(target);
        mountOne(target as HTMLElement);
      }
    },
    { rootMargin: "300px" },
  );
  const mountOne = (figure: HTMLElement): void => {
    const place = figure.querySelector<HTMLElement>("[data-plot]");
    const spec = parseSpec(figure.dataset.panel ?? "");
    if (!place || !spec) return;
    const keep = (next: PanelSpec): void => {
      figure.dataset.panel = specText(next);
      changed(figure, next);
    };
    mounted.set(figure, mountPanel(place, spec, figure.dataset.source ?? "", linkedFor({ onSpec: keep })));
  };
  for (const figure of root.querySelectorAll<HTMLElement>("[data-panel]")) {
    watch.observe(figure);
    figure.addEventListener("click", (event) => {
      const button = (event.target as Element).closest<HTMLElement>("[data-save]");
      const panel = mounted.get(figure);
      if (button && panel) void save(panel, button.dataset.save ?? "", figure.dataset.name ?? "panel");
    });
  }
  return mounted;
}

/** Hands a panel's picture or numbers to the reader as a file. */
async function save(panel: Panel, kind: string, name: string): Promise<void> {
  if (kind === "csv") saved(name, kind, csvBlob(panel.rows()));
  else if (kind === "png" || kind === "svg") saved(name, kind, await panel.picture(kind));
}
