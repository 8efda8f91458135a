// What the two pretrain nodes have in common: the optimiser's widgets, and a run that ends in a weight file.
import { z } from "zod";
import { AppError } from "../../../engine/base/errors.ts";
import { sha256 } from "../../../engine/base/hash.ts";
import type { AdamWOptions } from "../../../engine/nn/adamw.ts";
import { LR_SCHEDULES, type LrSchedule } from "../../../engine/nn/lr-schedule.ts";
import type { NodeContext } from "../../../engine/node/context.ts";
import { widget } from "../../../engine/node/define-node.ts";
import { freshState, type MicroResult, trainLoop } from "../loop/train-loop.ts";
import { count, real } from "../train-options.ts";
import type { TrainedWeights } from "./trained-weights.ts";

export interface PretrainOptions {
  readonly steps: number;
  readonly learning_rate: number;
  readonly lr_schedule: LrSchedule;
  readonly warmup: number;
  readonly max_grad_norm: number;
  readonly ema_decay: number;
  readonly checkpoint_every: number;
  readonly prefix: string;
  readonly seed: number;
}

/** Widgets of the schedule. */
export const scheduleWidgets = (learningRate: number, warmup: number) => ({
  learning_rate: widget(real(0, 1, learningRate), { step: 1e-5 }),
  lr_schedule: widget(z.enum(LR_SCHEDULES).default("cosine")),
  warmup: widget(count(0, 100_000, warmup)),
  max_grad_norm: widget(real(0, 1e6, 1), { tooltip: "0 = no clipping" }),
});

export const averageWidget = (decay: number) =>
  widget(real(0, 0.999999, decay), { tooltip: "0 = off; else the average is what comes out" });

/** Widgets of what is written. */
export const outputWidgets = (every: number, prefix: string) => ({
  checkpoint_every: widget(count(1, 100_000, every)),
  prefix: widget(z.string().min(1).default(prefix), { tooltip: "Name of the weight file below the output directory" }),
  seed: widget(z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0)),
});

/**
 * Trains `weights`, from the run's checkpoint when there is one, and saves them, or their average, as `<prefix>.safetensors`.
 * @param identity of everything that decides the result, beside `options` @param micro one update's gradients
 * @throws AppError CANCELLED when it was stopped: the same run again continues
 */
export async function pretrain(
  ctx: NodeContext,
  options: PretrainOptions,
  weights: TrainedWeights,
  identity: unknown,
  adam: AdamWOptions,
  micro: (step: number) => Promise<MicroResult>,
): Promise<void> {
  const { checkpoint_every, prefix, ...settings } = options;
  const fingerprint = sha256(JSON.stringify([identity, settings]));
  const state = freshState(weights.params, weights.shapes, options.ema_decay > 0);
  const dir = await ctx.runDirectory(`pretrain-${fingerprint.slice(0, 12)}`);
  const loop = {
    steps: options.steps,
    accumulate: 1,
    lr: options.learning_rate,
    schedule: options.lr_schedule,
    warmup: options.warmup,
    maxGradNorm: options.max_grad_norm,
    adam,
    emaDecay: options.ema_decay,
    checkpointEvery: checkpoint_every,
    fingerprint,
  };
  const finished = await trainLoop(ctx, dir, state, loop, { micro: (_, step) => micro(step) });
  if (!finished)
    throw new AppError("CANCELLED", `stopped after update ${state.adam.step} of ${options.steps}; the checkpoint is in ${dir.path}`, {
      hint: "run the same command again to continue",
    });
  await ctx.saveAs(`${prefix}.safetensors`, weights.file(state.ema ?? state.params, { steps: String(options.steps) }));
}
