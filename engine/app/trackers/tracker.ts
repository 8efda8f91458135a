/** Numbers of one update. */
export interface Point {
  readonly step: number;
  readonly values: Readonly<Record<string, number>>;
}

export interface TrackedRun {
  readonly id: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly started: number;
  /** Widget values of the train node. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Another program that keeps curves, for one training. Calls come one after the other. */
export interface Tracker {
  readonly name: string;
  begin(run: TrackedRun): Promise<void>;
  /** Takes points of later updates than any before. */
  log(points: readonly Point[]): Promise<void>;
  end(state: "finished" | "failed" | "cancelled"): Promise<void>;
}

/** A tracker that does not answer is not waited for longer. */
const TIMEOUT_MS = 10_000;

/** @throws Error with the server's own words when it refuses */
export async function request(
  method: "GET" | "POST",
  url: URL,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const response = await fetch(url, {
    method,
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new TrackerError(response.status, text);
  return text === "" ? {} : JSON.parse(text);
}

export class TrackerError extends Error {
  readonly status: number;
  readonly body: string;
  constructor(status: number, body: string) {
    super(`it answered ${status}: ${body.slice(0, 200)}`);
    this.status = status;
    this.body = body;
  }
}
