// Write and Preview over a text: what was written comes back as it will look.
import { formOf } from "../page/posting";

async function show(box: HTMLElement, url: string): Promise<void> {
  const text = box.querySelector("textarea");
  const place = box.querySelector<HTMLElement>("[data-write-preview]");
  if (!text || !place) return;
  place.style.minHeight = `${text.offsetHeight}px`;
  place.hidden = false;
  text.hidden = true;
  const answer = await fetch(url, { method: "POST", body: formOf({ text: text.value }), credentials: "same-origin" });
  if (answer.ok) place.innerHTML = await answer.text();
  else place.textContent = "No preview could be made just now. What you wrote is still there.";
}

function write(box: HTMLElement): void {
  const text = box.querySelector("textarea");
  const place = box.querySelector<HTMLElement>("[data-write-preview]");
  if (!text || !place) return;
  place.hidden = true;
  text.hidden = false;
  text.focus();
}

export function listenForPreviews(): void {
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-write-tab]");
    const box = button?.closest<HTMLElement>("[data-write]");
    if (!button || !box) return;
    for (const other of box.querySelectorAll<HTMLElement>("[data-write-tab]")) {
      other.classList.toggle("active", other === button);
      other.setAttribute("aria-pressed", String(other === button));
    }
    if (button.dataset.writeTab === "preview") void show(box, button.dataset.previewUrl ?? "");
    else write(box);
  });
}
