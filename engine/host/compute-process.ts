// Main thread of the compute child: it only talks, so that heartbeats continue and a cancel is heard while the other thread computes.
import { isMainThread, Worker } from "node:worker_threads";
import { isTerminal, type RunEvent } from "../graph/events.ts";
import type { ComputeParts } from "./compute-thread.ts";
import { MemoryMeter } from "./memory-meter.ts";
import { type FromChild, fromThread, type ToChild, toChild } from "./messages.ts";
import { PulseWatch } from "./pulse.ts";

export const HEARTBEAT_MS = 1000;
const METER_MS = 100;
/** Far longer than any computation that ends: the largest are run by segment. WHOSWHO_STUCK_MINUTES overrides it. */
const STUCK_MINUTES = 60;

/**
 * The whole of a compute process: `worker.ts` calls this and nothing else, in both threads.
 * @param entry URL of the calling module
 */
export async function serveCompute(entry: string, parts: ComputeParts): Promise<void> {
  if (isMainThread) talk(entry);
  else await (await import("./compute-thread.ts")).computeThread(parts);
}

function talk(entry: string): void {
  const meter = new MemoryMeter();
  const shared = new SharedArrayBuffer(12);
  const cancelled = new Int32Array(shared, 0, 1);
  const pulse = new Int32Array(shared, 4, 1);
  const watched = new Int32Array(shared, 8, 1);
  let thread: Worker | undefined;
  let current: string | undefined;
  let watch: PulseWatch | undefined;
  let watchMs = HEARTBEAT_MS;
  let waiting: RunEvent[] = [];

  const say = (message: FromChild, then?: () => void): void => {
    process.send?.(message, () => then?.());
  };
  // process.exit would wait for running native code, and abort.
  const end = (): void => {
    process.kill(process.pid, "SIGKILL");
  };
  const { WHOSWHO_STUCK_MINUTES: given } = process.env;
  const patience = given === undefined || given === "" ? STUCK_MINUTES : Number(given);
  if (!(patience > 0)) throw new Error(`WHOSWHO_STUCK_MINUTES is ${given}, which is no number of minutes`);
  let isDying = false;
  /** Only the first reason counts. */
  const die = (code: string, message: string, hint?: string): void => {
    if (!isDying) say({ kind: "dying", error: { code, message, ...(hint !== undefined && { hint }) } }, end);
    isDying = true;
  };
  const flush = (then?: () => void): void => {
    const events = waiting;
    waiting = [];
    if (events.length > 0) say({ kind: "events", events, memory: meter.read() }, then);
    else then?.();
  };

  const start = (message: Extract<ToChild, { kind: "init" }>): void => {
    thread = new Worker(new URL(entry), { workerData: { settings: message.settings, shared } });
    const { stuckMs = 60_000 * patience } = message.settings;
    watchMs = Math.min(HEARTBEAT_MS, stuckMs / 4);
    setInterval(() => {
      if (current === undefined || !watch || watch.still(performance.now()) < stuckMs) return;
      die(
        "COMPUTE_STUCK",
        `the computing thread gave no sign of life for ${Math.round(stuckMs / 1000)} s: a computation is stuck`,
        "run it again: finished nodes are kept; where one computation really takes longer, set WHOSWHO_STUCK_MINUTES to more than that",
      );
    }, watchMs);
    thread.on("message", (raw: unknown) => {
      const heard = fromThread.parse(raw);
      if (heard.kind === "event") {
        if (isTerminal(heard.event)) current = undefined;
        // A cached run makes thousands of events at once: one message carries them all.
        if (waiting.push(heard.event) === 1) setImmediate(() => flush());
      } else if (heard.kind === "flush") flush(() => thread?.postMessage({ kind: "flushed" }));
      else if (heard.kind === "ready") say({ kind: "ready" });
      else {
        isDying = true;
        say(heard, end);
      }
    });
    thread.on("error", (error) => {
      const isMemory = "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
      flush();
      die(isMemory ? "COMPUTE_OUT_OF_MEMORY" : "COMPUTE_DIED", `the computing thread failed: ${error.message}`);
    });
    thread.on("exit", (code) => {
      flush();
      die("COMPUTE_DIED", `the computing thread ended with code ${code}`);
    });
  };

  process.on("message", (raw: unknown) => {
    const message = toChild.parse(raw);
    if (message.kind === "init") start(message);
    else if (message.kind === "watch") Atomics.store(watched, 0, message.isWatched ? 1 : 0);
    else if (message.kind === "run") {
      current = message.request.run;
      watch = new PulseWatch(pulse, watchMs, performance.now());
      Atomics.store(cancelled, 0, 0);
      meter.reset();
      thread?.postMessage(message);
    } else if (message.kind === "cancel" && message.run === current) {
      Atomics.store(cancelled, 0, 1);
      thread?.postMessage(message);
    }
  });
  // The parent is gone and can't use the result. What is saved remains, and the next run does the rest.
  process.on("disconnect", end);
  // These signals reach the whole process group (Ctrl-C, a closed terminal, a stopped service); the parent decides what they mean.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);
  // What a library prints goes to the parent's standard error, which may be closed.
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
  setInterval(() => meter.read(), METER_MS).unref();
  setInterval(() => say({ kind: "heartbeat", memory: meter.read() }), HEARTBEAT_MS);
}
