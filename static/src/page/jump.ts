// The box that jumps: what it finds comes below it while one types; arrows choose, Enter opens, Ctrl+Enter in a new tab.
// Without scripts it is a search form.
const SOON = 150;

let waiting = 0;
let asked = "";

const box = (): HTMLInputElement | null => document.querySelector<HTMLInputElement>("#jump");
const list = (): HTMLElement | null => document.getElementById("jump-found");
const options = (): HTMLAnchorElement[] => [...(list()?.querySelectorAll<HTMLAnchorElement>("[role=option]") ?? [])];
const chosen = (): HTMLAnchorElement | undefined => options().find((one) => one.getAttribute("aria-selected") === "true");

function show(open: boolean): void {
  const [field, found] = [box(), list()];
  if (!field || !found) return;
  found.hidden = !open;
  field.setAttribute("aria-expanded", String(open));
  if (!open) field.removeAttribute("aria-activedescendant");
}

function choose(place: number): void {
  const all = options();
  const at = all[(place + all.length) % all.length];
  for (const one of all) one.setAttribute("aria-selected", String(one === at));
  if (!at) return;
  box()?.setAttribute("aria-activedescendant", at.id);
  at.scrollIntoView({ block: "nearest" });
}

async function ask(text: string): Promise<void> {
  asked = text;
  const form = box()?.form;
  if (!form || !text) return show(false);
  const answer = await fetch(`${form.action}?${new URLSearchParams({ q: text, part: "1" })}`, { headers: { "X-Requested-With": "fetch" } });
  const found = list();
  if (!found || text !== asked || !answer.ok || answer.redirected) return;
  found.innerHTML = await answer.text();
  show(true);
}

function onKey(event: KeyboardEvent): void {
  if (list()?.hidden !== false) {
    if (event.key === "ArrowDown" && box()?.value.trim()) void ask(box()?.value.trim() ?? "");
    return;
  }
  const at = options().findIndex((one) => one.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown") choose(at + 1);
  else if (event.key === "ArrowUp") choose(at < 0 ? -1 : at - 1);
  else if (event.key === "Enter" && chosen()) (event.ctrlKey || event.metaKey ? open(chosen()?.href) : chosen()?.click());
  else if (event.key === "Escape") show(false);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

export function listenForJump(): void {
  const field = box();
  if (!field) return;
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = window.setTimeout(() => void ask(field.value.trim()), SOON);
  });
  field.addEventListener("keydown", onKey);
  field.addEventListener("blur", (event) => {
    if (!list()?.contains(event.relatedTarget as Node | null)) show(false);
  });
  list()?.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus; a click still opens
}
