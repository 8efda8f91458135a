// What clients hear of runs and the queue: written to the log first, then told.
import type { EventMessage } from "../api/event-message.ts";
import type { QueueState, RunSummary } from "../api/runs.ts";
import { stringifyJson } from "../base/json.ts";
import type { RunEvent } from "../graph/events.ts";
import type { EventLog } from "../store/event-log.ts";

/** A message without its number, as the log keeps it. */
type Logged = WithoutSeq<Extract<EventMessage, { readonly kind: "run" | "summary" | "queue" }>>;
type WithoutSeq<M> = M extends unknown ? Omit<M, "seq"> : never;

export class RunFeed {
  readonly #events: EventLog;
  readonly #publish: (message: EventMessage) => void;

  /** @param publish gets numbered messages, in order */
  constructor(events: EventLog, publish: (message: EventMessage) => void) {
    this.#events = events;
    this.#publish = publish;
  }

  /** Previews of unfinished pictures are told, and not kept. @throws AppError STORE_JOURNAL */
  event(run: string, event: RunEvent): void {
    this.#tell(run, { kind: "run", event }, { kind: "run", event: withoutPicture(event) });
  }

  summary(summary: RunSummary): void {
    this.#tell(summary.id, { kind: "summary", summary });
  }

  queue(queue: QueueState): void {
    this.#tell("", { kind: "queue", queue });
  }

  #tell(run: string, message: Logged, kept: Logged = message): void {
    const seq = this.#events.append(run, stringifyJson(kept));
    this.#publish({ ...message, seq });
  }
}

function withoutPicture(event: RunEvent): RunEvent {
  if (event.kind !== "node.progress" || !event.preview) return event;
  const { preview: _preview, ...rest } = event;
  return rest as RunEvent;
}
