// The signature dialogue: a button with data-decision opens it instead of sending the form; "Sign" in it sends.
function dialog(): HTMLDialogElement | null {
  const found = document.getElementById("sign");
  return found instanceof HTMLDialogElement ? found : null;
}

function say(place: string, words: string | undefined): void {
  const element = dialog()?.querySelector<HTMLElement>(`[data-sign="${place}"]`);
  if (element && words) element.textContent = words;
}

/** What the decision needs written first, or null where it is there: nobody gives a password for nothing. */
function missing(button: HTMLElement): HTMLTextAreaElement | null {
  const named = (button.dataset.needs?.split(" ") ?? []).map((id) => document.getElementById(id));
  const empty = named.filter((field) => field instanceof HTMLTextAreaElement).filter((field) => !field.value.trim());
  for (const field of empty) field.closest("details")?.setAttribute("open", "");
  return empty[0] ?? null;
}

/** Says below a field that is empty or wrong what it needs, until something is written there. */
function ask(empty: HTMLTextAreaElement | HTMLInputElement, words: string): void {
  empty.focus();
  if (empty.hasAttribute("data-asked")) return;
  const hint = document.querySelector<HTMLElement>(`label[for="${CSS.escape(empty.id)}"] > span`);
  const optional = hint?.textContent?.trim() === "optional" ? hint : null;
  const told = document.createElement("div");
  told.className = "invalid-feedback";
  told.id = `${empty.id}_needed`;
  told.setAttribute("role", "alert");
  told.textContent = words;
  const described = empty.getAttribute("aria-describedby");
  empty.setAttribute("data-asked", "");
  empty.setAttribute("aria-invalid", "true");
  empty.setAttribute("aria-describedby", `${told.id} ${described ?? ""}`.trim());
  empty.classList.add("is-invalid");
  empty.after(told);
  if (optional) optional.hidden = true;
  const forget = (): void => {
    told.remove();
    empty.classList.remove("is-invalid");
    empty.removeAttribute("data-asked");
    empty.removeAttribute("aria-invalid");
    if (described === null) empty.removeAttribute("aria-describedby");
    else empty.setAttribute("aria-describedby", described);
    if (optional) optional.hidden = false;
  };
  empty.addEventListener("input", forget, { once: true });
}

function open(button: HTMLElement): void {
  const shown = dialog();
  if (!shown) return;
  const empty = missing(button);
  if (empty) {
    ask(empty, button.dataset.needsWords ?? "");
    return;
  }
  const late = button.dataset.needs ? shown.closest("form")?.querySelector<HTMLInputElement>("input[type=date]:out-of-range") : null;
  if (late) {
    ask(late, late.dataset.past ?? "");
    return;
  }
  const decision = shown.querySelector<HTMLInputElement>('input[data-sign="decision"]');
  if (decision) {
    decision.value = button.dataset.decision ?? "";
    decision.disabled = false;
  }
  for (const part of shown.querySelectorAll<HTMLElement>("[data-only]")) part.hidden = part.dataset.only !== button.dataset.decision;
  say("title", button.dataset.title);
  say("meaning", button.dataset.meaning);
  mirror();
  show(shown);
}

function written(name: string): string {
  const field = dialog()?.closest("form")?.querySelector(`textarea[name="${name}"], select[name="${name}"], input[type=date][name="${name}"]`);
  if (field instanceof HTMLSelectElement) return field.selectedOptions[0]?.text.trim() ?? "";
  return field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement ? field.value.trim() : "";
}

/** What was written beside the dialogue is shown in it, since it is signed as well. */
function mirror(): void {
  for (const place of dialog()?.querySelectorAll<HTMLElement>("[data-mirror]") ?? []) {
    place.textContent = written(place.dataset.mirror ?? "") || "none";
  }
}

function show(shown: HTMLDialogElement): void {
  if (shown.open) shown.close();
  shown.showModal();
  const first = shown.querySelector<HTMLElement>(".is-invalid, [data-first], button[name=confirm]");
  first?.focus();
}

document.addEventListener("click", (event) => {
  const target = event.target as Element;
  const button = target.closest<HTMLElement>("button[data-decision]");
  if (button) {
    event.preventDefault();
    open(button);
  } else if (target.closest("[data-close]")) target.closest("dialog")?.close();
});

// C and F decide, as the buttons say, while nothing is being typed.
document.addEventListener("keydown", (event) => {
  const at = document.activeElement;
  if (event.ctrlKey || event.metaKey || event.altKey || at?.matches("input, textarea, select") || dialog()?.open) return;
  const button = document.querySelector<HTMLButtonElement>(`button[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!button || button.disabled) return;
  event.preventDefault();
  open(button);
});

// One signature for one click: a second one before the answer sends nothing.
document.addEventListener("submit", (event) => {
  const form = event.target as HTMLFormElement;
  if (!form.querySelector("#sign")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-sent]")) delete form.dataset.sent;
});

const waiting = dialog();
if (waiting?.hasAttribute("data-open")) {
  mirror();
  show(waiting);
}
