// One file to the server, part by part. A broken connection is waited out, and the server says where to go on.
export interface Server {
  begin: string;
  /** The address of one upload, with UPLOAD in place of its id. */
  one: string;
  token: string;
  purpose: string;
}

export interface Begun {
  id: string;
  received_bytes: number;
  part_bytes?: number | null;
  state?: string;
}

export interface Told {
  sent: (bytes: number) => void;
  waiting: (seconds: number) => void;
  begun: (id: string) => void;
}

const PART_BYTES = 8 * 1024 * 1024;
const WAITS_S = [1, 2, 4, 8, 15, 30];
const TRIES = 40; // about twenty minutes without an answer

/** The server understood and said no: trying again would not help. */
export class Refusal extends Error {}
class Broken extends Error {}
class Offset extends Error {
  constructor(readonly received: number) {
    super();
  }
}

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

export async function send(server: Server, file: File, known: string | null, told: Told, stop: AbortSignal): Promise<string> {
  const upload = await begun(server, file, known, told, stop);
  told.begun(upload.id);
  let at = Number(upload.received_bytes);
  const part = Number(upload.part_bytes) || PART_BYTES;
  for (let tries = 0; at < file.size; ) {
    told.sent(at);
    try {
      at = await patch(server, upload.id, file.slice(at, at + part), at, told, stop);
      tries = 0;
    } catch (error) {
      if (error instanceof Offset) at = error.received;
      else if (!(error instanceof Broken) || ++tries > TRIES) throw error;
      else {
        await pause(tries, told, stop);
        at = await received(server, upload.id, at, stop);
      }
    }
  }
  told.sent(file.size);
  if (upload.state !== "complete") await patiently(() => ask(server, "POST", `${address(server, upload.id)}finish/`, null, stop), told, stop);
  return upload.id;
}

async function begun(server: Server, file: File, known: string | null, told: Told, stop: AbortSignal): Promise<Begun> {
  if (known) {
    const answer = await patiently(() => ask(server, "GET", address(server, known), null, stop, true), told, stop);
    if (answer.status === 200 && Number(answer.body.size_bytes ?? file.size) === file.size) return answer.body as unknown as Begun;
  }
  const wanted = JSON.stringify({ size_bytes: file.size, purpose: server.purpose });
  const answer = await patiently(() => ask(server, "POST", server.begin, wanted, stop), told, stop);
  told.sent(0);
  return answer.body as unknown as Begun;
}

/** What the server has by now; what we think where it still does not answer. */
async function received(server: Server, id: string, thought: number, stop: AbortSignal): Promise<number> {
  try {
    return Number((await ask(server, "GET", address(server, id), null, stop)).body.received_bytes);
  } catch (error) {
    if (error instanceof Broken) return thought;
    throw error;
  }
}

async function patiently(act: () => Promise<Answer>, told: Told, stop: AbortSignal): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof Broken) || tries > TRIES) throw error;
      await pause(tries, told, stop);
    }
  }
}

/** Waits longer each time, but no longer than until the browser says that it is online again. */
function pause(tries: number, told: Told, stop: AbortSignal): Promise<void> {
  const seconds = WAITS_S[Math.min(tries, WAITS_S.length) - 1] ?? 30;
  told.waiting(seconds);
  return new Promise((done) => {
    const timer = setTimeout(end, seconds * 1000);
    function end(): void {
      clearTimeout(timer);
      removeEventListener("online", end);
      stop.removeEventListener("abort", end);
      done();
    }
    addEventListener("online", end);
    stop.addEventListener("abort", end);
  });
}

function address(server: Server, id: string): string {
  return server.one.replace("UPLOAD", id);
}

function patch(server: Server, id: string, part: Blob, at: number, told: Told, stop: AbortSignal): Promise<number> {
  const headers = { "Upload-Offset": String(at), "Content-Type": "application/octet-stream" };
  return request(server, "PATCH", address(server, id), part, headers, stop, (bytes) => told.sent(at + bytes)).then((answer) => {
    if (answer.status === 409 && typeof answer.body.received_bytes === "number") throw new Offset(answer.body.received_bytes);
    if (answer.status >= 400) throw refusal(answer);
    return Number(answer.body.received_bytes);
  });
}

async function ask(server: Server, method: string, url: string, body: string | null, stop: AbortSignal, mayMiss = false): Promise<Answer> {
  const answer = await request(server, method, url, body, body ? { "Content-Type": "application/json" } : {}, stop);
  if (answer.status >= 400 && !(mayMiss && answer.status === 404)) throw refusal(answer);
  return answer;
}

function refusal(answer: Answer): Refusal {
  const said = [answer.body.title, answer.body.hint].filter(Boolean).join(" ");
  return new Refusal(said || `The server refused with status ${answer.status}.`);
}

/** fetch cannot tell how much went out, so the old way. */
function request(
  server: Server, method: string, url: string, body: Blob | string | null, headers: Record<string, string>,
  stop: AbortSignal, progress?: (bytes: number) => void,
): Promise<Answer> {
  return new Promise((done, failed) => {
    const sending = new XMLHttpRequest();
    sending.open(method, url);
    sending.setRequestHeader("X-CSRFToken", server.token);
    sending.setRequestHeader("Accept", "application/json");
    for (const [name, value] of Object.entries(headers)) sending.setRequestHeader(name, value);
    if (progress) sending.upload.addEventListener("progress", (event) => progress(event.loaded));
    const abort = (): void => sending.abort();
    stop.addEventListener("abort", abort);
    sending.addEventListener("loadend", () => {
      stop.removeEventListener("abort", abort);
      if (stop.aborted) failed(new DOMException("Stopped", "AbortError"));
      else if (sending.status === 0 || sending.status === 429 || sending.status >= 502) failed(new Broken());
      else done({ status: sending.status, body: parsed(sending.responseText) });
    });
    if (stop.aborted) failed(new DOMException("Stopped", "AbortError"));
    else sending.send(body);
  });
}

function parsed(text: string): Record<string, unknown> {
  try {
    return (text ? JSON.parse(text) : {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}

export function drop(server: Server, id: string): void {
  const quiet = new AbortController();
  request(server, "DELETE", address(server, id), null, {}, quiet.signal).catch(() => undefined); // swept later anyway
}
