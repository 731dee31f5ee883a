// MLflow's client prints links whose target stands behind '#': #/experiments/<id>/runs/<run>. They lead to our pages.

function target(hash: string, runs: string): string | null {
  const run = /\/runs\/([0-9a-f]{32})/.exec(hash);
  if (run) return `/r/${run[1]}/`;
  const experiment = /\/experiments\/(\d+)/.exec(hash);
  return experiment ? `${runs}?experiment=${experiment[1]}` : null;
}

export function followClientLinks(): void {
  // Where a token's default project is used, the tracking URI is the bare root.
  const atRoot = location.pathname === "/" ? /\/runs\/[0-9a-f]{32}/.test(location.hash) : false;
  if (atRoot) return location.replace(target(location.hash, "/") ?? "/");
  const page = document.getElementById("client-link");
  if (page) {
    const url = target(location.hash, page.dataset.runs ?? "/");
    if (url) location.replace(url);
    return;
  }
  // Signing in on the way must not lose what stands behind '#'.
  const next = document.querySelector<HTMLInputElement>("form input[type=hidden][name=next]");
  if (next && location.hash.startsWith("#/") && !next.value.includes("#")) next.value += location.hash;
}
