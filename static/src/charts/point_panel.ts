// Scatter, parallel coordinates, boxes and bars in a cell of the grid: the panels of ../panels, linked with the page.
import { mountPanel, type Panel } from "../panels";
import type { PanelSpec } from "../panels/spec";
import type { Board, Shown } from "./board";
import type { PanelPlace } from "./cells";
import type { Row } from "./saving";

export class PointPanel implements Shown {
  private panel: Panel | null = null;
  private listener: ((runId: string | null) => void) | null = null;

  constructor(
    private readonly element: HTMLElement,
    private readonly place: PanelPlace,
    private readonly board: Board,
  ) {}

  async show(): Promise<void> {
    if (!this.panel) {
      this.panel = mountPanel(this.element, this.place.own(), this.board.model.points ?? "", {
        highlight: (runId) => this.board.light(runId === null ? null : [runId]),
        onHighlight: (listener) => (this.listener = listener),
        onSpec: (spec: PanelSpec) => this.place.keep({ ...spec, w: this.place.own().w, h: this.place.own().h }),
      });
    }
    this.panel.hide([...this.board.hidden].filter((id) => !id.startsWith("group ")));
    await this.panel.ready();
  }

  redraw(): void {
    this.panel?.resize();
  }

  light(ids: readonly string[] | null): void {
    this.listener?.(ids?.[0] ?? null);
  }

  async picture(kind: "png" | "svg"): Promise<Blob> {
    if (!this.panel) throw new Error("Nothing is drawn yet.");
    return this.panel.picture(kind);
  }

  rows(): Row[] {
    return this.panel?.rows() ?? [];
  }

  destroy(): void {
    this.panel?.destroy();
    this.panel = null;
  }
}
