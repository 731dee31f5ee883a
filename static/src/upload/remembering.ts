// Which upload a file went to, kept in the browser: the same file chosen again after a reload goes on where it broke off.
const KEPT = "mled-uploads";
const KEPT_MS = 20 * 3600 * 1000; // the server drops what nobody has touched for a day
const KEPT_MAX = 500;

type Kept = Record<string, { id: string; at: number }>;

function read(): Kept {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}") as Kept;
    return Object.fromEntries(Object.entries(kept).filter(([, one]) => Date.now() - one.at < KEPT_MS));
  } catch {
    return {}; // closed to us, or not ours: the file is sent from its beginning
  }
}

function write(kept: Kept): void {
  try {
    localStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(Object.entries(kept).slice(-KEPT_MAX))));
  } catch {
    return; // full or closed: only a reload loses its place
  }
}

export function keyOf(place: string, path: string, file: File): string {
  return [place, path, file.size, file.lastModified].join("|");
}

export function recall(key: string): string | null {
  return read()[key]?.id ?? null;
}

export function remember(key: string, id: string): void {
  write({ ...read(), [key]: { id, at: Date.now() } });
}

export function forget(key: string): void {
  const { [key]: _, ...rest } = read();
  write(rest);
}
