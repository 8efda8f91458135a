import { AppError } from "../../../engine/base/errors.ts";
import { sha256 } from "../../../engine/base/hash.ts";
import type { AdamWOptions } from "../../../engine/nn/adamw.ts";
import type { LrSchedule } from "../../../engine/nn/lr-schedule.ts";
import type { NodeContext } from "../../../engine/node/context.ts";
import { freshState, type MicroResult, trainLoop } from "../loop/train-loop.ts";
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

/**
 * Trains `weights`, from the run's checkpoint when there is one, and saves them, or their average: the text encoder's as
 * `<prefix>-text-encoder.safetensors`, the others as `<prefix>.safetensors`.
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
  const directory = `pretrain-${fingerprint.slice(0, 12)}`;
  const dir = await ctx.runDirectory(directory);
  ctx.show({ training: [{ directory, updates: options.steps }] });
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
  const metadata = { steps: String(options.steps) };
  const trained = state.ema ?? state.params;
  const isText = (name: string) => name.startsWith("text.");
  await ctx.saveAs(
    `${prefix}.safetensors`,
    weights.file(trained, metadata, (name) => !isText(name)),
  );
  if (weights.names.some(isText)) await ctx.saveAs(`${prefix}-text-encoder.safetensors`, weights.file(trained, metadata, isText));
}
