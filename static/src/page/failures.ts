// A part of a page that did not come: the whole page is asked for instead, since it says what was wrong.
import { toast } from "./copying";

interface Failed {
  pathInfo?: { finalRequestPath?: string; requestPath?: string };
  requestConfig?: { verb?: string };
}

export function listenForFailures(): void {
  document.addEventListener("htmx:responseError", (event) => {
    const failed = (event as CustomEvent<Failed>).detail;
    const path = failed.pathInfo?.finalRequestPath ?? failed.pathInfo?.requestPath;
    if (path && failed.requestConfig?.verb === "get") location.assign(path);
    else toast("That did not work. Reload the page and try again.");
  });
  document.addEventListener("htmx:sendError", () => toast("The server does not answer. Nothing was lost; try again."));
}
