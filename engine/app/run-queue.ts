// The server's queue: waiting runs, the current one and past ones. Runs go one at a time, and each is in the journal before anyone hears of it.
import { createHash } from "node:crypto";
import { z } from "zod";
import { issue as issueSchema } from "../api/error-body.ts";
import type { EventMessage } from "../api/event-message.ts";
import { fileRef } from "../api/files.ts";
import { parameter, type QueueState, type RunDetail, type RunSummary, runNode, type SubmitRun, score } from "../api/runs.ts";
import { AppError, toAppError } from "../base/errors.ts";
import type { Issue } from "../base/issues.ts";
import { parseJson, stringifyJson } from "../base/json.ts";
import { type RunEvent, runEvent } from "../graph/events.ts";
import { readWorkflow } from "../graph/parse-workflow.ts";
import type { Plan } from "../graph/plan.ts";
import type { ComputeHost, RunHandle } from "../host/compute-host.ts";
import type { Places } from "../host/messages.ts";
import type { Registry } from "../node/registry.ts";
import type { EventLog } from "../store/event-log.ts";
import { InputFiles } from "../store/input-files.ts";
import type { Journal, JournalEntry } from "../store/journal.ts";
import { ModelFolders } from "../store/model-folders.ts";
import type { OutputDirectory } from "../store/output-directory.ts";
import { loadGraph, planGraph } from "./load-workflow.ts";
import { parametersOf } from "./parameters.ts";
import { recordRun } from "./record-run.ts";
import { runId } from "./run-id.ts";
import { RunView } from "./run-view.ts";
import type { Versions } from "./versions.ts";

/** Queued runs at most: nobody waits for more than this. */
const MAX_QUEUED = 1000;
const JSON_LIMITS = { maxCharacters: 2 ** 28, maxDepth: 200 };

/** `request` in the journal: what a list needs to know of a run. */
const kept = z.object({
  name: z.string(),
  kind: z.enum(["run", "score"]),
  parent: z.string().nullable(),
  device: z.string(),
  steps: z.number(),
  resume: z.boolean(),
});
type Kept = z.infer<typeof kept>;

/** `document` in the journal. */
const document = z.object({
  workflow: z.unknown(),
  prompt: z.record(z.string(), z.unknown()).optional(),
  targets: z.array(z.string()).optional(),
  pinned: z.array(z.object({ node: z.string(), run: z.string() })).optional(),
  /** Files outside the roots, by the text that names them. */
  allowed: z.record(z.string(), z.string()).optional(),
  api: z.unknown(),
  parameters: z.array(parameter),
  warnings: z.array(issueSchema),
  steps: z.array(z.object({ id: z.string(), type: z.string(), title: z.string() })),
});
type Document = z.infer<typeof document>;

/** `result` in the journal. */
const result = z.object({
  ms: z.number().nullable(),
  peakMemoryBytes: z.number().nullable(),
  scores: z.array(score),
  pictures: z.array(fileRef),
  progress: z.object({ done: z.number(), total: z.number(), node: z.string().nullable() }),
  canResume: z.boolean(),
});
type Result = z.infer<typeof result>;

/** `detail` in the journal. */
const detail = z.object({ nodes: z.array(runNode), keys: z.record(z.string(), z.string()), trainings: z.record(z.string(), z.string()) });
type Detail = z.infer<typeof detail>;

const NO_RESULT: Result = {
  ms: null,
  peakMemoryBytes: null,
  scores: [],
  pictures: [],
  progress: { done: 0, total: 0, node: null },
  canResume: false,
};
const NO_DETAIL: Detail = { nodes: [], keys: {}, trainings: {} };

export interface RunQueueOptions {
  readonly journal: Journal;
  readonly events: EventLog;
  readonly host: ComputeHost;
  readonly registry: Registry;
  readonly output: OutputDirectory;
  readonly inputs: Places;
  readonly models: Places;
  readonly device: string;
  readonly threads: number;
  readonly versions: Versions;
  /** Whether the run directory below the output folder holds a checkpoint. */
  readonly hasCheckpoint: (directory: string) => Promise<boolean>;
  /** Numbered messages, in order. */
  readonly publish: (message: EventMessage) => void;
  readonly isPaused?: boolean;
  /** Keeps the pause for the next start. */
  readonly savePaused?: (isPaused: boolean) => Promise<void>;
}

/** What a run is made from. */
export interface Submission extends Omit<SubmitRun, "front"> {
  readonly kind?: Kept["kind"];
  readonly front?: boolean;
  readonly resume?: boolean;
  readonly parent?: string;
  readonly allowed?: Readonly<Record<string, string>> | undefined;
}

interface Active {
  readonly run: string;
  readonly view: RunView;
  readonly ended: Promise<void>;
  handle?: RunHandle;
  isCancelled: boolean;
  wantsPause: boolean;
}

export class RunQueue {
  readonly #options: RunQueueOptions;
  #active: Active | undefined;
  #isPaused: boolean;
  #savingPaused: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: RunQueueOptions) {
    this.#options = options;
    this.#isPaused = options.isPaused ?? false;
  }

  /** Reports what an earlier server left behind, and starts on what is queued. */
  async start(): Promise<void> {
    for (const entry of this.#options.journal.list({ state: "interrupted", limit: 1000 }))
      if (entry.ended === null) await this.#describeInterrupted(entry);
    this.#pump();
  }

  state(): QueueState {
    return {
      isPaused: this.#isPaused,
      running: this.#active?.run ?? null,
      queued: this.#options.journal
        .queued()
        .map((e) => e.run)
        .filter((run) => run !== this.#active?.run),
    };
  }

  /**
   * The run is on disk when this answers. The same client and key again: the same run.
   * @throws AppError WORKFLOW_INVALID (details.issues) when nothing of it can run, PIN_LOST, QUEUE_FULL
   */
  async submit(given: Submission): Promise<RunSummary> {
    const { journal } = this.#options;
    const before = journal.find(given.client, given.key);
    if (before) return this.#summaryOf(before);
    if (journal.queued().length >= MAX_QUEUED)
      throw new AppError("QUEUE_FULL", `${MAX_QUEUED} runs wait already`, { hint: "cancel some of them, or wait" });
    const { plan, api, issues, warnings } = await this.plan(given);
    if (plan.steps.length === 0) throw invalid(issues, warnings);
    // While it was planned, the same request may have come again.
    const twin = journal.find(given.client, given.key);
    if (twin) return this.#summaryOf(twin);
    const created = Date.now();
    const run = runId(created);
    const { workflow, prompt, targets, pinned, allowed } = given;
    const document: Document = {
      workflow,
      ...(prompt && { prompt }),
      ...(targets && { targets }),
      ...(pinned && { pinned }),
      ...(allowed && { allowed: { ...allowed } }),
      api,
      parameters: parametersOf(plan, this.#options.registry),
      warnings: [...issues, ...warnings].map(plainIssue),
      steps: plan.steps.map(({ id, type, title }) => ({ id, type, title })),
    };
    const request: Kept = {
      name: given.name,
      kind: given.kind ?? "run",
      parent: given.parent ?? null,
      device: this.#options.device,
      steps: plan.steps.length,
      resume: given.resume ?? false,
    };
    const first = journal.queued()[0];
    journal.enqueue({
      run,
      graph: hashOf(api),
      output: this.#options.output.root,
      client: given.client,
      key: given.key,
      priority: given.front && first ? first.priority - 1 : 0,
      created,
      request: stringifyJson(request),
      document: stringifyJson(document),
    });
    this.#tell(run);
    this.#tellQueue();
    this.#pump();
    return this.summary(run);
  }

  /** Workflow to plan, with everything that is wrong with it. @throws AppError PIN_LOST, PIN_UNKNOWN */
  async plan(given: Pick<Submission, "workflow" | "prompt" | "targets" | "pinned" | "allowed">): Promise<{
    readonly plan: Plan;
    readonly api: unknown;
    readonly document: unknown;
    readonly issues: readonly Issue[];
    readonly warnings: readonly Issue[];
  }> {
    const { registry } = this.#options;
    const read = readWorkflow(given.prompt ?? given.workflow);
    const loaded = loadGraph(read, registry, { targets: given.targets });
    const none: Plan = { steps: [], skipped: [] };
    if (!loaded.workflow) return { plan: none, api: null, document: undefined, issues: loaded.issues, warnings: loaded.warnings };
    const { graph, prompt } = loaded.workflow;
    const { inputs, models } = this.#places(given.allowed);
    const planned = await planGraph(graph, new InputFiles(inputs), new ModelFolders(models), { pinned: this.#pinned(given.pinned) });
    return {
      plan: planned.plan,
      api: prompt,
      document: given.prompt ? given.workflow : loaded.workflow.document,
      issues: [...loaded.issues, ...planned.issues],
      warnings: loaded.warnings,
    };
  }

  /** @throws AppError RUN_NOT_FOUND */
  summary(run: string): RunSummary {
    return this.#summaryOf(this.#entry(run));
  }

  /** @throws AppError RUN_NOT_FOUND */
  detail(run: string): RunDetail {
    const entry = this.#entry(run);
    const { document: kept, detail: ended } = this.#documents(run);
    const live = this.#active?.run === run ? this.#active.view : undefined;
    const trainings = live?.trainings ?? ended.trainings;
    return {
      summary: this.#summaryOf(entry),
      parameters: kept?.parameters ?? [],
      workflow: kept?.workflow ?? null,
      prompt: kept?.api ?? null,
      nodes: live?.nodes ?? ended.nodes,
      warnings: kept?.warnings ?? [],
      trainings: Object.keys(trainings),
    };
  }

  /** Run directories of a run's trainings, by node. @throws AppError RUN_NOT_FOUND */
  trainings(run: string): Readonly<Record<string, string>> {
    this.#entry(run);
    return this.#active?.run === run ? this.#active.view.trainings : this.#documents(run).detail.trainings;
  }

  list(page: Parameters<Journal["list"]>[0]): readonly RunSummary[] {
    const positions = new Map(this.state().queued.map((run, i) => [run, i]));
    return this.#options.journal.list(page).map((entry) => this.#summaryOf(entry, positions));
  }

  /** A queued run is removed. A running one is asked to end, and killed when it doesn't. One that has ended stays. @throws AppError RUN_NOT_FOUND */
  cancel(run: string): RunSummary {
    const entry = this.#entry(run);
    const active = this.#active?.run === run ? this.#active : undefined;
    if (active) {
      active.isCancelled = true;
      active.wantsPause = false;
      active.handle?.cancel();
    } else if (entry.state === "queued") {
      this.#options.journal.end(run, "cancelled", Date.now());
      this.#tell(run);
      this.#tellQueue();
    }
    return this.summary(run);
  }

  /** A training ends its step, saves, and is paused. @throws AppError RUN_NOT_FOUND, RUN_CANNOT_PAUSE */
  pause(run: string): RunSummary {
    this.#entry(run);
    const active = this.#active?.run === run ? this.#active : undefined;
    if (!active?.view.canPause || active.isCancelled)
      throw new AppError("RUN_CANNOT_PAUSE", "only a training that is running can be paused", {
        hint: "pause the queue instead: what runs goes on, nothing new begins",
      });
    active.wantsPause = true;
    active.isCancelled = true;
    active.handle?.cancel();
    return this.summary(run);
  }

  /** A new run of the same workflow. @throws AppError RUN_NOT_FOUND, RUN_NO_WORKFLOW, RUN_CANNOT_RESUME */
  async again(run: string, resume: boolean): Promise<RunSummary> {
    const entry = this.#entry(run);
    const { document: made } = this.#documents(run);
    const request = keptOf(entry);
    if (!made || !request)
      throw new AppError("RUN_NO_WORKFLOW", "this run was made on the command line: its workflow is not kept", {
        hint: "run its file again with `graph run`",
      });
    const summary = this.#summaryOf(entry);
    if (resume && !summary.canResume)
      throw new AppError("RUN_CANNOT_RESUME", "this run left nothing to go on from", {
        hint: "retry it: finished nodes are not run a second time",
      });
    const { workflow, prompt, targets, pinned, allowed } = made;
    return this.submit({
      workflow,
      ...(prompt && { prompt }),
      ...(targets && { targets }),
      ...(pinned && { pinned }),
      ...(allowed && { allowed }),
      name: request.name,
      kind: request.kind,
      client: entry.client || "server",
      // A second request within a moment is a double click.
      key: `${resume ? "resume" : "retry"}-${run}-${Math.floor(Date.now() / 1000)}`,
      parent: run,
      resume,
    });
  }

  /** @throws AppError RUN_NOT_FOUND, RUN_ACTIVE */
  remove(run: string): void {
    const { state } = this.#entry(run);
    if (state === "queued" || state === "running") throw new AppError("RUN_ACTIVE", `the run is ${state}`, { hint: "cancel it first" });
    this.#options.journal.remove(run);
  }

  /** @param before the queued run it goes before; null = to the end @throws AppError RUN_NOT_QUEUED */
  move(run: string, before: string | null): QueueState {
    const { journal } = this.#options;
    const queue = journal.queued();
    const moved = queue.find((e) => e.run === run);
    const rest = queue.filter((e) => e.run !== run);
    const at = before === null ? rest.length : rest.findIndex((e) => e.run === before);
    if (!moved || at < 0) {
      const wrong = moved ? before : run;
      throw new AppError("RUN_NOT_QUEUED", `run ${wrong} does not wait in the queue`, { hint: "it may have begun: load the queue again" });
    }
    const order = [...rest.slice(0, at), moved, ...rest.slice(at)];
    // Priorities are renumbered as whole numbers: halving a gap again and again would run out of precision.
    order.forEach((e, i) => {
      if (e.priority !== i - order.length) journal.move(e.run, i - order.length);
    });
    return this.#tellQueue();
  }

  /** A pause holds at once. What waits starts only when the end of the pause is on disk: a server killed in between would hold it back for good. */
  async setPaused(isPaused: boolean): Promise<QueueState> {
    if (isPaused) this.#isPaused = true;
    this.#savingPaused = this.#savingPaused.then(() => this.#options.savePaused?.(isPaused));
    const saved = this.#savingPaused;
    this.#savingPaused = saved.catch(() => undefined);
    await saved;
    this.#isPaused = isPaused;
    const state = this.#tellQueue();
    this.#pump();
    return state;
  }

  /** Cancels everything that waits. */
  clear(): QueueState {
    for (const run of this.state().queued) {
      this.#options.journal.end(run, "cancelled", Date.now());
      this.#tell(run);
    }
    return this.#tellQueue();
  }

  /** Ends the current run as a cancel does, and starts no other. Queued runs stay queued. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const active = this.#active;
    if (!active) return;
    active.isCancelled = true;
    active.wantsPause ||= active.view.canPause;
    active.handle?.cancel();
    await active.ended;
  }

  #pump(): void {
    if (this.#active || this.#isPaused || this.#isClosed) return;
    const next = this.#options.journal.queued()[0];
    if (!next) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const { document: made } = this.#documents(next.run);
    const active: Active = { run: next.run, view: new RunView(made?.steps ?? []), ended: promise, isCancelled: false, wantsPause: false };
    this.#active = active;
    this.#tellQueue();
    void this.#perform(active, next, made)
      .catch((error: unknown) => {
        const { code, message, hint } = toAppError(error);
        this.#options.journal.end(active.run, "failed", Date.now(), { code, message, ...(hint !== undefined && { hint }) });
      })
      .finally(() => {
        this.#active = undefined;
        resolve();
        this.#tell(active.run);
        this.#tellQueue();
        this.#pump();
      });
  }

  async #perform(active: Active, entry: JournalEntry, made: Document | undefined): Promise<void> {
    const { journal, output, host, device, threads, versions } = this.#options;
    const request = keptOf(entry);
    if (!made || !request) throw new AppError("STORE_JOURNAL", "the journal has lost what was to run", { hint: "submit it again" });
    // Files may have changed while it waited.
    const { plan, api, document, issues, warnings } = await this.plan(made);
    if (plan.steps.length === 0) throw invalid(issues, warnings);
    if (active.isCancelled) {
      journal.end(active.run, "cancelled", Date.now());
      return;
    }
    const { inputs, models } = this.#places(made.allowed);
    const workflow = { prompt: api, ...(document !== undefined && { workflow: document }) };
    const { handle, done } = recordRun({
      journal,
      directory: output,
      file: `runs/${active.run}.json`,
      run: active.run,
      started: Date.now(),
      workflow: { file: request.name, name: request.name, sha256: entry.graph },
      plan,
      issues,
      warnings,
      versions,
      device,
      threads,
      begin: (onEvent) =>
        host.run({ run: active.run, mode: "run", plan, workflow, output: output.root, resume: request.resume, inputs, models }, onEvent),
      onEvent: (event) => {
        active.view.add(event);
        this.#log(active.run, { kind: "run", event });
      },
      conclude: async ({ event, memory }, state) => {
        const { view } = active;
        const concluded: Result = {
          ms: "ms" in event ? event.ms : null,
          peakMemoryBytes: memory?.peakRss ?? null,
          scores: view.scores,
          pictures: view.pictures,
          progress: view.progress,
          canResume: state !== "finished" && (await this.#canResume(view)),
        };
        return {
          state: state === "cancelled" && active.wantsPause && concluded.canResume ? "paused" : state,
          result: stringifyJson(concluded),
          detail: stringifyJson(detailOf(view)),
        };
      },
    });
    active.handle = handle;
    this.#tell(active.run);
    if (active.isCancelled) handle.cancel();
    await done;
  }

  /** What the log knows of a run whose server died. */
  async #describeInterrupted(entry: JournalEntry): Promise<void> {
    const { document: made } = this.#documents(entry.run);
    const view = new RunView(made?.steps ?? []);
    let at = entry.started ?? entry.created;
    for (const { event } of this.#options.events.of(entry.run)) {
      const parsed = runEvent.safeParse(envelope.safeParse(parseJson(event, JSON_LIMITS)).data?.event);
      if (!parsed.success) continue;
      view.add(parsed.data);
      at = parsed.data.at;
    }
    const described: Result = {
      ...NO_RESULT,
      scores: view.scores,
      pictures: view.pictures,
      progress: { ...view.progress, node: null },
      canResume: await this.#canResume(view),
    };
    this.#options.journal.describe(entry.run, at, { result: stringifyJson(described), detail: stringifyJson(detailOf(view)) });
    this.#tell(entry.run);
  }

  async #canResume(view: RunView): Promise<boolean> {
    for (const directory of Object.values(view.trainings)) if (await this.#options.hasCheckpoint(directory)) return true;
    return false;
  }

  /** @throws AppError PIN_LOST */
  #pinned(pinned: Submission["pinned"]): ReadonlyMap<string, string> {
    return new Map(
      (pinned ?? []).map(({ node, run }) => {
        const key = this.#options.journal.get(run) ? this.#documents(run).detail.keys[node] : undefined;
        if (key !== undefined) return [node, key];
        throw new AppError("PIN_LOST", `no result of node ${node} is kept from run ${run}`, {
          hint: "unpin the node, or run it once more",
        });
      }),
    );
  }

  #places(allowed: Readonly<Record<string, string>> | undefined): { readonly inputs: Places; readonly models: Places } {
    const { inputs, models } = this.#options;
    return { inputs: { ...inputs, allowed: { ...inputs.allowed, ...allowed } }, models };
  }

  #entry(run: string): JournalEntry {
    const entry = this.#options.journal.get(run);
    if (!entry)
      throw new AppError("RUN_NOT_FOUND", `there is no run ${run.slice(0, 100)}`, {
        hint: "it may have been removed: load the runs again",
      });
    return entry;
  }

  #documents(run: string): { readonly document: Document | undefined; readonly detail: Detail } {
    const found = this.#options.journal.documents(run);
    return {
      document: found && found.document !== "" ? document.parse(parseJson(found.document, JSON_LIMITS)) : undefined,
      detail: found && found.detail !== "" ? detail.parse(parseJson(found.detail, JSON_LIMITS)) : NO_DETAIL,
    };
  }

  #summaryOf(entry: JournalEntry, positions?: ReadonlyMap<string, number>): RunSummary {
    const request = keptOf(entry);
    const live = this.#active?.run === entry.run ? this.#active.view : undefined;
    const ended = entry.result === "" ? NO_RESULT : result.parse(parseJson(entry.result, JSON_LIMITS));
    const position = entry.state !== "queued" ? -1 : (positions?.get(entry.run) ?? this.state().queued.indexOf(entry.run));
    return {
      id: entry.run,
      state: entry.state,
      name: request?.name ?? (entry.output.split(/[\\/]/).at(-1) || "command line"),
      kind: request?.kind ?? "run",
      client: entry.client,
      graph: entry.graph,
      created: entry.created,
      started: entry.started,
      ended: entry.ended,
      position: position < 0 ? null : position,
      progress: live?.progress ?? (entry.result === "" ? { done: 0, total: request?.steps ?? 0, node: null } : ended.progress),
      canResume: ended.canResume,
      parent: request?.parent ?? null,
      device: request?.device ?? "",
      ms: ended.ms,
      peakMemoryBytes: ended.peakMemoryBytes,
      scores: live?.scores ?? ended.scores,
      pictures: live?.pictures ?? ended.pictures,
      error: entry.error,
    };
  }

  #tell(run: string): void {
    const entry = this.#options.journal.get(run);
    if (entry) this.#log(run, { kind: "summary", summary: this.#summaryOf(entry) });
  }

  #tellQueue(): QueueState {
    const queue = this.state();
    this.#log("", { kind: "queue", queue });
    return queue;
  }

  /** Writes to the log, then tells whoever listens. Previews of unfinished pictures are not kept. */
  #log(run: string, message: Logged): void {
    const seq = this.#options.events.append(run, stringifyJson(withoutPicture(message)));
    this.#options.publish({ ...message, seq });
  }
}

/** A message without its number, as the log keeps it. */
type Logged = WithoutSeq<Extract<EventMessage, { readonly kind: "run" | "summary" | "queue" }>>;
type WithoutSeq<M> = M extends unknown ? Omit<M, "seq"> : never;

const envelope = z.looseObject({ event: z.unknown() });

function withoutPicture(message: Logged): Logged {
  if (message.kind !== "run" || message.event.kind !== "node.progress" || !message.event.preview) return message;
  const { preview: _preview, ...event } = message.event;
  return { kind: "run", event: event as RunEvent };
}

function detailOf(view: RunView): Detail {
  return { nodes: view.nodes, keys: { ...view.keys }, trainings: { ...view.trainings } };
}

function keptOf(entry: JournalEntry): Kept | undefined {
  return entry.request === "" ? undefined : kept.parse(parseJson(entry.request, JSON_LIMITS));
}

function plainIssue({ code, path, message, hint }: Issue): z.infer<typeof issueSchema> {
  return { code, path: [...path], message, ...(hint !== undefined && { hint }) };
}

/** The error of a workflow of which nothing can run. */
export function invalid(issues: readonly Issue[], warnings: readonly Issue[]): AppError {
  const [first] = issues;
  return new AppError("WORKFLOW_INVALID", first?.message ?? "nothing of this workflow can run", {
    ...(first?.hint !== undefined && { hint: first.hint }),
    details: { issues: issues.map(plainIssue), warnings: warnings.map(plainIssue) },
  });
}

function hashOf(api: unknown): string {
  return createHash("sha256").update(stringifyJson(api)).digest("hex");
}
