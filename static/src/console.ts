// The console of a run: more lines as one scrolls, a line by its number, searching, following what is still printed.
import { Log } from "./console/log";
import { listenForSearch } from "./console/search";

const EVERY_MS = 3_000;
const panel = document.getElementById("console");
const box = document.getElementById("log-box");

function follow(log: Log, box: HTMLElement): void {
  const choice = document.getElementById("follow") as HTMLInputElement | null;
  if (!choice) return;
  const atEnd = (): boolean => box.scrollHeight - box.scrollTop - box.clientHeight < 60;
  choice.addEventListener("change", () => {
    if (choice.checked) void log.end();
  });
  box.addEventListener("wheel", (event) => {
    if (event.deltaY < 0) choice.checked = false;
  });
  setInterval(() => {
    if (choice.checked && document.visibilityState === "visible") void log.newer(atEnd());
  }, EVERY_MS);
}

function lineInAddress(): number {
  return Number(/^#L(\d{1,15})$/.exec(location.hash)?.[1] ?? 0);
}

if (panel && box) {
  const log = new Log(panel, box);
  const search = listenForSearch(log, panel);
  follow(log, box);
  const asked = lineInAddress() || Number(panel.dataset.line);
  if (asked) void log.go(asked);
  else if (panel.dataset.atEnd !== undefined) log.toBottom();
  addEventListener("hashchange", () => void (lineInAddress() && log.go(lineInAddress())));
  panel.addEventListener("click", (event) => {
    const at = (event.target as Element).closest<HTMLAnchorElement>("a");
    const line = at?.closest<HTMLElement>("[data-line]");
    if (!at || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (at.classList.contains("ln") && line) log.point(Number(line.dataset.line));
    else if (at.id === "console-start") void log.go(1);
    else if (at.id === "console-end") void log.end();
    else if (at.id === "console-earlier") void log.earlier();
    else if (at.id === "console-later") void log.later();
    else if (at.id === "match-next") search.step(1);
    else if (at.id === "match-previous") search.step(-1);
    else return;
    event.preventDefault();
  });
}
