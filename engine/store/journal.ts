// Past, current and queued runs. A run is in here before anyone is told its id, so a run that was announced cannot vanish.
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { AppError } from "../base/errors.ts";
import { type RunError, runError } from "../graph/events.ts";
import { isLeasedRecently } from "./lease.ts";
import { ownerIsAlive, self } from "./owner.ts";

const STATES = ["queued", "running", "paused", "finished", "failed", "cancelled", "interrupted"] as const;
export type RunState = (typeof STATES)[number];
export type EndState = Exclude<RunState, "queued" | "running">;

export interface JournalEntry {
  readonly run: string;
  readonly state: RunState;
  /** SHA-256 of the prompt. */
  readonly graph: string;
  readonly output: string;
  /** The client that asked: a browser tab, or "" for the command line. */
  readonly client: string;
  /** Made by the client for one request: with `client` it names one run. "" = none. */
  readonly key: string;
  /** Queued runs of lower numbers go first; equal ones by `created`. */
  readonly priority: number;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly started: number | null;
  readonly ended: number | null;
  readonly error: RunError | null;
  /** Short forms of the request and of its result, for lists: the caller's JSON, or "" for nothing. */
  readonly request: string;
  readonly result: string;
}

/** The same in full, read for one run at a time. */
export interface JournalDocuments {
  /** The workflow. */
  readonly document: string;
  readonly detail: string;
}

const row = z.object({
  run: z.string(),
  state: z.enum(STATES),
  graph: z.string(),
  output: z.string(),
  client: z.string(),
  key: z.string(),
  priority: z.number(),
  created: z.number(),
  started: z.number().nullable(),
  ended: z.number().nullable(),
  error: z
    .string()
    .nullable()
    .transform((text) => (text === null ? null : runError.parse(JSON.parse(text)))),
  request: z.string(),
  result: z.string(),
  pid: z.number(),
  pid_start: z.string(),
});

const SHORT = "run, state, graph, output, client, key, priority, created, started, ended, error, request, result, pid, pid_start";
const documents = z.object({ document: z.string(), detail: z.string() });

/** One step per version of the file; `PRAGMA user_version` counts those that were made. A file from before the count has the table of step 1. */
const STEPS = [
  `CREATE TABLE IF NOT EXISTS runs (run TEXT PRIMARY KEY, state TEXT NOT NULL, graph TEXT NOT NULL, output TEXT NOT NULL,
    started REAL, ended REAL, error TEXT, pid INTEGER NOT NULL, pid_start TEXT NOT NULL) STRICT`,
  `CREATE TABLE new_runs (run TEXT PRIMARY KEY, state TEXT NOT NULL, graph TEXT NOT NULL, output TEXT NOT NULL, client TEXT NOT NULL, key TEXT NOT NULL,
    priority REAL NOT NULL, created REAL NOT NULL, started REAL, ended REAL, error TEXT, request TEXT NOT NULL, result TEXT NOT NULL,
    pid INTEGER NOT NULL, pid_start TEXT NOT NULL, document TEXT NOT NULL, detail TEXT NOT NULL) STRICT;
   INSERT INTO new_runs SELECT run, state, graph, output, '', '', 0, started, started, ended, error, '', '', pid, pid_start, '', '' FROM runs;
   DROP TABLE runs;
   ALTER TABLE new_runs RENAME TO runs;
   CREATE UNIQUE INDEX runs_key ON runs (client, key) WHERE key <> '';
   CREATE INDEX runs_created ON runs (created, run);
   CREATE INDEX runs_queued ON runs (priority, created) WHERE state = 'queued'`,
];

export interface NewRun {
  readonly run: string;
  readonly graph: string;
  readonly output: string;
}

export interface QueuedRun extends NewRun, Pick<JournalEntry, "client" | "key" | "priority" | "created" | "request"> {
  readonly document: string;
}

export interface EndedRun {
  readonly result: string;
  readonly detail: string;
}

export interface RunPageOptions {
  /** Only runs older than this one. */
  readonly before?: string | undefined;
  readonly limit?: number;
  readonly graph?: string | undefined;
  readonly state?: string | undefined;
}

/** What is older, or beyond the newest, is removed when the journal is opened. `run.json` stays where it is. */
const MAX_AGE_MS = 365 * 24 * 3600 * 1000;
const MAX_ROWS = 10_000;

/** Each method is one committed transaction. @throws AppError STORE_JOURNAL */
export class Journal {
  readonly #database: DatabaseSync;
  readonly #path: string;
  #version = 0;

  /** Opens or makes the file. Runs whose process is gone are marked `interrupted`. */
  constructor(path: string) {
    this.#path = path;
    this.#database = this.#guard("open", () => {
      mkdirSync(dirname(path), { recursive: true });
      const database = new DatabaseSync(path, { timeout: 5000 });
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
      upgrade(database);
      return database;
    });
    this.#guard("clean", () =>
      this.#database
        .prepare(
          "DELETE FROM runs WHERE state NOT IN ('running', 'queued', 'paused') AND (created < ? OR run NOT IN (SELECT run FROM runs ORDER BY created DESC LIMIT ?))",
        )
        .run(Date.now() - MAX_AGE_MS, MAX_ROWS),
    );
    this.markInterrupted();
  }

  /** Runs whose process is gone become `interrupted`: a killed one cannot say so itself. */
  markInterrupted(): void {
    this.#guard("read", () => {
      for (const r of this.#database.prepare(`SELECT ${SHORT} FROM runs WHERE state = 'running'`).all()) {
        const { run, pid, pid_start, output } = row.parse(r);
        const [machine = "", start = ""] = pid_start.split(":");
        // What runs on another machine is known by the lease on its output.
        if (!(ownerIsAlive({ machine, pid, start }) ?? isLeasedRecently(output)))
          this.#database.prepare("UPDATE runs SET state = 'interrupted' WHERE run = ? AND state = 'running'").run(run);
      }
    });
  }

  /** Whether another process has written since this was last asked. */
  hasChanged(): boolean {
    const { data_version } = this.#guard("read", () =>
      z.object({ data_version: z.number() }).parse(this.#database.prepare("PRAGMA data_version").get()),
    );
    const before = this.#version;
    this.#version = data_version;
    return data_version !== before;
  }

  /** Preconditions: the id is new. Result: `queued`, on disk. */
  enqueue({ run, graph, output, client, key, priority, created, request, document }: QueuedRun): void {
    this.#guard("write", () =>
      this.#database
        .prepare("INSERT INTO runs VALUES (?, 'queued', ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, ?, '', 0, '', ?, '')")
        .run(run, graph, output, client, key, priority, created, request, document),
    );
  }

  /** Preconditions: the id is new, or `queued` with the texts it was queued with. Result: `running` by this process, on disk. */
  begin({
    run,
    graph,
    output,
    started,
    request = "",
    document = "",
  }: NewRun & { readonly started: number; readonly request?: string; readonly document?: string }): void {
    this.#guard("write", () => {
      const { changes } = this.#database
        .prepare(
          `INSERT INTO runs VALUES (?, 'running', ?, ?, '', '', 0, ?, ?, NULL, NULL, ?, '', ?, ?, ?, '')
           ON CONFLICT (run) DO UPDATE SET state = 'running', started = excluded.started, pid = excluded.pid, pid_start = excluded.pid_start
           WHERE state = 'queued'`,
        )
        .run(run, graph, output, started, started, request, self.pid, `${self.machine}:${self.start}`, document);
      if (changes === 0) throw new Error(`run ${run} has begun before`);
    });
  }

  /** Preconditions: `running` or `queued`. Result: the given state, on disk. A run that has already ended keeps its state. */
  end(run: string, state: EndState, ended: number, error?: RunError, { result, detail }: EndedRun = { result: "", detail: "" }): void {
    this.#guard("write", () =>
      this.#database
        .prepare("UPDATE runs SET state = ?, ended = ?, error = ?, result = ?, detail = ? WHERE run = ? AND state IN ('running', 'queued')")
        .run(state, ended, error ? JSON.stringify(error) : null, result, detail, run),
    );
  }

  /** Keeps how far a run is, for others who look at it. Preconditions: `running`. */
  note(run: string, { result, detail }: EndedRun): void {
    this.#guard("write", () =>
      this.#database.prepare("UPDATE runs SET result = ?, detail = ? WHERE run = ? AND state = 'running'").run(result, detail, run),
    );
  }

  /** Adds what is known about a run that ended without reporting it. Preconditions: `interrupted`. */
  describe(run: string, ended: number, { result, detail }: EndedRun): void {
    this.#guard("write", () =>
      this.#database
        .prepare("UPDATE runs SET ended = ?, result = ?, detail = ? WHERE run = ? AND state = 'interrupted'")
        .run(ended, result, detail, run),
    );
  }

  /** Preconditions: `queued`. Result: its new place in the queue, on disk. */
  move(run: string, priority: number): void {
    this.#guard("write", () =>
      this.#database.prepare("UPDATE runs SET priority = ? WHERE run = ? AND state = 'queued'").run(priority, run),
    );
  }

  /** Preconditions: it has ended. Result: it is removed. */
  remove(run: string): void {
    this.#guard("write", () => this.#database.prepare("DELETE FROM runs WHERE run = ? AND state NOT IN ('running', 'queued')").run(run));
  }

  get(run: string): JournalEntry | undefined {
    const found = this.#guard("read", () => this.#database.prepare(`SELECT ${SHORT} FROM runs WHERE run = ?`).get(run));
    return found && entryOf(found);
  }

  documents(run: string): JournalDocuments | undefined {
    const found = this.#guard("read", () => this.#database.prepare("SELECT document, detail FROM runs WHERE run = ?").get(run));
    return found && documents.parse(found);
  }

  /** The run that an earlier copy of this request made, if any. */
  find(client: string, key: string): JournalEntry | undefined {
    const found = this.#guard("read", () =>
      this.#database.prepare(`SELECT ${SHORT} FROM runs WHERE client = ? AND key = ? AND key <> ''`).get(client, key),
    );
    return found && entryOf(found);
  }

  /** The next one first. */
  queued(): readonly JournalEntry[] {
    return this.#guard("read", () =>
      this.#database.prepare(`SELECT ${SHORT} FROM runs WHERE state = 'queued' ORDER BY priority, created, run`).all(),
    ).map(entryOf);
  }

  /** Newest first. */
  list({ before, limit = 100, graph, state }: RunPageOptions = {}): readonly JournalEntry[] {
    return this.#guard("read", () =>
      this.#database
        .prepare(
          `SELECT ${SHORT} FROM runs WHERE (:graph IS NULL OR graph = :graph) AND (:state IS NULL OR state = :state)
           AND (:before IS NULL OR (created, run) < (SELECT created, run FROM runs WHERE run = :before)) ORDER BY created DESC, run DESC LIMIT :limit`,
        )
        .all({ before: before ?? null, graph: graph ?? null, state: state ?? null, limit }),
    ).map(entryOf);
  }

  close(): void {
    this.#database.close();
  }

  #guard<T>(doing: string, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw new AppError(
        "STORE_JOURNAL",
        `cannot ${doing} the run journal ${this.#path}: ${cause instanceof Error ? cause.message : String(cause)}`,
        {
          hint: "check the folder's permissions and free space; if the file is damaged, move it away",
          cause,
        },
      );
    }
  }
}

/** Brings the file to the newest version. Several processes may try at once; one of them does it. */
function upgrade(database: DatabaseSync): void {
  const version = (): number => z.object({ user_version: z.number() }).parse(database.prepare("PRAGMA user_version").get()).user_version;
  if (version() === STEPS.length) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    const made = version();
    if (made > STEPS.length) throw new Error("it was written by a newer version of this program");
    for (const step of STEPS.slice(made)) database.exec(step);
    database.exec(`PRAGMA user_version = ${STEPS.length}; COMMIT`);
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

function entryOf(found: unknown): JournalEntry {
  const { pid: _pid, pid_start: _start, ...entry } = row.parse(found);
  return entry;
}
