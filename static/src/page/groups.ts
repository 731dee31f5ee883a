// A group of the run table opens where it stands: its first runs are asked for each time, never kept.
async function open(button: HTMLElement, row: HTMLTableRowElement): Promise<void> {
  const answer = await fetch(button.dataset.openGroup ?? "", { credentials: "same-origin" });
  if (!answer.ok) return location.assign(row.dataset.href ?? location.href);
  const part = document.createElement("template");
  part.innerHTML = await answer.text();
  button.setAttribute("aria-expanded", "true");
  row.after(...part.content.querySelectorAll("tr"));
}

function close(button: HTMLElement, row: HTMLTableRowElement): void {
  button.setAttribute("aria-expanded", "false");
  while (row.nextElementSibling?.matches(".m-member")) row.nextElementSibling.remove();
}

export function listenForGroups(): void {
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-open-group]");
    const row = button?.closest("tr");
    if (!button || !row) return;
    if (button.getAttribute("aria-expanded") === "true") close(button, row);
    else void open(button, row);
  });
}
