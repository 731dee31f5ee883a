// The form for a run that is over: rows that grow, the kind of each value, local times with UTC beside them, versions
// of the catalogue as one types. Without this script the same form is sent to the server for each of these.
import { listenForPreviews } from "./comments/preview";
import { listenForRowsOf } from "./record/rows";
import { listenForTimes } from "./record/times";
import { listenForVersions } from "./record/versions";

const form = document.querySelector<HTMLFormElement>("#record-form");
if (form) {
  listenForPreviews();
  listenForRowsOf(form);
  listenForTimes(form);
  listenForVersions(form);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.requestSubmit();
  });
  document.querySelector<HTMLElement>("#record-problems, #record-stored, #record-filled")?.focus();
}
