// Menus are <details class="m-menu">: they work without scripts; here they learn to close.
export function openMenus(): HTMLDetailsElement[] {
  return [...document.querySelectorAll<HTMLDetailsElement>("details.m-menu[open]")];
}

export function closeMenus(except?: Node | null): boolean {
  let closed = false;
  for (const menu of openMenus()) {
    if (except && menu.contains(except)) continue;
    const held = menu.contains(document.activeElement);
    menu.open = false;
    if (held) menu.querySelector("summary")?.focus();
    closed = true;
  }
  return closed;
}

export function listenForMenus(): void {
  document.addEventListener("click", (event) => closeMenus(event.target as Node));
}
