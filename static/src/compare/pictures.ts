// One slider for the pictures of all runs: each shows its picture of the step, or its latest one before it.
interface Picture {
  step: number | null;
  url: string;
  page: string;
}
interface Pictures {
  steps: number[];
  runs: Record<string, Picture[]>;
}

const number = new Intl.NumberFormat("en-US");

/** The picture of a run at a step; null where it has none yet. Those without a step come first in the list. */
function at(pictures: Picture[], step: number): Picture | null {
  return pictures.filter((one) => one.step === null || one.step <= step).pop() ?? null;
}

function wordsOf(picture: Picture | null, step: number): string {
  if (!picture) return "";
  if (picture.step === null) return "no step said";
  return picture.step === step ? `step ${number.format(step)}` : `latest before: step ${number.format(picture.step)}`;
}

function show(figure: HTMLElement, pictures: Picture[], step: number): void {
  const found = at(pictures, step);
  const image = figure.querySelector("img");
  if (image) {
    image.hidden = !found;
    if (found && image.getAttribute("src") !== found.url) image.src = found.url;
  }
  if (found) figure.querySelector("[data-page]")?.setAttribute("href", found.page);
  figure.querySelector<HTMLElement>("[data-none]")?.toggleAttribute("hidden", found !== null);
  const words = figure.querySelector("[data-words]");
  if (words) words.textContent = wordsOf(found, step);
}

function keep(name: string, step: number): void {
  const address = new URL(location.href);
  address.searchParams.set("image", name);
  address.searchParams.set("step", String(step));
  history.replaceState(history.state, "", address);
}

export function listenForPictures(): void {
  const told = document.getElementById("pictures")?.textContent;
  const slider = document.getElementById("step");
  const panel = document.getElementById("images");
  if (!told || !panel || !(slider instanceof HTMLInputElement)) return;
  const { steps, runs } = JSON.parse(told) as Pictures;
  const go = (place: number): void => {
    const step = steps[Math.max(0, Math.min(steps.length - 1, place))];
    if (step === undefined) return;
    slider.value = String(steps.indexOf(step));
    slider.setAttribute("aria-valuetext", `step ${step}`);
    const value = document.getElementById("step-value");
    if (value) value.textContent = number.format(step);
    for (const figure of panel.querySelectorAll<HTMLElement>("[data-pictures]")) show(figure, runs[figure.dataset.pictures ?? ""] ?? [], step);
    keep(panel.dataset.image ?? "", step);
  };
  slider.addEventListener("input", () => go(Number(slider.value)));
  panel.addEventListener("click", (event) => {
    const link = (event.target as Element).closest<HTMLElement>("[data-step]");
    if (!link) return;
    event.preventDefault();
    go(Number(slider.value) + Number(link.dataset.step));
  });
  document.addEventListener("keydown", (event) => {
    const busy = (event.target as HTMLElement).closest("input, textarea, select, [contenteditable], .m-tablebox");
    if (busy || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "ArrowLeft") go(Number(slider.value) - 1);
    else if (event.key === "ArrowRight") go(Number(slider.value) + 1);
    else return;
    event.preventDefault();
  });
}
