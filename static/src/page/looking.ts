// Parts that ask for themselves again ([data-looked-at]) do so only while somebody looks at the page, and not while
// somebody is about to press something in them or reads an open menu there.
function isLookedAt(part: HTMLElement): boolean {
  return !document.hidden && !part.contains(document.activeElement) && !part.querySelector("details[open]");
}

export function listenForLooking(): void {
  document.addEventListener("htmx:beforeRequest", (event) => {
    const part = event.target;
    if (part instanceof HTMLElement && "lookedAt" in part.dataset && !isLookedAt(part)) event.preventDefault();
  });
}
