// On a narrow screen the tabs of a page scroll: the one that is open comes into view.
export function showOpenTab(): void {
  const tabs = document.querySelector<HTMLElement>("[data-tabs]");
  const open = tabs?.querySelector<HTMLElement>("[aria-current]");
  if (tabs && open && tabs.scrollWidth > tabs.clientWidth) tabs.scrollLeft = open.offsetLeft - tabs.offsetLeft - 24;
}
