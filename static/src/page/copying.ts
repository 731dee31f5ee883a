// [data-copy="text"] copies that text; [data-copy-from="#id"] copies what the element shows. Where the clipboard is
// closed to us (plain http on another host), the text is selected for the reader's own Ctrl+C.
async function copy(button: HTMLElement): Promise<void> {
  const source = button.dataset.copyFrom ? document.querySelector<HTMLElement>(button.dataset.copyFrom) : null;
  const text = button.dataset.copy ?? source?.innerText ?? "";
  try {
    await navigator.clipboard.writeText(text.trim());
    toast("Copied");
  } catch {
    const shown = source ?? button.parentElement?.querySelector("code");
    if (shown) getSelection()?.selectAllChildren(shown);
    toast("Selected. Press Ctrl+C to copy.");
  }
}

export function toast(words: string): void {
  const place = document.getElementById("toasts");
  if (!place) return;
  const note = document.createElement("div");
  note.className = "m-toast";
  note.textContent = words;
  place.replaceChildren(note);
  setTimeout(() => note.remove(), 4000);
}

export function listenForCopying(): void {
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-copy], [data-copy-from]");
    if (button) void copy(button);
  });
}
