// Writing about a run: preview, Ctrl+Enter, people to mention, and drafts that wait.
import { keepDrafts } from "./comments/drafts";
import { listenForMentions } from "./comments/mentions";
import { listenForPreviews } from "./comments/preview";

listenForPreviews();
listenForMentions();
keepDrafts();

document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLTextAreaElement) || !(event.ctrlKey || event.metaKey) || event.key !== "Enter") return;
  event.preventDefault();
  field.form?.requestSubmit();
});

// A form that came into the page is where the reader wants to write; in one that was left alone Esc leads back.
document.addEventListener("htmx:afterSettle", (event) => {
  (event.target as Element).querySelector<HTMLTextAreaElement>("textarea[autofocus]")?.focus();
});
