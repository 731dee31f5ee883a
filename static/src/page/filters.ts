// [data-filter="#id"] filters the rows of that table, or the lines of that text, as one types.
function linesOf(text: HTMLElement): HTMLElement[] {
  const cut = [...text.querySelectorAll<HTMLElement>(":scope > [data-piece]")];
  if (cut.length) return cut;
  const pieces = (text.textContent ?? "").split(/(?<=\n)/).map((line) => {
    const piece = document.createElement("span");
    piece.dataset.piece = "";
    piece.textContent = line;
    return piece;
  });
  text.replaceChildren(...pieces);
  return pieces;
}

function filter(field: HTMLInputElement): void {
  const place = document.querySelector<HTMLElement>(field.dataset.filter ?? "");
  if (!place) return;
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  const items = place instanceof HTMLTableElement ? [...place.tBodies].flatMap((body) => [...body.rows]) : linesOf(place);
  for (const item of items) {
    const text = (item.textContent ?? "").toLowerCase();
    item.hidden = !words.every((word) => text.includes(word));
  }
  field.setAttribute("aria-description", `${items.filter((item) => !item.hidden).length} of ${items.length} shown`);
}

export function listenForFilters(): void {
  document.addEventListener("input", (event) => {
    if (event.target instanceof HTMLInputElement && event.target.dataset.filter) filter(event.target);
  });
  document.addEventListener("keydown", (event) => {
    const field = event.target;
    if (event.key === "Escape" && field instanceof HTMLInputElement && field.dataset.filter && field.value) {
      field.value = "";
      filter(field);
      event.stopPropagation();
    }
  });
}
