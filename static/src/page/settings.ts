// Keeps how the reader likes a page on the server: the same in another browser. Writes of one name are gathered for
// half a second, and the last one is sent also when the page is left.
import { formOf } from "./posting";

const waiting = new Map<string, { body: FormData; timer: number }>();

function send(key: string): void {
  const one = waiting.get(key);
  if (!one) return;
  clearTimeout(one.timer);
  waiting.delete(key);
  void fetch("/me/settings/", { method: "POST", body: one.body, credentials: "same-origin", keepalive: true });
}

export function keepSetting(name: string, value: unknown, project = ""): void {
  const body = formOf({ name, project, value: JSON.stringify(value) });
  const key = `${project} ${name}`;
  clearTimeout(waiting.get(key)?.timer);
  waiting.set(key, { body, timer: window.setTimeout(() => send(key), 500) });
}

addEventListener("pagehide", () => {
  for (const key of [...waiting.keys()]) send(key);
});
