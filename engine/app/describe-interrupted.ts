// What the event log knows about runs whose process was killed before it could report.
import { z } from "zod";
import { parseJson, stringifyJson } from "../base/json.ts";
import { runEvent } from "../graph/events.ts";
import type { EventLog } from "../store/event-log.ts";
import type { Journal } from "../store/journal.ts";
import { readDocuments, readResult, writeResult } from "./journalled-run.ts";
import { RunView } from "./run-view.ts";
import { leftCheckpoint } from "./training/left-checkpoint.ts";

const JSON_LIMITS = { maxCharacters: 2 ** 28, maxDepth: 200 };
const envelope = z.looseObject({ event: z.unknown() });

/** Adds to each interrupted run what it had done until then. @returns their ids @throws AppError STORE_* */
export async function describeInterrupted(journal: Journal, events: EventLog): Promise<readonly string[]> {
  const described: string[] = [];
  for (const entry of journal.list({ state: "interrupted", limit: 1000 })) {
    if (entry.ended !== null) continue;
    if (entry.result !== "") {
      // One of the command line: it noted itself how far it was, and of its events the log has none.
      const { detail } = readDocuments(journal, entry.run);
      const canResume = await leftCheckpoint(entry.output, Object.values(detail.trainings)).catch(() => false);
      const result = { ...readResult(entry), canResume };
      journal.describe(entry.run, entry.started ?? entry.created, { result: stringifyJson(result), detail: stringifyJson(detail) });
      described.push(entry.run);
      continue;
    }
    const view = new RunView(readDocuments(journal, entry.run).document?.steps ?? []);
    let at = entry.started ?? entry.created;
    for (const { event } of events.of(entry.run)) {
      const parsed = runEvent.safeParse(envelope.safeParse(parseJson(event, JSON_LIMITS)).data?.event);
      if (!parsed.success) continue;
      view.add(parsed.data);
      at = parsed.data.at;
    }
    const canResume = await leftCheckpoint(entry.output, Object.values(view.trainings)).catch(() => false);
    journal.describe(entry.run, at, writeResult(view, undefined, canResume));
    described.push(entry.run);
  }
  return described;
}
