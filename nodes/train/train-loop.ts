// Steps, accumulation, optimiser, metrics, checkpoints, resume. Knows nothing of models or rewards: `micro` gives gradients.
import { AppError } from "../../engine/base/errors.ts";
import { type AdamWOptions, type Arrays, adamWState, adamWStep, clipGradNorm, emaStep } from "../../engine/nn/adamw.ts";
import { type LrSchedule, learningRate } from "../../engine/nn/lr-schedule.ts";
import type { NodeContext, RunDirectory } from "../../engine/node/context.ts";
import { decodeCheckpoint, encodeCheckpoint, type TrainState } from "./checkpoint.ts";

export interface LoopOptions {
  readonly steps: number;
  /** Micro-batches of one example per update. */
  readonly accumulate: number;
  readonly lr: number;
  readonly schedule: LrSchedule;
  readonly warmup: number;
  /** Global gradient norm; 0 = no clipping. */
  readonly maxGradNorm: number;
  readonly adam: AdamWOptions;
  /** 0 = no average. */
  readonly emaDecay: number;
  /** Updates between checkpoints; the last update always writes one. */
  readonly checkpointEvery: number;
  /** Identity of everything that decides the result: a checkpoint of another identity is refused. */
  readonly fingerprint: string;
}

/** Gradients of one example's loss, and numbers to log. `skipped` examples count towards the batch with zero gradient. */
export interface MicroResult {
  readonly grads: Arrays | null;
  readonly logs: Readonly<Record<string, number>>;
}

export interface LoopHooks {
  /** One example. `index` counts examples over the whole run: step·accumulate + k. */
  micro(state: TrainState, step: number, index: number): Promise<MicroResult>;
  /** After every update, with the numbers just logged. */
  afterStep?(state: TrainState, step: number): Promise<void>;
}

const METRICS = "metrics.jsonl";
const TIMINGS = "timings.jsonl";
const CHECKPOINT = "checkpoint.safetensors";

/** A state with zero moments over these parameters. */
export function freshState(params: Map<string, Float32Array>, shapes: ReadonlyMap<string, readonly number[]>, ema: boolean): TrainState {
  return {
    params,
    shapes,
    adam: adamWState(params),
    ema: ema ? new Map([...params].map(([name, p]) => [name, p.slice()])) : null,
    carried: {},
  };
}

/**
 * Trains until `steps` updates are made, from the run directory's checkpoint when there is one. The result is a function
 * of the configuration alone: killed at any moment and resumed, it is the same byte for byte (metrics.jsonl included; wall
 * time and memory therefore go to timings.jsonl).
 * @returns true when all steps were made, false when `stop` was asked for: the step in flight is finished and checkpointed.
 */
export async function trainLoop(
  ctx: NodeContext,
  dir: RunDirectory,
  state: TrainState,
  options: LoopOptions,
  hooks: LoopHooks,
): Promise<boolean> {
  await resume(dir, state, options.fingerprint);
  const first = state.adam.step;
  let seconds = 0;
  while (state.adam.step < options.steps) {
    if (ctx.signal.aborted) {
      await dir.write(CHECKPOINT, encodeCheckpoint(state, options.fingerprint));
      return false;
    }
    const step = state.adam.step;
    const started = ctx.now();
    const { grads, logs } = await accumulate(state, options.accumulate, step, hooks);
    const norm = clipGradNorm(grads, options.maxGradNorm);
    const lr = learningRate(options.schedule, options.lr, step, options.steps, options.warmup);
    const finite = Number.isFinite(norm);
    // A non-finite gradient would poison the moments for good: the update is skipped and said so.
    if (finite) adamWStep(state.params, grads, state.adam, lr, options.adam);
    else state.adam.step++;
    if (state.ema && finite) emaStep(state.ema, state.params, options.emaDecay);
    const elapsed = (ctx.now() - started) / 1000;
    seconds += elapsed;
    await dir.append(METRICS, JSON.stringify({ step: step + 1, ...logs, grad_norm: norm, lr, skipped_update: finite ? 0 : 1 }));
    await dir.append(TIMINGS, JSON.stringify({ step: step + 1, seconds: elapsed, rss: ctx.memory() }));
    const done = state.adam.step;
    const eta = (seconds / (done - first)) * (options.steps - done);
    ctx.progress(done, options.steps, `${describe(logs)} |g| ${norm.toPrecision(3)}, ${eta.toFixed(0)} s left`);
    if (done % options.checkpointEvery === 0 || done === options.steps)
      await dir.write(CHECKPOINT, encodeCheckpoint(state, options.fingerprint));
    await hooks.afterStep?.(state, done);
  }
  return true;
}

async function accumulate(
  state: TrainState,
  count: number,
  step: number,
  hooks: LoopHooks,
): Promise<{ grads: Map<string, Float32Array>; logs: Record<string, number> }> {
  const grads = new Map([...state.params].map(([name, p]) => [name, new Float32Array(p.length)]));
  const logs: Record<string, number> = {};
  const counts: Record<string, number> = {};
  for (let k = 0; k < count; k++) {
    const result = await hooks.micro(state, step, step * count + k);
    for (const [name, value] of Object.entries(result.logs)) {
      logs[name] = (logs[name] ?? 0) + value;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    if (!result.grads) continue;
    for (const [name, sum] of grads) {
      const g = result.grads.get(name);
      if (!g) throw new AppError("TRAIN_GRADIENT", `no gradient came back for ${name}`);
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (g[i] ?? 0) / count;
    }
  }
  for (const name of Object.keys(logs)) logs[name] = (logs[name] ?? 0) / (counts[name] ?? 1);
  return { grads, logs };
}

/** Loads the checkpoint, and drops metric lines written after it: those steps will be made again. */
async function resume(dir: RunDirectory, state: TrainState, fingerprint: string): Promise<void> {
  const bytes = await dir.read(CHECKPOINT);
  if (bytes) decodeCheckpoint(bytes, state, fingerprint);
  for (const file of [METRICS, TIMINGS]) {
    const text = await dir.read(file);
    if (!text) continue;
    const kept = new TextDecoder()
      .decode(text)
      .split("\n")
      .filter((line) => stepOf(line) <= state.adam.step);
    await dir.write(file, new TextEncoder().encode(kept.map((line) => `${line}\n`).join("")));
  }
}

/** Step of a metrics line; Infinity for a torn or empty one. */
function stepOf(line: string): number {
  const match = /^\{"step":(\d+),.*\}$/.exec(line);
  return match ? Number(match[1]) : Number.POSITIVE_INFINITY;
}

function describe(logs: Readonly<Record<string, number>>): string {
  return Object.entries(logs)
    .filter(([name]) => name === "loss" || name === "reward" || name.startsWith("loss_"))
    .map(([name, value]) => `${name} ${value.toPrecision(4)}`)
    .join(", ");
}
