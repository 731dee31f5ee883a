// Behind an @ the people whom a comment can tell are offered: arrows choose, Enter or Tab takes, Esc leaves.
interface Person {
  name: string;
  email: string;
  handle: string;
}

const WORD = /(^|[^\w@.])@([^\s@][^@\n]{0,40}|)$/;
let list: HTMLUListElement | null = null;
let field: HTMLTextAreaElement | null = null;
let start = 0;
let asked = 0;

function close(): void {
  list?.remove();
  list = null;
  field?.removeAttribute("aria-activedescendant");
  field?.removeAttribute("aria-controls");
  field?.setAttribute("aria-expanded", "false");
}

function choose(option: Element | null | undefined): void {
  if (!option || !field) return;
  for (const other of list?.children ?? []) other.setAttribute("aria-selected", String(other === option));
  field.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

const chosen = (): HTMLElement | null => list?.querySelector<HTMLElement>("[aria-selected=true]") ?? null;

function take(option: HTMLElement | null): void {
  if (!option || !field) return;
  const end = field.selectionStart;
  field.setRangeText(`@${option.dataset.handle} `, start, end, "end");
  field.focus();
  close();
}

function offer(people: Person[]): void {
  close();
  if (!field || !people.length) return;
  list = document.createElement("ul");
  list.className = "m-people";
  list.id = "people-to-mention";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "People");
  people.forEach((person, place) => {
    const option = document.createElement("li");
    option.id = `person-${place}`;
    option.setAttribute("role", "option");
    option.dataset.handle = person.handle;
    const name = document.createElement("b");
    name.textContent = person.name || person.email;
    const email = document.createElement("span");
    email.textContent = person.email;
    option.append(name, email);
    list?.append(option);
  });
  field.after(list);
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-expanded", "true");
  field.setAttribute("aria-controls", list.id);
  choose(list.firstElementChild);
}

async function look(at: HTMLTextAreaElement): Promise<void> {
  const before = at.value.slice(0, at.selectionStart);
  const word = WORD.exec(before);
  const turn = ++asked;
  if (!word) return close();
  const begun = word[2] ?? "";
  const answer = await fetch(`${at.dataset.peopleUrl}?q=${encodeURIComponent(begun)}`, { credentials: "same-origin" });
  if (turn !== asked || !answer.ok) return;
  field = at;
  start = before.length - begun.length - 1;
  offer(((await answer.json()) as { people: Person[] }).people);
}

function press(event: KeyboardEvent): void {
  if (!list || event.target !== field || event.ctrlKey || event.metaKey) return;
  const at = chosen();
  if (event.key === "ArrowDown") choose(at?.nextElementSibling ?? list.firstElementChild);
  else if (event.key === "ArrowUp") choose(at?.previousElementSibling ?? list.lastElementChild);
  else if (event.key === "Enter" || event.key === "Tab") take(at);
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

export function listenForMentions(): void {
  document.addEventListener("input", (event) => {
    const at = event.target;
    if (at instanceof HTMLTextAreaElement && at.dataset.peopleUrl) void look(at);
  });
  document.addEventListener("keydown", press, true);
  document.addEventListener("mousedown", (event) => {
    const option = (event.target as Element).closest<HTMLElement>("#people-to-mention [role=option]");
    if (!option) return close();
    event.preventDefault();
    take(option);
  });
}
