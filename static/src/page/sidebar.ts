// The sidebar folds away; a cookie keeps it so, and the server draws the page that way from the start.
export function toggleSidebar(): void {
  const shell = document.getElementById("shell");
  if (!shell) return;
  const closed = shell.dataset.side !== "closed";
  if (closed) shell.dataset.side = "closed";
  else delete shell.dataset.side;
  document.cookie = `mled_side=${closed ? "closed" : "open"}; path=/; max-age=31536000; samesite=lax`;
  tell(closed);
  dispatchEvent(new Event("resize"));
}

function tell(closed: boolean): void {
  document.getElementById("side-toggle")?.setAttribute("aria-expanded", String(!closed));
}

export function listenForSidebar(): void {
  tell(document.getElementById("shell")?.dataset.side === "closed");
  document.getElementById("side-toggle")?.addEventListener("click", toggleSidebar);
}
