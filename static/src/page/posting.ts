// A form that a script sends by itself: its fields, and the token with which the server believes it.
export function formOf(fields: Record<string, string>): FormData {
  const body = new FormData();
  body.set("csrfmiddlewaretoken", document.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]")?.value ?? "");
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  return body;
}
