import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";
import { sha256 } from "../../engine/base/hash.ts";
import { LR_SCHEDULES } from "../../engine/nn/lr-schedule.ts";
import type { NodeContext } from "../../engine/node/context.ts";
import { defineNode, input, optional, widget } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { Adapter, DiffusionModel } from "../shared/modules.ts";
import { CLIP, DATASET, LORA, type Lora, MODEL, REWARD, VAE } from "../shared/sockets.ts";
import { ATTENTION_TARGETS, newAdapters } from "./adapters.ts";
import { exampleAt, streamOf } from "./data-order.ts";
import { velocityGraph, weightNames } from "./graphs.ts";
import { ModelRunner } from "./model-runner.ts";
import { draft, draftLv, flowbpSparse } from "./modes/draft.ts";
import { idLoss } from "./modes/id-loss.ts";
import { rerefl } from "./modes/rerefl.ts";
import { sft } from "./modes/sft.ts";
import { MODES, type Mode, type ObjectiveOptions, type Situation } from "./objective.ts";
import { type PreparedExample, prepareExample } from "./prepared-example.ts";
import { PRESET_NAMES, PRESETS } from "./presets.ts";
import { saveSample } from "./save-sample.ts";
import { freshState, type MicroResult, trainLoop } from "./train-loop.ts";
import { trainingSigmas } from "./training-sigmas.ts";

const RUN: Readonly<Record<Mode, (s: Situation) => Promise<MicroResult>>> = {
  rerefl,
  sft,
  draft,
  draft_lv: draftLv,
  flowbp_sparse: flowbpSparse,
  id_loss: idLoss,
};

const count = (min: number, max: number, initial: number) => z.number().int().min(min).max(max).default(initial);
const real = (min: number, max: number, initial: number) => z.number().min(min).max(max).default(initial);

export default defineNode({
  type: "TrainReReFL",
  version: "1.0.0",
  category: "train",
  summary: "Trains a LoRA on a reward's gradient through the late denoising steps (ReReFL), or by SFT, DRaFT, FlowBP or the identity loss.",
  inputs: {
    model: input(MODEL),
    vae: input(VAE),
    clip: input(CLIP),
    dataset: input(DATASET),
    reward: optional(REWARD, "Needed by every mode but sft"),
    preset: widget(z.enum(PRESET_NAMES).default("custom"), { tooltip: "Replaces T, window, rank, alpha, learning rate and accumulation" }),
    mode: widget(z.enum(MODES).default("rerefl")),
    steps: widget(count(1, 1_000_000, 100), { tooltip: "Updates" }),
    accumulate: widget(count(1, 1024, 8), { tooltip: "Examples per update: the effective batch" }),
    learning_rate: widget(real(0, 1, 5e-6), { step: 1e-7 }),
    lr_schedule: widget(z.enum(LR_SCHEDULES).default("constant")),
    warmup: widget(count(0, 100_000, 0), { tooltip: "Updates of linear warm-up" }),
    max_grad_norm: widget(real(0, 1e6, 1), { tooltip: "0 = no clipping" }),
    weight_decay: widget(real(0, 1, 0.01)),
    ema_decay: widget(real(0, 0.999999, 0), { tooltip: "0 = off; else the average is what comes out" }),
    rank: widget(count(1, 4096, 64)),
    alpha: widget(real(0, 65536, 64), { tooltip: "Scale is alpha/rank" }),
    targets: widget(z.string().default(ATTENTION_TARGETS.join(", ")), { tooltip: "Endings of module paths, separated by commas" }),
    lambda: widget(real(0, 1e6, 1), { tooltip: "Weight of the flow-matching loss on the target picture" }),
    reward_weight: widget(real(0, 1e9, 1)),
    denoise_steps: widget(count(1, 1000, 30), { tooltip: "T: steps of the rollout" }),
    window_start: widget(count(1, 1000, 1), { tooltip: "Ts, counted from the end: 1 is the last step" }),
    window_end: widget(count(1, 1000, 11), { tooltip: "Te" }),
    sigma_min: widget(real(0, 1, 0), { tooltip: "Leave out steps below this noise level" }),
    sigma_max: widget(real(0, 1, 1)),
    true_cfg_scale: widget(real(1, 30, 1), { tooltip: "Guidance inside the rollout; 1 = off" }),
    negative_prompt: widget(z.string().default(" ")),
    sigma_rescale_cap: widget(real(0, 100, 0), { tooltip: "Multiply the reward's gradient by min(cap, 1/σ); 0 = off" }),
    k: widget(count(1, 100, 1), { tooltip: "draft: last K steps; draft_lv: K samples; flowbp_sparse: K steps (3 published)" }),
    checkpoint_every: widget(count(1, 100_000, 10)),
    sample_every: widget(count(0, 100_000, 0), { tooltip: "Updates between sample pictures; 0 = only at the end" }),
    samples: widget(count(0, 64, 2), { tooltip: "Held-out examples drawn at fixed seeds" }),
    seed: widget(z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0)),
  },
  outputs: { model: MODEL, lora: LORA },
  cache: "seeded",
  stop: "finish",
  check: (i) => [
    ...(i.window_start !== undefined && i.window_end !== undefined && i.window_start > i.window_end
      ? [{ input: "window_start", message: `the window [${i.window_start}, ${i.window_end}] is empty`, hint: "Ts must not exceed Te" }]
      : []),
    ...(i.window_start !== undefined && i.denoise_steps !== undefined && i.window_start > i.denoise_steps
      ? [{ input: "window_start", message: `Ts = ${i.window_start} lies before the ${i.denoise_steps} steps of the rollout` }]
      : []),
    ...(i.sigma_min !== undefined && i.sigma_max !== undefined && i.sigma_min >= i.sigma_max
      ? [{ input: "sigma_min", message: `no σ lies between ${i.sigma_min} and ${i.sigma_max}` }]
      : []),
  ],
  async run(typed, ctx): Promise<{ model: DiffusionModel; lora: Lora }> {
    const i = typed.preset === "custom" ? typed : { ...typed, ...PRESETS[typed.preset] };
    if (i.mode !== "sft" && !i.reward)
      throw new AppError("TRAIN_REWARD", `mode ${i.mode} needs a reward`, { hint: "connect a reward node, or choose mode sft" });
    const targets = i.targets
      .split(",")
      .map((t) => t.trim())
      .filter((t) => t !== "");
    const prepared = new Examples(ctx, i);
    const first = await prepared.get("train", 0);
    const adapters = reachable(i.model, newAdapters(i.model, targets, i.rank, i.alpha, i.seed), first);
    const params = new Map<string, Float32Array>();
    const shapes = new Map<string, readonly number[]>();
    for (const { nameA, nameB, a, b } of adapters)
      for (const [name, t] of [
        [nameA, a],
        [nameB, b],
      ] as const) {
        params.set(name, t.data.slice());
        shapes.set(name, t.shape);
      }
    const options: ObjectiveOptions = {
      mode: i.mode,
      lambda: i.lambda,
      rewardWeight: i.reward_weight,
      steps: i.denoise_steps,
      window: [i.window_start, i.window_end],
      sigmaRange: [i.sigma_min, i.sigma_max],
      trueCfgScale: i.true_cfg_scale,
      sigmaRescaleCap: i.sigma_rescale_cap,
      k: i.k,
    };
    const { model: _m, vae: _v, clip: _c, dataset: _d, reward: _r, steps: _s, checkpoint_every: _ce, sample_every: _se, ...settings } = i;
    const fingerprint = sha256(
      JSON.stringify([
        i.model.id,
        i.vae.id,
        i.clip.id,
        i.dataset.id,
        i.reward?.id ?? "",
        i.lr_schedule === "constant" ? 0 : i.steps,
        settings,
      ]),
    );
    const dir = await ctx.runDirectory(`train-${fingerprint.slice(0, 12)}`);
    const trained = i.model.withAdapters(adapters);
    const runner = new ModelRunner(ctx.compute, trained, i.vae, params, shapes);
    const situation = (example: PreparedExample, ...path: number[]): Situation => ({
      compute: ctx.compute,
      runner,
      example,
      reward: i.reward ?? null,
      sigmas: trainingSigmas(i.denoise_steps, example.shape.target),
      options,
      rng: streamOf(i.seed, ...path),
    });
    const state = freshState(params, shapes, i.ema_decay > 0);
    const finished = await trainLoop(
      ctx,
      dir,
      state,
      {
        steps: i.steps,
        accumulate: i.accumulate,
        lr: i.learning_rate,
        schedule: i.lr_schedule,
        warmup: i.warmup,
        maxGradNorm: i.max_grad_norm,
        adam: { weightDecay: i.weight_decay },
        emaDecay: i.ema_decay,
        checkpointEvery: i.checkpoint_every,
        fingerprint,
      },
      {
        micro: async (_, step, index) => {
          const example = await prepared.get("train", exampleAt(i.seed, i.dataset.train, index));
          return RUN[i.mode](situation(example, 2, step, index));
        },
        afterStep: async (_, step) => {
          const due = step === i.steps || (i.sample_every > 0 && step % i.sample_every === 0);
          if (!due) return;
          const n = Math.min(i.samples, i.dataset.heldOut);
          for (let k = 0; k < n; k++) await saveSample(dir, step, k, situation(await prepared.get("heldOut", k), 3, k));
        },
      },
    );
    if (!finished)
      throw new AppError("CANCELLED", `stopped after update ${state.adam.step} of ${i.steps}; the checkpoint is in ${dir.path}`, {
        hint: "run the same command again to continue",
      });
    const weights = state.ema ?? state.params;
    const result = adapters.map((x) => ({
      ...x,
      a: f32(x.a.shape, weights.get(x.nameA) ?? x.a.data),
      b: f32(x.b.shape, weights.get(x.nameB) ?? x.b.data),
    }));
    return { model: i.model.withAdapters(result), lora: { adapters: result, rank: i.rank, alpha: i.alpha } };
  },
});

/** Adapters the velocity depends on: the last block's text output reaches nothing. */
function reachable(model: DiffusionModel, adapters: readonly Adapter[], example: PreparedExample): readonly Adapter[] {
  const used = new Set(weightNames(velocityGraph(model.withAdapters(adapters), example.shape)));
  return adapters.filter((a) => used.has(a.nameA) && used.has(a.nameB));
}

/** Examples, encoded once and kept: text and VAE run before the first update, not between updates. */
class Examples {
  readonly #kept = new Map<string, Promise<PreparedExample>>();
  readonly #make: (split: "train" | "heldOut", index: number) => Promise<PreparedExample>;

  constructor(
    ctx: NodeContext,
    i: {
      readonly dataset: { example(split: "train" | "heldOut", index: number): Promise<PreparedExample["example"]> };
      readonly vae: Parameters<typeof prepareExample>[1];
      readonly clip: Parameters<typeof prepareExample>[2];
      readonly true_cfg_scale: number;
      readonly negative_prompt: string;
    },
  ) {
    const negativePrompt = i.true_cfg_scale > 1 ? i.negative_prompt : undefined;
    this.#make = async (split, index) =>
      prepareExample(ctx.compute, i.vae, i.clip, await i.dataset.example(split, index), { negativePrompt });
  }

  get(split: "train" | "heldOut", index: number): Promise<PreparedExample> {
    const key = `${split}:${index}`;
    let known = this.#kept.get(key);
    if (!known) {
      known = this.#make(split, index);
      this.#kept.set(key, known);
      const oldest = this.#kept.keys().next().value;
      if (this.#kept.size > KEEP && oldest !== undefined) this.#kept.delete(oldest);
    }
    return known;
  }
}

/** Encoded examples held in memory; at 1024² with two references one takes about 6 MB. */
const KEEP = 512;
