// Files from a file field, a folder field or a drop, each with its path below what was chosen.
export interface Chosen {
  path: string;
  file: File;
}

/** Files of a field. A chosen folder is the top: its own name is no part of the paths. */
export function fromField(field: HTMLInputElement): Chosen[] {
  return [...(field.files ?? [])].map((file) => ({ path: belowTop(file.webkitRelativePath) || file.name, file }));
}

function belowTop(path: string): string {
  return path.slice(path.indexOf("/") + 1);
}

/** Files of a drop, folders walked; a single dropped folder is the top. */
export async function fromDrop(items: DataTransferItemList): Promise<Chosen[]> {
  const dropped = [...items].filter((item) => item.kind === "file");
  const entries = dropped.map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const loose = dropped.filter((item) => item.webkitGetAsEntry() === null).map((item) => item.getAsFile());
  const found: Chosen[] = loose.filter((file) => file !== null).map((file) => ({ path: file.name, file }));
  const only = entries.length === 1 && entries[0]?.isDirectory;
  for (const entry of entries) await walk(entry, only ? null : "", found);
  return found;
}

/** above: the folder's path with a slash at its end; null for the top itself. */
async function walk(entry: FileSystemEntry, above: string | null, found: Chosen[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed));
    found.push({ path: `${above ?? ""}${file.name}`, file });
    return;
  }
  const below = above === null ? "" : `${above}${entry.name}/`;
  for (const child of await children(entry as FileSystemDirectoryEntry)) await walk(child, below, found);
}

/** A reader gives at most a hundred at a time, and an empty list at the end. */
async function children(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return all;
    all.push(...some);
  }
}
