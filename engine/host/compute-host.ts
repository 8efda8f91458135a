// The parent's side: starts the compute child, watches it, and starts another when it is gone.
import { type ChildProcess, fork } from "node:child_process";
import { writeFileSync } from "node:fs";
import { AppError } from "../base/errors.ts";
import { memoryLimit } from "../base/memory-limit.ts";
import { isTerminal, type RunError, type RunEvent } from "../graph/events.ts";
import { computeEnvironment } from "./compute-environment.ts";
import { explainDeath, oomKills } from "./death.ts";
import { type ComputeSettings, fromChild, type MemoryReading, type RunRequest, type ToChild } from "./messages.ts";

export interface ComputeHostOptions {
  /** The module the child runs: it calls `serveCompute`. */
  readonly entry: URL;
  readonly settings: ComputeSettings;
  /** Time from cancel to SIGKILL. Default 3 s. */
  readonly graceMs?: number;
  /** The child is killed after being silent for this long. Default 30 s. */
  readonly silenceMs?: number;
  /** Time from fork until it is ready. Default 120 s. */
  readonly startMs?: number;
  /**
   * A child that holds more than this after a run, not counting mapped files, is replaced before the next: our caches keep within their
   * limits, but a library may leak. Default: three quarters of what a process may use here.
   */
  readonly recycleAboveBytes?: number;
  readonly onStderr?: (text: string) => void;
}

export interface RunOutcome {
  /** `run.finished`, `run.failed` or `run.cancelled`. */
  readonly event: RunEvent;
  /** Memory of the compute process; undefined when it died before reporting it. */
  readonly memory: MemoryReading | undefined;
}

export interface RunHandle {
  readonly done: Promise<RunOutcome>;
  /** Asks the run to end; kills the process when it has not after the grace period, unless the current node ends itself. */
  cancel(): void;
  /** Ends the run now. */
  kill(): void;
}

interface Child {
  readonly process: ChildProcess;
  readonly oomKillsBefore: number;
  isReady: boolean;
  /** It has finished a run, so it is not broken from the beginning. */
  hasServed: boolean;
  stderr: string;
  said?: RunError;
  silentMs?: number;
}

interface Active {
  readonly request: RunRequest;
  readonly onEvent: (event: RunEvent) => void;
  readonly finish: (outcome: RunOutcome) => void;
  readonly started: number;
  nextSeq: number;
  isSent: boolean;
  isCancelled: boolean;
  /** The node that is running. */
  node?: Extract<RunEvent, { kind: "node.started" }> | undefined;
  memory?: MemoryReading;
}

const STDERR_KEPT = 8192;

/** One run at a time; the child and its caches stay warm between runs. */
export class ComputeHost {
  readonly #options: ComputeHostOptions;
  #child: Child | undefined;
  #active: Active | undefined;
  #timers: NodeJS.Timeout[] = [];
  #isWatched = false;

  constructor(options: ComputeHostOptions) {
    this.#options = options;
  }

  /** Id of the child, for reports. */
  get pid(): number | undefined {
    return this.#child?.process.pid;
  }

  /** Tells whether anyone would see pictures of what is not finished. Nobody does at the start. */
  watch(isWatched: boolean): void {
    if (this.#isWatched === isWatched) return;
    this.#isWatched = isWatched;
    if (this.#child) this.#send(this.#child, { kind: "watch", isWatched });
  }

  /** Starts the child ahead of the first run. */
  start(): void {
    this.#child ??= this.#start();
  }

  /**
   * Whatever happens to the child, `onEvent` gets exactly one terminal event, the last one.
   * @throws AppError HOST_BUSY during another run
   */
  run(request: RunRequest, onEvent: (event: RunEvent) => void): RunHandle {
    if (this.#active)
      throw new AppError("HOST_BUSY", "the compute process is busy with another run", { hint: "wait for it, or cancel it" });
    const { promise, resolve } = Promise.withResolvers<RunOutcome>();
    this.#active = {
      request,
      onEvent,
      finish: resolve,
      started: performance.now(),
      nextSeq: 0,
      isSent: false,
      isCancelled: false,
    };
    this.#child ??= this.#start();
    this.#sendRun();
    return { done: promise, cancel: () => this.#cancel(request.run), kill: () => this.#kill(request.run) };
  }

  /** Ends the child. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const child = this.#child;
    if (!child) return;
    child.process.once("exit", () => resolve());
    child.process.kill("SIGKILL");
    await promise;
  }

  #start(): Child {
    const oomKillsBefore = oomKills();
    const process = fork(this.#options.entry, [], {
      serialization: "advanced",
      execArgv: [],
      stdio: ["ignore", 2, "pipe", "ipc"],
      env: computeEnvironment(),
    });
    const child: Child = { process, oomKillsBefore, isReady: false, hasServed: false, stderr: "" };
    preferForOom(process.pid);
    const { silenceMs = 30_000, startMs = 120_000 } = this.#options;
    let heard = performance.now();
    let ticked = heard;
    process.on("message", (raw: unknown) => {
      heard = performance.now();
      this.#hear(child, raw);
    });
    process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      child.stderr = (child.stderr + text).slice(-STDERR_KEPT);
      this.#options.onStderr?.(text);
    });
    const tickMs = Math.min(1000, silenceMs / 4);
    const watch = setInterval(() => {
      const now = performance.now();
      // Silence means nothing when this process itself was stopped.
      if (now - ticked > 4 * tickMs) heard = now;
      ticked = now;
      if (now - heard < silenceMs) return;
      child.silentMs ??= now - heard;
      process.kill("SIGKILL");
    }, tickMs);
    const late = setTimeout(() => {
      if (child.isReady) return;
      child.said = { code: "COMPUTE_START", message: `the compute process was not ready after ${startMs / 1000} s` };
      process.kill("SIGKILL");
    }, startMs);
    const gone = (code: number | null, signal: NodeJS.Signals | null): void => {
      clearInterval(watch);
      clearTimeout(late);
      if (this.#child === child) this.#child = undefined;
      this.#bury(child, code, signal);
    };
    // "exit" may come before the end of stderr and the last messages; "close" comes after both.
    process.once("close", gone);
    process.once("error", (error) => {
      child.stderr += error.message;
      if (process.pid === undefined) gone(null, null);
    });
    this.#send(child, { kind: "init", settings: this.#options.settings });
    if (this.#isWatched) this.#send(child, { kind: "watch", isWatched: true });
    return child;
  }

  #hear(child: Child, raw: unknown): void {
    const parsed = fromChild.safeParse(raw);
    if (!parsed.success) {
      child.said = {
        code: "COMPUTE_PROTOCOL",
        message: `the compute process sent what is no message: ${parsed.error.issues[0]?.message ?? ""}`,
      };
      child.process.kill("SIGKILL");
      return;
    }
    const message = parsed.data;
    const active = this.#active;
    if (message.kind === "ready") {
      child.isReady = true;
      this.#sendRun();
    } else if (message.kind === "dying") child.said = message.error;
    else if (active) {
      active.memory = message.memory;
      if (message.kind === "events") for (const event of message.events) this.#tell(active, event);
    }
  }

  #tell(active: Active, event: RunEvent): void {
    if (event.run !== active.request.run || this.#active !== active) return;
    active.nextSeq = event.seq + 1;
    if (event.kind === "node.started") active.node = event;
    else if (event.kind === "node.finished") active.node = undefined;
    active.onEvent(event);
    if (isTerminal(event)) this.#finish(active, event);
  }

  #finish(active: Active, event: RunEvent): void {
    this.#active = undefined;
    if (this.#child) this.#child.hasServed = true;
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    const { recycleAboveBytes = 0.75 * memoryLimit() } = this.#options;
    const { memory } = active;
    if (memory && (memory.anonymous ?? memory.rss) > recycleAboveBytes) {
      // It is forgotten first, so that the next run starts another child at once.
      const old = this.#child;
      this.#child = undefined;
      old?.process.kill("SIGKILL");
    }
    active.finish({ event, memory: active.memory });
  }

  /** The child is gone: a run that was under way ends here. */
  #bury(child: Child, code: number | null, signal: NodeJS.Signals | null): void {
    const active = this.#active;
    // A run that began after this child was abandoned belongs to the next child.
    if (!active || this.#child) return;
    if (child.hasServed && active.nextSeq === 0 && !active.isCancelled) {
      // It died idle, or before this run began: not this run's fault.
      active.isSent = false;
      this.#child = this.#start();
      return;
    }
    const ms = performance.now() - active.started;
    const { node, type, title } = active.node ?? {};
    const where = node !== undefined && type !== undefined && { node, type, ...(title !== undefined && { title }) };
    const envelope = { run: active.request.run, seq: active.nextSeq, at: Date.now(), ms };
    this.#tell(
      active,
      active.isCancelled
        ? { kind: "run.cancelled", ...envelope }
        : { kind: "run.failed", ...envelope, error: { ...explainDeath({ ...child, code, signal, wasReady: child.isReady }), ...where } },
    );
  }

  #sendRun(): void {
    const active = this.#active;
    const child = this.#child;
    if (!active || active.isSent || !child?.isReady) return;
    active.isSent = true;
    this.#send(child, { kind: "run", request: active.request });
  }

  #cancel(run: string): void {
    const active = this.#active;
    if (active?.request.run !== run || active.isCancelled) return;
    active.isCancelled = true;
    if (active.isSent && this.#child) {
      this.#send(this.#child, { kind: "cancel", run });
      this.#killAfterGrace(run);
    } else this.#kill(run);
  }

  #killAfterGrace(run: string): void {
    const timer = setTimeout(() => {
      if (this.#active?.node?.stop === "finish") this.#killAfterGrace(run);
      else this.#kill(run);
    }, this.#options.graceMs ?? 3000);
    this.#timers.push(timer);
  }

  #kill(run: string): void {
    if (this.#active?.request.run !== run) return;
    this.#active.isCancelled = true;
    this.#child?.process.kill("SIGKILL");
  }

  #send(child: Child, message: ToChild): void {
    // A child that died a moment ago can't be sent anything; its "close" event deals with that.
    if (child.process.connected) child.process.send(message, () => undefined);
  }
}

/** When memory runs out, the kernel should take the child and not this process. */
function preferForOom(pid: number | undefined): void {
  try {
    if (pid !== undefined) writeFileSync(`/proc/${pid}/oom_score_adj`, "800");
  } catch {
    // Not Linux, or not allowed.
  }
}
