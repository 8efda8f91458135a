import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import { stringifyJson } from "../base/json.ts";
import { EventLog } from "../store/event-log.ts";
import { Journal } from "../store/journal.ts";
import { describeInterrupted } from "./describe-interrupted.ts";
import { readResult, writeResult } from "./journalled-run.ts";
import { RunView } from "./run-view.ts";

const dir = mkdtempSync(join(tmpdir(), "interrupted-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("what a killed run of the command line noted is kept, though the server had told of it", async () => {
  const path = join(dir, "journal.db");
  const journal = new Journal(path);
  const events = new EventLog(join(dir, "events.db"));
  journal.begin({ run: "r", graph: "", output: dir, started: 1, request: "", document: "" });
  const view = new RunView([{ id: "1", type: "Toy", title: "Toy" }]);
  view.add({ kind: "node.finished", run: "r", seq: 1, at: 5, node: "1", type: "Toy", ms: 3, key: "k" });
  journal.note("r", writeResult(view, undefined, false));
  events.append("r", stringifyJson({ kind: "summary", summary: { id: "r", state: "running" } }));
  const noted = journal.get("r");
  expect(noted && readResult(noted).progress).toEqual({ done: 1, total: 1, node: null });
  markInterrupted(path);
  expect(await describeInterrupted(journal, events)).toEqual(["r"]);
  const entry = journal.get("r");
  expect(entry && [entry.state, readResult(entry).progress.done]).toEqual(["interrupted", 1]);
  journal.close();
  events.close();
});

/** As the journal does when the run's process is gone. */
function markInterrupted(path: string): void {
  const database = new DatabaseSync(path);
  database.exec("UPDATE runs SET state = 'interrupted'");
  database.close();
}
