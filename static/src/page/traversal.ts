// Back and forward, taken before the scripts of a page ran: htmx hears nothing of them, and the address would speak of
// one page while another stands below it.

/** The address that the server was asked for when it made this page; empty where the browser does not say. */
function served(): string {
  const [entry] = performance.getEntriesByType("navigation");
  return entry?.name ?? "";
}

const whole = (address: string) => address.replace(/#.*$/, "");

/** Reads the page again where the browser has moved on to another address while it loaded; at most once for each. */
export function catchUpWithAddress(): void {
  const from = served();
  const now = whole(location.href);
  const mark = "mled:caught-up";
  if (history.state?.htmx && from && whole(from) !== now && sessionStorage.getItem(mark) !== now) {
    sessionStorage.setItem(mark, now);
    location.reload();
    return;
  }
  sessionStorage.removeItem(mark);
}
