// A form that took work to fill in is sent once the server said that its sender is still signed in: on the way to the
// sign-in page all that was typed would be lost. Whoever is not signs in in another tab and sends it again.
import { toast } from "./copying";

interface Here {
  user: string | null;
  name?: string;
  token?: string;
}

const FEW_FIELDS = 3;
const sure = new WeakSet<HTMLFormElement>();
const asking = new WeakSet<HTMLFormElement>();
let toldBySelf = false;

export function listenForEndedSessions(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (!document.body.dataset.user || !tookWork(form) || sure.delete(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    void send(form, event.submitter);
  }, true);
  // A part that would have come again leads to the sign-in page: not away from what is being typed.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr } = (event as CustomEvent<{ xhr: XMLHttpRequest }>).detail;
    if (!xhr.getResponseHeader("HX-Redirect")?.startsWith("/login/")) return;
    const typedIn = [...document.forms].find((form) => tookWork(form) && hasTyped(form));
    if (!typedIn) return;
    event.preventDefault();
    if (!toldBySelf && !dialog().open) tell({ user: null });
    toldBySelf = true; // once is enough: parts ask again and again
  });
}

function hasTyped(form: HTMLFormElement): boolean {
  const fields = form.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("textarea, input:not([type=hidden])");
  return [...fields].some((field) => field.value !== field.defaultValue);
}

function tookWork(form: HTMLFormElement): boolean {
  const changes = form.getAttribute("method") === "post" || form.hasAttribute("hx-post");
  return changes && (form.querySelector("textarea") !== null || form.querySelectorAll("input:not([type=hidden])").length > FEW_FIELDS);
}

async function send(form: HTMLFormElement, submitter: HTMLElement | null): Promise<void> {
  if (asking.has(form)) return;
  asking.add(form);
  try {
    const answer = await fetch("/me/here/", { headers: { Accept: "application/json" } });
    if (!answer.ok && answer.status !== 401) throw new Error(String(answer.status));
    const here = (await answer.json()) as Here;
    if (here.user === document.body.dataset.user) sendNow(form, submitter, here.token ?? "");
    else tell(here, () => void send(form, submitter));
  } catch {
    toast("The server does not answer. What you typed is still here; try again.");
  } finally {
    asking.delete(form);
  }
}

/** The token is another after signing in again. */
function sendNow(form: HTMLFormElement, submitter: HTMLElement | null, token: string): void {
  for (const field of document.querySelectorAll<HTMLInputElement>("input[name=csrfmiddlewaretoken]")) field.value = token;
  sure.add(form);
  form.requestSubmit(submitter);
  sure.delete(form);
}

function dialog(): HTMLDialogElement {
  return document.getElementById("signed-out") as HTMLDialogElement;
}

function tell(here: Here, again?: () => void): void {
  const told = dialog();
  const other = told.querySelector<HTMLElement>("[data-other]")!;
  other.hidden = here.user === null;
  other.textContent = `${here.name ?? "Somebody else"} is signed in now.`;
  const button = told.querySelector<HTMLElement>("[data-again]")!;
  button.hidden = again === undefined;
  button.onclick = () => {
    told.close();
    again?.();
  };
  if (!told.open) told.showModal();
}
