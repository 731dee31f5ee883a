// Sections of the table fold; which ones are shut is kept on the server.
import { keepSetting } from "../page/settings";

function shut(): string[] {
  return [...document.querySelectorAll<HTMLElement>("[data-section][data-folded]")].map((section) => section.dataset.section ?? "");
}

export function listenForFolding(): void {
  // Sections that this page does not show stay as they were.
  const elsewhere = (document.getElementById("folded")?.textContent ?? "[]").trim();
  const shown = new Set([...document.querySelectorAll<HTMLElement>("[data-section]")].map((section) => section.dataset.section));
  const kept = (JSON.parse(elsewhere) as string[]).filter((name) => !shown.has(name));
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-fold]");
    const section = button?.closest<HTMLElement>("[data-section]");
    if (!button || !section) return;
    const isOpen = section.toggleAttribute("data-folded");
    button.setAttribute("aria-expanded", String(!isOpen));
    keepSetting("compare.folded", [...kept, ...shut()]);
  });
}
