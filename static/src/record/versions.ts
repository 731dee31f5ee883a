// The field for a dataset version offers what the catalogue has now, also what another tab put there a moment ago.
const WAIT_MS = 200;

export function listenForVersions(form: HTMLFormElement): void {
  const field = form.querySelector<HTMLInputElement>("#dataset_version");
  const list = form.querySelector<HTMLDataListElement>("#versions-known");
  const url = list?.dataset.url;
  if (!field || !list || !url) return;
  let timer = 0;
  let last = "";
  const look = (): void => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void offer(field.value), WAIT_MS);
  };
  const offer = async (text: string): Promise<void> => {
    if ([...list.options].some((option) => option.value === text)) return;
    last = text;
    const answer = await fetch(`${url}?q=${encodeURIComponent(text)}`, { credentials: "same-origin" });
    if (!answer.ok || last !== text) return;
    const found = ((await answer.json()) as { versions: string[] }).versions;
    list.replaceChildren(...found.map((version) => new Option("", version)));
  };
  field.addEventListener("input", look);
  addEventListener("focus", look);
}
