// The box that finds runs by name or id while one writes; arrows walk through what was found, Enter adds it.
const WAIT_MS = 150;

function links(list: HTMLElement): HTMLAnchorElement[] {
  return [...list.querySelectorAll<HTMLAnchorElement>("a")];
}

async function find(form: HTMLFormElement, list: HTMLElement, words: string): Promise<void> {
  const asked = new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, String(value)]));
  asked.delete("add");
  asked.set("find", words);
  asked.set("tab", form.dataset.tab ?? "overview");
  const answer = await fetch(`${form.dataset.find}?${asked}`, { headers: { "X-Requested-With": "fetch" } });
  const field = form.querySelector<HTMLInputElement>("#add");
  if (!answer.ok || field?.value.trim() !== words) return;
  list.innerHTML = await answer.text();
}

export function listenForAdding(): void {
  const menu = document.getElementById("add-run");
  const form = menu?.querySelector<HTMLFormElement>("form[data-find]");
  const field = form?.querySelector<HTMLInputElement>("#add");
  const list = document.getElementById("add-found");
  if (!menu || !form || !field || !list) return;
  let timer = 0;
  const soon = (wait: number): void => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void find(form, list, field.value.trim()), wait);
  };
  menu.addEventListener("toggle", () => {
    if (!(menu as HTMLDetailsElement).open) return;
    field.focus();
    soon(0);
  });
  field.addEventListener("input", () => soon(WAIT_MS));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const all = links(list);
    const at = all.indexOf(document.activeElement as HTMLAnchorElement);
    const next = event.key === "ArrowDown" ? Math.min(at + 1, all.length - 1) : at - 1;
    (next < 0 ? field : all[next])?.focus();
    event.preventDefault();
  });
}
