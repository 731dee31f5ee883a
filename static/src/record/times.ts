// Times are typed in the reader's own zone; how far it is from UTC on that day goes with them.
const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Minutes that the reader's clock is ahead of UTC at this local time: summer and winter differ. */
export function aheadOf(local: string): number | null {
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? null : -at.getTimezoneOffset();
}

export function inUtc(local: string): string {
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? "" : `${at.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** A local time of somebody who is so many minutes ahead of UTC, as the reader's own clock showed it. */
export function inReadersZone(local: string, ahead: string): string {
  const here = aheadOf(local);
  if (here === null || ahead === "" || Number(ahead) === here) return local;
  const moment = Date.parse(`${local}Z`) - Number(ahead) * 60_000;
  if (Number.isNaN(moment)) return local;
  const shown = new Date(moment - new Date(moment).getTimezoneOffset() * 60_000).toISOString();
  return shown.slice(0, local.length);
}

export function listenForTimes(form: HTMLFormElement): void {
  const words = form.querySelector<HTMLElement>("[data-zone]");
  if (words) words.textContent = `your time${ZONE ? `, ${ZONE.replace(/_/g, " ")}` : ""}; UTC is shown below`;
  for (const name of ["started", "ended"]) {
    const field = form.querySelector<HTMLInputElement>(`#${name}`);
    if (!field) continue;
    field.value = inReadersZone(field.value, form.querySelector<HTMLInputElement>(`[name=${name}_offset]`)?.value ?? "");
    field.addEventListener("input", () => tell(form, field));
    tell(form, field);
  }
}

function tell(form: HTMLFormElement, field: HTMLInputElement): void {
  const ahead = aheadOf(field.value);
  const hidden = form.querySelector<HTMLInputElement>(`[name=${field.id}_offset]`);
  if (hidden) hidden.value = ahead === null ? "" : String(ahead);
  const place = form.querySelector<HTMLElement>(`[data-utc=${field.id}]`);
  if (place) place.textContent = inUtc(field.value);
}
