// One panel over the whole screen: arrows go to the next, Esc goes back. The figure itself moves into a dialog.
export interface Full {
  open(figure: HTMLElement): void;
}

/** figures: those that can be stepped through, in order; redraw: a figure has another size now. */
export function fullScreen(figures: () => HTMLElement[], redraw: (figure: HTMLElement) => void): Full {
  const dialog = document.getElementById("full-panel") as HTMLDialogElement | null;
  let shown: HTMLElement | null = null;
  let gap: Comment | null = null;

  const back = (): void => {
    if (!shown) return;
    const figure = shown;
    gap?.replaceWith(figure);
    shown = gap = null;
    redraw(figure);
    figure.querySelector<HTMLElement>("summary")?.focus();
  };

  const put = (figure: HTMLElement): void => {
    if (!dialog) return;
    if (shown) gap?.replaceWith(shown);
    const left = shown;
    gap = document.createComment("a panel is shown full screen");
    figure.replaceWith(gap);
    dialog.replaceChildren(figure);
    shown = figure;
    if (!dialog.open) dialog.showModal();
    if (left) redraw(left);
    redraw(figure);
  };

  const step = (by: number): void => {
    if (!shown || !gap) return;
    const all = figures();
    const order = all.includes(shown) ? all : [...all, shown];
    const next = order[(order.indexOf(shown) + by + order.length) % order.length];
    if (next && next !== shown) put(next);
  };

  dialog?.addEventListener("close", back);
  dialog?.addEventListener("keydown", (event) => {
    if ((event.target as Element).closest("input, select, textarea, [data-grip], [data-resize]")) return;
    if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      event.preventDefault();
      step(event.key === "ArrowRight" ? 1 : -1);
    }
  });
  return { open: put };
}
