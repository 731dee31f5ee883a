// Comparing runs: N and P go from difference to difference.
function differences(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(".m-cmp td.diff")];
}

/** The next difference in that direction from where the focus is, around the end. */
function step(by: number): void {
  const all = differences();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement as HTMLElement);
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : (at + by + all.length) % all.length;
  const cell = all[next];
  cell?.scrollIntoView({ block: "nearest", inline: "center" });
  cell?.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const button = (event.target as Element).closest<HTMLElement>("[data-difference]");
  if (button) step(Number(button.dataset.difference));
});

document.addEventListener("keydown", (event) => {
  const typing = (event.target as HTMLElement).closest("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "n") step(1);
  else if (event.key === "p") step(-1);
});
