// A link with [data-dialog="id"] opens that dialog where scripts run; its address shows the same as a page. Inside,
// [data-close] closes it.
export function listenForDialogs(): void {
  document.addEventListener("click", (event) => {
    const at = event.target as Element;
    const opener = at.closest<HTMLElement>("[data-dialog]");
    const dialog = opener ? document.getElementById(opener.dataset.dialog ?? "") : null;
    if (dialog instanceof HTMLDialogElement) {
      event.preventDefault();
      dialog.showModal();
      dialog.querySelector<HTMLElement>("textarea, input:not([type=hidden])")?.focus();
    }
    if (at.closest("[data-close]")) at.closest("dialog")?.close();
  });
}
