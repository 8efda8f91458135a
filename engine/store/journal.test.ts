import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Journal, type QueuedRun } from "./journal.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "journal-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

const queued = (run: string, more: Partial<QueuedRun> = {}): QueuedRun => ({
  run,
  graph: "g",
  output: "/o",
  client: "tab",
  key: `key-${run}`,
  priority: 0,
  created: 1,
  request: "{}",
  document: "D",
  ...more,
});

test("the queue goes by priority, then by age, and survives reopening", () => {
  const path = join(dir, "j.sqlite");
  const journal = new Journal(path);
  journal.enqueue(queued("a", { created: 1 }));
  journal.enqueue(queued("b", { created: 2 }));
  journal.enqueue(queued("c", { created: 3, priority: -1 }));
  expect(journal.queued().map((e) => e.run)).toEqual(["c", "a", "b"]);
  journal.move("b", -2);
  journal.close();
  const again = new Journal(path);
  expect(again.queued().map((e) => [e.run, e.client])).toEqual([
    ["b", "tab"],
    ["c", "tab"],
    ["a", "tab"],
  ]);
  again.begin({ run: "b", graph: "g", output: "/o", started: 9 });
  expect(again.get("b")).toMatchObject({ state: "running", started: 9, client: "tab", request: "{}", created: 2 });
  expect(() => again.begin({ run: "b", graph: "g", output: "/o", started: 10 })).toThrow(
    expect.objectContaining({ code: "STORE_JOURNAL" }),
  );
  again.end("b", "finished", 11, undefined, { result: "[1]", detail: "[2]" });
  again.end("a", "cancelled", 12);
  expect(again.queued().map((e) => e.run)).toEqual(["c"]);
  expect(again.get("b")).toMatchObject({ state: "finished", ended: 11, result: "[1]" });
  expect(again.documents("b")).toEqual({ document: "D", detail: "[2]" });
  again.close();
});

test("a request's key names one run for ever; runs without a key are many", () => {
  const journal = new Journal(join(dir, "j.sqlite"));
  journal.enqueue(queued("a", { key: "once" }));
  expect(() => journal.enqueue(queued("b", { key: "once" }))).toThrow(expect.objectContaining({ code: "STORE_JOURNAL" }));
  journal.enqueue(queued("c", { key: "once", client: "other" }));
  expect(journal.find("tab", "once")?.run).toBe("a");
  journal.enqueue(queued("d", { key: "" }));
  journal.enqueue(queued("e", { key: "" }));
  expect(journal.find("tab", "")).toBeUndefined();
  journal.close();
});

test("pages of the history are whole, whatever happens in between", () => {
  const journal = new Journal(join(dir, "j.sqlite"));
  for (let i = 0; i < 7; i++) journal.enqueue(queued(`r${i}`, { created: Math.floor(i / 2), graph: i % 2 ? "odd" : "even" }));
  const first = journal.list({ limit: 3 }).map((e) => e.run);
  journal.enqueue(queued("new", { created: 99 }));
  const second = journal.list({ limit: 10, before: first.at(-1) }).map((e) => e.run);
  expect([...first, ...second]).toEqual(["r6", "r5", "r4", "r3", "r2", "r1", "r0"]);
  expect(journal.list({ graph: "odd" }).map((e) => e.run)).toEqual(["r5", "r3", "r1"]);
  journal.end("r1", "cancelled", 5);
  journal.remove("r1");
  journal.remove("r3");
  expect(journal.list({ graph: "odd" }).map((e) => e.run)).toEqual(["r5", "r3"]);
  journal.close();
});

test("a file of the first version is brought up, and its runs are kept", () => {
  const path = join(dir, "old.sqlite");
  // Recent: what is older than a year is removed.
  const started = Date.now() - 1000;
  const old = new DatabaseSync(path);
  old.exec(`CREATE TABLE runs (run TEXT PRIMARY KEY, state TEXT NOT NULL, graph TEXT NOT NULL, output TEXT NOT NULL,
    started REAL NOT NULL, ended REAL, error TEXT, pid INTEGER NOT NULL, pid_start TEXT NOT NULL) STRICT;
    INSERT INTO runs VALUES ('r1', 'finished', 'g', '/o', ${started}, ${started + 4}, NULL, 1, '')`);
  old.close();
  const journal = new Journal(path);
  expect(journal.list()).toMatchObject([{ run: "r1", state: "finished", created: started, started, ended: started + 4, client: "" }]);
  expect(journal.list()).toMatchObject([{ priority: 0 }]);
  journal.close();
  new Journal(path).close();
});

test("a file of a newer version is refused, not changed", () => {
  const path = join(dir, "new.sqlite");
  const newer = new DatabaseSync(path);
  newer.exec("PRAGMA user_version = 99");
  newer.close();
  expect(() => new Journal(path)).toThrow(/newer version/);
});
