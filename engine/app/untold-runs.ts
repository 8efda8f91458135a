// Runs whose last change of state nobody was told of: the server was killed after it was on disk, and before it was announced.
import { z } from "zod";
import { parseJson } from "../base/json.ts";
import type { EventLog } from "../store/event-log.ts";
import type { Journal } from "../store/journal.ts";

const JSON_LIMITS = { maxCharacters: 2 ** 28, maxDepth: 200 };
const told = z.looseObject({ summary: z.looseObject({ state: z.string() }) });
/** Newest runs that are looked at: what is older has been told at an earlier start. */
const LOOKED_AT = 1000;

/** @returns ids, the oldest first @throws AppError STORE_JOURNAL */
export function untoldRuns(journal: Journal, events: EventLog): readonly string[] {
  return journal
    .list({ limit: LOOKED_AT })
    .filter(({ run, state }) => {
      const last = events.newest(run, "summary");
      // Where nothing is left, it has been dropped with other old events; one that waits has not been announced yet.
      return last ? told.parse(parseJson(last.event, JSON_LIMITS)).summary.state !== state : state === "queued";
    })
    .map(({ run }) => run)
    .toReversed();
}
