// Steps, accumulation, optimiser, metrics, checkpoints, resume. Knows nothing of models or rewards: `micro` gives gradients.
import { AppError } from "../../../engine/base/errors.ts";
import type { CheckpointLora } from "../../../engine/formats/train-checkpoint.ts";
import { type AdamWOptions, type Arrays, adamWState, adamWStep, clipGradNorm, emaStep } from "../../../engine/nn/adamw.ts";
import { type LrSchedule, learningRate } from "../../../engine/nn/lr-schedule.ts";
import type { NodeContext, RunDirectory } from "../../../engine/node/context.ts";
import { notFinite } from "../../shared/finite.ts";
import { Pace, timeLeft } from "../cost/pace.ts";
import { decodeCheckpoint, encodeCheckpoint, type TrainState } from "./checkpoint.ts";
import { dropLinesAfter, METRICS, metricRows, TIMINGS } from "./run-log.ts";
import { TensorBoardLog } from "./tensorboard-log.ts";
import { TrainingWatch } from "./training-watch.ts";

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
  /** Updates that another run made, whose metrics are in its own folder. Default 0. */
  readonly startedAfter?: number;
  /** Identity of everything that decides the result: a checkpoint of another identity is refused. */
  readonly fingerprint: string;
  /** How the parameters make a LoRA after an update, where they do: checkpoints say it. */
  readonly lora?: (step: number) => CheckpointLora;
}

/** Gradients of one example's loss, and numbers to log. Without gradients it counts towards the batch with zeros. */
export interface MicroResult {
  readonly grads: Arrays | null;
  readonly logs: Readonly<Record<string, number>>;
  /** Where a number first was not finite: the update is not made. */
  readonly notFinite?: string;
}

/** Updates in a row that may be left out because a number was not finite, before the run ends. */
export const MAX_LEFT_OUT = 5;

/** Time and memory: they differ between runs, so they are not part of the result. */
export interface UpdateCost {
  /** Seconds of the update alone. */
  readonly seconds: number;
  /** Seconds expected for the remaining updates. */
  readonly secondsLeft: number;
  /** Updates that this process has made, this one included. */
  readonly made: number;
  /** The line of metrics.jsonl. */
  readonly metrics: Readonly<Record<string, number>>;
}

export interface LoopHooks {
  /** Called once, with the update after which this process continues (0 = from the start). */
  start?(state: TrainState, step: number): Promise<void>;
  /** One example. `index` counts examples over the whole run: step·accumulate + k. */
  micro(state: TrainState, step: number, index: number): Promise<MicroResult>;
  /**
   * Called after each optimiser step, before its metrics line and checkpoint are written. A run that is killed in between repeats it.
   * `logs` are the means over the update's examples. What it returns joins the metrics line, so it must follow from the state.
   */
  afterStep?(
    state: TrainState,
    step: number,
    logs: Readonly<Record<string, number>>,
  ): Promise<Readonly<Record<string, number>> | undefined>;
  /** Pictures of the run directory that `afterStep` drew at this step, by the name of their row. */
  pictures?(step: number): Readonly<Record<string, string>>;
  /** Told of every update, and of those of earlier processes first. Default: one that warns. */
  readonly watch?: TrainingWatch;
  /** When the update is on disk. */
  afterUpdate?(step: number, cost: UpdateCost): Promise<void>;
  /** What is known of the cause, when numbers were not finite too often. */
  diagnose?(): Promise<string | undefined>;
}

export const CHECKPOINT = "checkpoint.safetensors";

/** A state with zero moments over these parameters. */
export function freshState(
  params: Map<string, Float32Array>,
  shapes: ReadonlyMap<string, readonly number[]>,
  ema: boolean,
  learned?: ReadonlyMap<string, Float32Array>,
): TrainState {
  return {
    params,
    shapes,
    adam: adamWState(params),
    ema: ema ? new Map([...params].map(([name, p]) => [name, p.slice()])) : null,
    carried: {},
    ...(learned && { learned }),
  };
}

/**
 * Trains until `steps` updates are made, from the run directory's checkpoint when there is one. The result is a function
 * of the configuration alone: killed at any moment and resumed, it is the same byte for byte (metrics.jsonl included; wall
 * time and memory therefore go to timings.jsonl).
 * @returns true when all steps were made, false when `stop` was asked for: the step in flight is finished and checkpointed.
 * @throws AppError TRAIN_NAN when {@link MAX_LEFT_OUT} updates in a row were not finite, TRAIN_CHECKPOINT, TRAIN_RESUME when the run was told to continue and there is nothing to continue
 */
export async function trainLoop(
  ctx: NodeContext,
  dir: RunDirectory,
  state: TrainState,
  options: LoopOptions,
  hooks: LoopHooks,
): Promise<boolean> {
  await resume(ctx, dir, state, options);
  const first = state.adam.step;
  await hooks.start?.(state, first);
  const watch = hooks.watch ?? new TrainingWatch({ onTrouble: "warn", warn: (message, alarm) => ctx.log("warn", message, alarm) });
  const rows = await metricRows(dir);
  const lost = first - (options.startedAfter ?? 0) - rows.length;
  if (lost > 0)
    ctx.log("warn", `${dir.path}/${METRICS} lacks ${lost} of ${first} updates: their numbers are lost, the training itself is not`);
  for (const { step, row } of rows) watch.update(step, row);
  const board = await TensorBoardLog.open(dir, first);
  const pace = new Pace();
  const save = () => dir.write(CHECKPOINT, encodeCheckpoint(state, options.fingerprint, options.lora?.(state.adam.step)));
  let saved = first;
  let trouble: string | undefined;
  while (state.adam.step < options.steps) {
    if (ctx.signal.aborted) {
      if (saved < state.adam.step) await save();
      return false;
    }
    const step = state.adam.step;
    const done = step + 1;
    const started = ctx.now();
    const { grads, logs, notFinite: where } = await accumulate(state, options.accumulate, step, hooks);
    const norm = clipGradNorm(grads, options.maxGradNorm);
    const lr = learningRate(options.schedule, options.lr, step, options.steps, options.warmup);
    const finite = Number.isFinite(norm) && where === undefined;
    // A non-finite gradient would spoil the moments for good: the update is skipped, with a warning.
    if (finite) adamWStep(state.params, grads, state.adam, lr, options.adam);
    else state.adam.step++;
    if (state.ema && finite) emaStep(state.ema, state.params, emaDecayAt(step, options.emaDecay));
    trouble = finite ? undefined : (trouble ?? `first in update ${done}: ${where ?? "the norm of the gradients"}`);
    state.carried.left_out = finite ? 0 : (state.carried.left_out ?? 0) + 1;
    if (trouble !== undefined && state.carried.left_out >= MAX_LEFT_OUT) {
      const cause = await hooks.diagnose?.();
      throw new AppError(
        "TRAIN_NAN",
        `${MAX_LEFT_OUT} updates in a row gave numbers that are not finite, ${trouble}${cause ? `; ${cause}` : ""}`,
        {
          hint: cause
            ? "use a file without such numbers: this one is damaged"
            : `${trouble.includes("decoded picture") ? "check the VAE's file; or " : ""}lower learning_rate or the reward's weight, or go back to a checkpoint from before it; the last one is unharmed`,
        },
      );
    }
    if (trouble !== undefined) watch.leftOut(done, `numbers that are not finite, ${trouble}`);
    const seconds = (ctx.now() - started) / 1000;
    const more = (await hooks.afterStep?.(state, done, logs)) ?? {};
    const sampling = (ctx.now() - started) / 1000 - seconds;
    const numbers = { ...logs, grad_norm: norm, lr, skipped_update: finite ? 0 : 1, ...more };
    const metrics = { step: done, ...numbers };
    await dir.append(METRICS, JSON.stringify(metrics));
    await dir.append(TIMINGS, JSON.stringify({ step: done, seconds, sampling, rss: ctx.memory() }));
    await board.add(done, numbers, hooks.pictures?.(done));
    if (done % options.checkpointEvery === 0 || done === options.steps) {
      await save();
      saved = done;
    }
    pace.add(seconds, (ctx.now() - started) / 1000 - seconds);
    const secondsLeft = pace.left(options.steps - done);
    // The first update of a process also compiles, so its time says nothing about the others.
    const left = done > first + 1 ? `, ${timeLeft(secondsLeft)} left` : "";
    ctx.progress(done, options.steps, `${describe(logs)} |g| ${norm.toPrecision(3)}${left}`);
    watch.update(done, numbers);
    await hooks.afterUpdate?.(done, { seconds, secondsLeft, made: done - first, metrics });
  }
  return true;
}

async function accumulate(
  state: TrainState,
  count: number,
  step: number,
  hooks: LoopHooks,
): Promise<{ grads: Map<string, Float32Array>; logs: Record<string, number>; notFinite: string | undefined }> {
  const grads = new Map([...state.params].map(([name, p]) => [name, new Float32Array(p.length)]));
  const logs: Record<string, number> = {};
  const counts: Record<string, number> = {};
  let trouble: string | undefined;
  for (let k = 0; k < count; k++) {
    const result = await hooks.micro(state, step, step * count + k);
    for (const [name, value] of Object.entries(result.logs)) {
      logs[name] = (logs[name] ?? 0) + value;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    trouble ??= result.notFinite;
    if (!result.grads) continue;
    for (const [name, sum] of grads) {
      const g = result.grads.get(name);
      if (!g) throw new AppError("TRAIN_GRADIENT", `no gradient came back for ${name}`);
      const bad = trouble === undefined ? notFinite(g) : undefined;
      if (bad !== undefined) trouble = `the gradient of ${name} is ${bad}`;
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (g[i] ?? 0) / count;
    }
  }
  for (const name of Object.keys(logs)) logs[name] = (logs[name] ?? 0) / (counts[name] ?? 1);
  return { grads, logs, notFinite: trouble };
}

/**
 * Decay of the average at update `step`, counted from 0: min(decay, (1 + n)/(10 + n)) (as TensorFlow's and diffusers' EMA warm up), so that
 * a short run's average is not its start.
 */
export function emaDecayAt(step: number, decay: number): number {
  return Math.min(decay, (1 + step) / (10 + step));
}

/** Loads the checkpoint, when there is one, and drops metric lines written after it. */
async function resume(ctx: NodeContext, dir: RunDirectory, state: TrainState, { fingerprint, steps }: LoopOptions): Promise<void> {
  const bytes = await dir.read(CHECKPOINT);
  if (bytes) decodeCheckpoint(bytes, state, fingerprint, `${dir.path}/${CHECKPOINT}`);
  else if (ctx.resume)
    throw new AppError("TRAIN_RESUME", `there is nothing to resume: ${dir.path} holds no checkpoint`, {
      hint: "a run with other settings, models or data has another folder; leave --resume out to start this one",
    });
  const { step } = state.adam;
  if (step > steps)
    throw new AppError("TRAIN_CHECKPOINT", `the run in ${dir.path} has already made ${step} updates, more than ${steps}`, {
      hint: `ask for at least ${step} steps, or choose another output directory`,
    });
  await dropLinesAfter(dir, step);
  if (step > 0) ctx.log("info", `continues after update ${step} of ${steps}`);
}

function describe(logs: Readonly<Record<string, number>>): string {
  return Object.entries(logs)
    .filter(([name]) => name === "loss" || name === "reward" || name.startsWith("loss_"))
    .map(([name, value]) => `${name} ${value.toPrecision(4)}`)
    .join(", ");
}
