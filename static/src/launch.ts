// The form that launches: fields follow what is chosen, changed values are marked, Ctrl Enter runs. Without this script
// the same form is sent to the server for each of these.
import htmx from "htmx.org";
import { listenForRowsOf } from "./record/rows";

const form = document.querySelector<HTMLFormElement>("#launch-form");

/** Whether two texts say the same value: 0.10 is 0.1. */
function isSame(one: string, other: string): boolean {
  if (one.trim() === other.trim()) return true;
  return one.trim() !== "" && other.trim() !== "" && Number(one) === Number(other);
}

function mark(field: HTMLInputElement | HTMLSelectElement): void {
  const badge = field.closest(".m-paramfield")?.querySelector<HTMLElement>("[data-changed]");
  const base = field.dataset.base ?? "";
  if (badge) badge.hidden = base === "" || isSame(field.value || base, base);
}

/** What is known of the chosen dataset version stands below its field. */
function tellAbout(field: HTMLSelectElement): void {
  const place = document.querySelector(`[data-about-of="${field.id}"]`);
  const about = field.selectedOptions[0]?.dataset.about;
  if (place && about) place.textContent = about;
}

function showEnvironment(): void {
  const chosen = document.querySelector<HTMLSelectElement>("[data-environment]")?.value ?? "";
  for (const part of document.querySelectorAll<HTMLElement>("[data-environment-of]")) part.hidden = part.dataset.environmentOf !== chosen;
}

/** Another thing to run has other fields: the form comes again from the server, with all that was typed. */
function choose(form: HTMLFormElement): void {
  const data = new FormData(form);
  data.delete("code_file");
  data.set("do", "change");
  void htmx.ajax("post", form.action, {
    target: "#launch-form",
    select: "#launch-form",
    swap: "outerHTML show:none",
    values: Object.fromEntries([...new Set(data.keys())].map((name) => [name, data.getAll(name)])),
  });
}

function begin(form: HTMLFormElement): void {
  listenForRowsOf(form);
  showEnvironment();
  form.addEventListener("input", (event) => {
    const field = event.target;
    if ((field instanceof HTMLInputElement || field instanceof HTMLSelectElement) && "base" in field.dataset) mark(field);
  });
  form.addEventListener("change", (event) => {
    const field = event.target as HTMLElement;
    if (field.matches("[data-what]")) choose(form);
    else if (field.matches("[data-environment]")) showEnvironment();
    else if (field instanceof HTMLSelectElement && field.querySelector("[data-about]")) tellAbout(field);
  });
  form.addEventListener("submit", () => {
    const button = form.querySelector<HTMLButtonElement>("[data-run]");
    setTimeout(() => button && (button.disabled = true)); // once is enough; what is sent is put together by then
  });
}

if (form) {
  begin(form);
  document.querySelector<HTMLElement>("#launch-problems")?.focus();
  document.addEventListener("htmx:afterSwap", (event) => {
    const fresh = event.target as HTMLElement;
    if (fresh.id !== "launch-form") return;
    begin(document.querySelector<HTMLFormElement>("#launch-form")!);
    document.querySelector<HTMLElement>("[data-what]:checked")?.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    document.querySelector<HTMLFormElement>("#launch-form")?.requestSubmit();
  });
  addEventListener("pageshow", () => document.querySelector("[data-run]")?.removeAttribute("disabled"));
}
