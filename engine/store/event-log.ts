// What happened, in order, for clients that were away. It is separate from the journal, because it may lose the last moments to a power
// cut: a busy run does not wait for the disk. A killed process loses nothing.
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { z } from "zod";
import { AppError } from "../base/errors.ts";

export interface LoggedEvent {
  readonly seq: number;
  /** JSON. */
  readonly event: string;
}

const row = z.object({ seq: z.number(), event: z.string() });
const bounds = z.object({ first: z.number().nullable(), last: z.number().nullable() });
const sequence = z.object({ seq: z.number() });

export interface EventLogOptions {
  /** Events kept; older ones are dropped. Default 200,000. */
  readonly keep?: number;
}

/** @throws AppError STORE_JOURNAL */
export class EventLog {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #keep: number;
  readonly #insert: StatementSync;
  #last: number;

  constructor(path: string, { keep = 200_000 }: EventLogOptions = {}) {
    this.#path = path;
    this.#keep = keep;
    const { database, insert, last } = this.#guard("open", () => {
      mkdirSync(dirname(path), { recursive: true });
      const opened = new DatabaseSync(path, { timeout: 5000 });
      opened.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
        CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, event TEXT NOT NULL) STRICT;
        CREATE INDEX IF NOT EXISTS events_run ON events (run, seq)`);
      // Numbers are never reused, whatever was dropped.
      const counted = opened.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'events'").get();
      return {
        database: opened,
        insert: opened.prepare("INSERT INTO events (run, event) VALUES (?, ?)"),
        last: counted ? sequence.parse(counted).seq : 0,
      };
    });
    this.#database = database;
    this.#insert = insert;
    this.#last = last;
    this.#drop();
  }

  /** Number of the last event; 0 when there never was one. */
  get last(): number {
    return this.#last;
  }

  /** @param run "" for what belongs to no run @returns its number, once it is written */
  append(run: string, event: string): number {
    this.#last = this.#guard("write", () => Number(this.#insert.run(run, event).lastInsertRowid));
    if (this.#last % 10_000 === 0) this.#drop();
    return this.#last;
  }

  /** Whether every event after `seq` is still here. */
  reaches(seq: number): boolean {
    if (seq > this.#last || seq < 0) return false;
    const { first } = this.#guard("read", () =>
      bounds.parse(this.#database.prepare("SELECT min(seq) AS first, max(seq) AS last FROM events").get()),
    );
    return seq === this.#last || (first !== null && seq >= first - 1);
  }

  /** Events in order. */
  after(seq: number, limit: number): readonly LoggedEvent[] {
    return this.#guard("read", () =>
      this.#database.prepare("SELECT seq, event FROM events WHERE seq > ? ORDER BY seq LIMIT ?").all(seq, limit),
    ).map((r) => row.parse(r));
  }

  /** Events of one run, in order. */
  of(run: string): readonly LoggedEvent[] {
    return this.#guard("read", () => this.#database.prepare("SELECT seq, event FROM events WHERE run = ? ORDER BY seq").all(run)).map((r) =>
      row.parse(r),
    );
  }

  /** The last event of a run that has this `kind`. */
  newest(run: string, kind: string): LoggedEvent | undefined {
    const found = this.#guard("read", () =>
      this.#database
        .prepare("SELECT seq, event FROM events WHERE run = ? AND json_extract(event, '$.kind') = ? ORDER BY seq DESC LIMIT 1")
        .get(run, kind),
    );
    return found && row.parse(found);
  }

  close(): void {
    this.#database.close();
  }

  #drop(): void {
    this.#guard("write", () => this.#database.prepare("DELETE FROM events WHERE seq <= ?").run(this.#last - this.#keep));
  }

  #guard<T>(doing: string, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw new AppError(
        "STORE_JOURNAL",
        `cannot ${doing} the event log ${this.#path}: ${cause instanceof Error ? cause.message : String(cause)}`,
        { hint: "check the folder's permissions and free space; if the file is damaged, move it away", cause },
      );
    }
  }
}
