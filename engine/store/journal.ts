// Which runs there were and how they ended. A run is in here before anyone is told its id, so an answered run cannot vanish.
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { AppError } from "../base/errors.ts";
import { type RunError, runError } from "../graph/events.ts";
import { processIsAlive, processStart } from "./process-id.ts";

export type RunState = "running" | "finished" | "failed" | "cancelled" | "interrupted";

export interface JournalEntry {
  readonly run: string;
  readonly state: RunState;
  /** SHA-256 of the prompt. */
  readonly graph: string;
  readonly output: string;
  /** Milliseconds since 1970. */
  readonly started: number;
  readonly ended: number | null;
  readonly error: RunError | null;
}

const row = z.object({
  run: z.string(),
  state: z.enum(["running", "finished", "failed", "cancelled", "interrupted"]),
  graph: z.string(),
  output: z.string(),
  started: z.number(),
  ended: z.number().nullable(),
  error: z
    .string()
    .nullable()
    .transform((text) => (text === null ? null : runError.parse(JSON.parse(text)))),
  pid: z.number(),
  pid_start: z.string(),
});

/** Each method is one committed transaction. @throws AppError STORE_JOURNAL */
export class Journal {
  readonly #database: DatabaseSync;
  readonly #path: string;

  /** Opens or makes the file. Runs whose process is gone are marked `interrupted`. */
  constructor(path: string) {
    this.#path = path;
    this.#database = this.#guard("open", () => {
      mkdirSync(dirname(path), { recursive: true });
      const database = new DatabaseSync(path, { timeout: 5000 });
      database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
        CREATE TABLE IF NOT EXISTS runs (run TEXT PRIMARY KEY, state TEXT NOT NULL, graph TEXT NOT NULL, output TEXT NOT NULL,
          started REAL NOT NULL, ended REAL, error TEXT, pid INTEGER NOT NULL, pid_start TEXT NOT NULL) STRICT`);
      return database;
    });
    this.#guard("read", () => {
      for (const r of this.#database.prepare("SELECT * FROM runs WHERE state = 'running'").all()) {
        const { run, pid, pid_start } = row.parse(r);
        if (!processIsAlive(pid) || processStart(pid) !== pid_start)
          this.#database.prepare("UPDATE runs SET state = 'interrupted' WHERE run = ? AND state = 'running'").run(run);
      }
    });
  }

  /** Preconditions: the id is new. Result: `running`, on disk. */
  begin(entry: { readonly run: string; readonly graph: string; readonly output: string; readonly started: number }): void {
    this.#guard("write", () =>
      this.#database
        .prepare("INSERT INTO runs VALUES (?, 'running', ?, ?, ?, NULL, NULL, ?, ?)")
        .run(entry.run, entry.graph, entry.output, entry.started, process.pid, processStart(process.pid)),
    );
  }

  /** Preconditions: `running`. Result: the given state, on disk. A run that has ended already keeps its end. */
  end(run: string, state: "finished" | "failed" | "cancelled", ended: number, error?: RunError): void {
    this.#guard("write", () =>
      this.#database
        .prepare("UPDATE runs SET state = ?, ended = ?, error = ? WHERE run = ? AND state = 'running'")
        .run(state, ended, error ? JSON.stringify(error) : null, run),
    );
  }

  get(run: string): JournalEntry | undefined {
    const found = this.#guard("read", () => this.#database.prepare("SELECT * FROM runs WHERE run = ?").get(run));
    return found && entryOf(found);
  }

  /** Newest first. */
  list(limit = 100): readonly JournalEntry[] {
    return this.#guard("read", () => this.#database.prepare("SELECT * FROM runs ORDER BY started DESC, run DESC LIMIT ?").all(limit)).map(
      entryOf,
    );
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

function entryOf(found: unknown): JournalEntry {
  const { pid: _pid, pid_start: _start, ...entry } = row.parse(found);
  return entry;
}
