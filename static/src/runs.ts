// The run table: the column picker learns to search, rows are selected and compared; new rows and pages come through
// htmx (see main.ts).
import { listenForColumns } from "./page/columns";
import { listenForGroups } from "./page/groups";
import { listenForHeads } from "./page/heads";
import { listenForLive } from "./page/live";
import { listenForNested } from "./page/nested";
import { listenForSelection } from "./page/selection";
import { listenForUndo } from "./page/undo";

function searchColumns(text: string): void {
  const words = text.toLowerCase();
  const picker = document.getElementById("column-picker");
  for (const label of picker?.querySelectorAll<HTMLElement>("[data-column]") ?? []) {
    label.hidden = !label.dataset.column?.toLowerCase().includes(words);
  }
  for (const group of picker?.querySelectorAll<HTMLElement>("[data-group]") ?? []) {
    group.hidden = !group.querySelector("[data-column]:not([hidden])");
  }
}

document.addEventListener("input", (event) => {
  const field = event.target as HTMLElement;
  if (field instanceof HTMLInputElement && field.id === "column-search") searchColumns(field.value);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.target as HTMLElement).id === "column-search") event.preventDefault();
});

listenForColumns();
listenForGroups();
listenForHeads();
listenForLive();
listenForNested();
listenForSelection();
listenForUndo();
