// What the page tells its charts: the runs by place, what they say of each field, and where the numbers come from.
export interface RunOnPage {
  ref: string;
  name: string;
  slot: number;
  url: string;
}

export interface Model {
  runs: RunOnPage[];
  /** params.lr, tags.team, dataset, …: by place what the run says, null for nothing. */
  fields: Record<string, (string | null)[]>;
  /** Metrics with more than one step. */
  metrics: string[];
  goal: string;
  data: string;
  /** Where it is put on record that numbers are taken out. */
  noted: string;
  hidden: string[];
  offered: { metrics: string[]; params: string[]; tags: string[] };
  /** Only where charts are those of a project's runs. */
  project?: string;
  count?: number;
  points?: string;
  matters?: string;
  mattersPage?: string;
}

export function readModel(root: HTMLElement): Model {
  return JSON.parse(root.dataset.model ?? "") as Model;
}

/** A field as people say it: without "params.". */
export function fieldWords(field: string): string {
  const at = field.indexOf(".");
  if (at < 0) return field.charAt(0).toUpperCase() + field.slice(1);
  return field.startsWith("tags.") ? `${field.slice(at + 1)} (tag)` : field.slice(at + 1);
}
