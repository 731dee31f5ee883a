// Ctrl+Z and Ctrl+Y step through the addresses of this window's comparison: runs, base, figure, groups, tab.
import { followed } from "../page/undo";

const PLACE = "mled_trail compare";

interface Trail {
  steps: string[];
  at: number;
}

function read(): Trail {
  const kept = JSON.parse(sessionStorage.getItem(PLACE) ?? "null") as Trail | null;
  return kept?.steps[kept.at] === undefined ? { steps: [], at: -1 } : kept;
}

function step(by: 1 | -1): boolean {
  const address = read().steps[read().at + by];
  if (address !== undefined) location.assign(address);
  return address !== undefined;
}

export function listenForUndoing(): void {
  sessionStorage.setItem(PLACE, JSON.stringify(followed(read(), location.pathname + location.search)));
  document.addEventListener("keydown", (event) => {
    const typing = (event.target as HTMLElement).closest("input:not([type=range]), textarea, select, [contenteditable]");
    if (typing || !(event.ctrlKey || event.metaKey) || event.altKey || document.querySelector("dialog[open]")) return;
    const key = event.key.toLowerCase();
    const isRedo = key === "y" || (key === "z" && event.shiftKey);
    if ((isRedo || key === "z") && step(isRedo ? 1 : -1)) event.preventDefault();
  });
}
