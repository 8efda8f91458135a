// The thread that owns nodes and runtime. It may be busy for minutes, so everything urgent is done by the main thread.
import { parentPort, workerData } from "node:worker_threads";
import { z } from "zod";
import { AppError } from "../base/errors.ts";
import { memoryLimit } from "../base/memory-limit.ts";
import type { RunEvent } from "../graph/events.ts";
import type { Device } from "../ir/compute.ts";
import type { AnyNode } from "../node/define-node.ts";
import { Registry } from "../node/registry.ts";
import { dryRun } from "../run/dry-run.ts";
import { execute, runErrorOf } from "../run/execute.ts";
import { ResultCache } from "../run/result-cache.ts";
import { ResultStore } from "../store/result-store.ts";
import { computeSettings, type FromThread, type RunRequest, toChild } from "./messages.ts";
import { Pulse } from "./pulse.ts";
import { type ComputeRuntime, runWorld } from "./run-world.ts";

const TICK_MS = 1000;

/** What only the composition root can tell. */
export interface ComputeParts {
  nodes(): Promise<readonly AnyNode[]>;
  /** @param options.onComputing is called when a computation begins and ends */
  runtime(options: {
    readonly device: Device;
    readonly threads?: number;
    readonly onComputing: (isComputing: boolean) => void;
  }): Promise<ComputeRuntime>;
}

/** What the main thread gives to this one. */
export const threadData = z.object({
  settings: computeSettings,
  /** Three Int32: 1 while the current run is to be cancelled, visible in the middle of a node, where no message arrives; the pulse; 1 while someone watches. */
  shared: z.instanceof(SharedArrayBuffer),
});

/** Answers `run` and `cancel` until the process ends. */
export async function computeThread(parts: ComputeParts): Promise<void> {
  const port = parentPort;
  if (!port) throw new AppError("INTERNAL", "computeThread runs in a worker thread");
  const say = (message: FromThread): void => port.postMessage(message);
  try {
    const { settings, shared } = threadData.parse(workerData);
    const cancelled = new Int32Array(shared, 0, 1);
    const watched = new Int32Array(shared, 8, 1);
    const pulse = new Pulse(new Int32Array(shared, 4, 1));
    setInterval(() => pulse.tick(), Math.min(TICK_MS, (settings.stuckMs ?? Number.POSITIVE_INFINITY) / 8));
    const registry = new Registry(await parts.nodes());
    const runtime = await parts.runtime({
      device: settings.device,
      ...(settings.threads !== undefined && { threads: settings.threads }),
      onComputing: (isComputing) => pulse.computing(isComputing),
    });
    const memory = new ResultCache(Math.min(settings.memoryBytes, memoryLimit() / 8));
    const stored = settings.stored && new ResultStore(settings.stored);
    let abort: (() => void) | undefined;
    let flushed: (() => void) | undefined;
    let isDeviceTried = false;
    const run = async (request: RunRequest): Promise<void> => {
      const controller = new AbortController();
      abort = () => controller.abort(new AppError("CANCELLED", "the run was cancelled"));
      const emit = (event: RunEvent): void => {
        pulse.beat();
        say({ kind: "event", event });
      };
      try {
        if (!isDeviceTried) await runtime.tryDevice();
        isDeviceTried = true;
      } catch (error) {
        emit({ run: request.run, seq: 0, at: Date.now(), kind: "run.failed", ms: 0, error: runErrorOf(error) });
        return;
      }
      await (request.mode === "dry" ? dryRun : execute)({
        run: request.run,
        plan: request.plan,
        registry,
        world: runWorld(request, runtime, () => Atomics.load(watched, 0) === 1),
        memory,
        ...(stored && { stored }),
        signal: controller.signal,
        poll: () => {
          if (Atomics.load(cancelled, 0) === 1 && !controller.signal.aborted) abort?.();
        },
        emit,
        flush: () =>
          new Promise<void>((resolve) => {
            flushed = resolve;
            say({ kind: "flush" });
          }),
      });
    };
    port.on("message", (raw: unknown) => {
      const message = toChild.parse(raw);
      if (message.kind === "flushed") flushed?.();
      else if (message.kind === "cancel") abort?.();
      else if (message.kind === "run")
        void run(message.request).catch((error: unknown) => say({ kind: "dying", error: runErrorOf(error) }));
    });
    say({ kind: "ready" });
  } catch (error) {
    say({ kind: "dying", error: runErrorOf(error) });
  }
}
