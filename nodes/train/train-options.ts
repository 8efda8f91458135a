// The options of TrainReReFL: its widgets, and what follows from them.
import { z } from "zod";
import { LR_SCHEDULES } from "../../engine/nn/lr-schedule.ts";
import { type InputValues, input, optional, widget } from "../../engine/node/define-node.ts";
import { CLIP, DATASET, LORA, MODEL, REWARD, VAE } from "../shared/contracts/sockets.ts";
import { ATTENTION_TARGETS } from "./attention-targets.ts";
import { MODES, type Mode, type ObjectiveOptions } from "./objective.ts";
import { PRESET_NAMES, PRESETS } from "./presets.ts";

export const count = (min: number, max: number, initial: number) => z.number().int().min(min).max(max).default(initial);
export const real = (min: number, max: number, initial: number) => z.number().min(min).max(max).default(initial);

/** Widget: how large the text encoder sees the references. */
export const VISION_SIZE = widget(count(32, 4096, 384), {
  tooltip: "The text encoder sees each reference at about this² pixels, as when editing",
  step: 32,
});

/** Read by these modes only. */
const only = (...values: Mode[]) => ({ onlyFor: { input: "mode", values } });
const REWARDED = only("rerefl", "draft", "draft_lv", "flowbp_sparse", "id_loss");

/** `continue`: the LoRA's own numbers are trained on. `base`: it stays as it is beside the model, and a new one is trained. */
const INIT_LORA_AS = ["continue", "base"] as const;

export const TRAIN_INPUTS = {
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
  reward_weight: widget(real(0, 1e9, 1), REWARDED),
  denoise_steps: widget(count(1, 1000, 30), { tooltip: "T: steps of the rollout" }),
  window_start: widget(count(1, 1000, 1), { ...only("rerefl"), tooltip: "Ts, counted from the end: 1 is the last step" }),
  window_end: widget(count(1, 1000, 11), { ...only("rerefl"), tooltip: "Te" }),
  sigma_min: widget(real(0, 1, 0), { ...only("rerefl", "id_loss"), tooltip: "Leave out steps below this noise level" }),
  sigma_max: widget(real(0, 1, 1), only("rerefl", "id_loss")),
  true_cfg_scale: widget(real(1, 30, 1), { tooltip: "Guidance inside the rollout, as the model does it; 1 = off" }),
  negative_prompt: widget(z.string().default(" ")),
  sigma_rescale_cap: widget(real(0, 100, 0), {
    ...only("rerefl", "draft_lv", "id_loss"),
    tooltip: "rerefl, draft_lv, id_loss: multiply the reward's gradient by min(cap, 1/σ); 0 = off",
  }),
  k: widget(count(1, 100, 1), {
    ...only("draft", "draft_lv", "flowbp_sparse"),
    tooltip: "draft: last K steps; draft_lv: K noised samples beside the last step (2 published); flowbp_sparse: K steps (3 published)",
  }),
  checkpoint_every: widget(count(1, 100_000, 10)),
  sample_every: widget(count(0, 100_000, 0), {
    tooltip: "Updates between sample pictures and their rewards; 0 = five times along the run",
  }),
  samples: widget(count(0, 64, 2), { tooltip: "Held-out examples drawn at fixed seeds" }),
  seed: widget(z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0)),
  anchor_beta: widget(real(0, 1e6, 0), {
    ...only("rerefl", "draft", "draft_lv", "flowbp_sparse"),
    tooltip: "Weight of mean((v - v₀)²), v₀ the model before training, where the reward's gradient enters; 0 = off",
  }),
  constraint: optional(REWARD, "A second reward that must stay at or above constraint_min while the first one rises"),
  constraint_min: widget(real(-1e6, 1e6, 0), { ...REWARDED, tooltip: "τ, for example what the model scores before training", step: 0.01 }),
  constraint_rate: widget(real(0, 1e6, 0.1), {
    ...REWARDED,
    tooltip: "η: the weight λ of the constraint grows by η·(τ - mean) per update",
  }),
  constraint_max: widget(real(0, 1e6, 10), { ...REWARDED, tooltip: "λ never exceeds this" }),
  vision_size: VISION_SIZE,
  keep_every: widget(count(0, 100_000, 0), {
    tooltip: "Updates between LoRAs and states kept in checkpoints/; 0 = only the best ones by the held-out reward",
  }),
  keep_last: widget(count(1, 1000, 5), { tooltip: "How many of these are kept, the newest" }),
  on_trouble: widget(z.enum(["warn", "stop"]).default("warn"), {
    tooltip: "When nothing is learned, no face is found, a loss runs away or one reward is paid for with another: say so, or end the run",
  }),
  init_lora: optional(LORA, "A LoRA to start from: your own or another's (LoraFromFile)"),
  init_lora_as: widget(z.enum(INIT_LORA_AS).default("continue"), {
    tooltip: "continue: train the LoRA itself, its layers, ranks and alphas. base: leave it as it is, and train a new one on top",
  }),
  fork_from: widget(z.string().max(200).default(""), {
    tooltip:
      "A training of the same output directory (train-…) to continue from with the current settings, in a folder of its own; train-…@N: from the state kept after update N",
  }),
  guardrail: widget(z.enum(["dual", "projection"]).default("dual"), {
    ...REWARDED,
    tooltip:
      "How the constraint is kept. dual: it is added with a weight λ that grows while it is below constraint_min. projection: it is added as it is, and of the reward's gradient the part against its own is dropped (PCGrad).",
  }),
  watched: optional(
    REWARD,
    "Never trained on, only measured on the samples: another scorer, other statistics, count, identity. When it falls while the reward rises, on_trouble decides.",
  ),
} as const;

export type TrainInputs = InputValues<typeof TRAIN_INPUTS>;

/** The inputs with the preset's values in place of the typed ones. */
export function withPreset<T extends { readonly preset?: TrainInputs["preset"] }>(typed: T): T {
  const preset = typed.preset;
  return preset === undefined || preset === "custom" ? typed : { ...typed, ...PRESETS[preset] };
}

/** Widgets that are read only where something else is there, and what that is. */
const NEEDS: readonly (readonly [when: string, isThere: (i: Maybe) => boolean, widgets: readonly (keyof TrainInputs)[]])[] = [
  ["true_cfg_scale is 1", (i) => (i.true_cfg_scale ?? 1) !== 1, ["negative_prompt"]],
  ["no constraint is connected", (i) => i.constraint !== undefined, ["constraint_min", "constraint_rate", "constraint_max", "guardrail"]],
  ["no init_lora is connected", (i) => i.init_lora !== undefined, ["init_lora_as"]],
  ["keep_every is 0", (i) => (i.keep_every ?? 0) !== 0, ["keep_last"]],
  ["samples is 0", (i) => (i.samples ?? 1) !== 0, ["sample_every"]],
];
type Maybe = Readonly<Partial<TrainInputs>>;

/** A word for every reason why something that was set has no effect: by mode, by what is missing, by the preset. */
export function ignoredSettings(i: Maybe): readonly string[] {
  const values = new Map<string, unknown>(Object.entries(i));
  const isSet = (name: string): boolean => {
    const spec = Object.entries(TRAIN_INPUTS).find(([key]) => key === name)?.[1];
    const value = values.get(name);
    return spec?.kind === "widget" && value !== undefined && value !== spec.schema.parse(undefined);
  };
  const byMode = Object.entries(TRAIN_INPUTS).flatMap(([name, spec]) =>
    spec.kind === "widget" && spec.hints.onlyFor && i.mode !== undefined && !spec.hints.onlyFor.values.includes(i.mode) && isSet(name)
      ? [name]
      : [],
  );
  const words = byMode.length > 0 ? [`mode ${i.mode} does not read ${byMode.join(", ")}: what was set there has no effect`] : [];
  for (const [when, isThere, widgets] of NEEDS) {
    const set = isThere(i) ? [] : widgets.filter((name) => isSet(name) && !byMode.includes(name));
    if (set.length > 0) words.push(`${when}: what was set for ${set.join(", ")} has no effect`);
  }
  if (i.constraint?.learning)
    words.push("the scorer of constraint does not learn on, only that of reward does: its refresh_every has no effect");
  if (i.preset !== undefined && i.preset !== "custom") {
    const other = Object.entries(PRESETS[i.preset]).flatMap(([name, value]) =>
      isSet(name) && values.get(name) !== value ? [`${name} ${String(values.get(name))} (it is ${value})`] : [],
    );
    if (other.length > 0) words.push(`the preset ${i.preset} decides: not read is ${other.join(", ")}`);
  }
  return words;
}

/** `a, b` → ["a", "b"]. */
export function targetList(text: string): readonly string[] {
  return text
    .split(",")
    .map((t) => t.trim())
    .filter((t) => t !== "");
}

export function objectiveOf(
  i: Omit<TrainInputs, "model" | "vae" | "clip" | "dataset" | "reward" | "constraint" | "init_lora" | "watched">,
): ObjectiveOptions {
  return {
    mode: i.mode,
    lambda: i.lambda,
    rewardWeight: i.reward_weight,
    steps: i.denoise_steps,
    window: [i.window_start, i.window_end],
    sigmaRange: [i.sigma_min, i.sigma_max],
    sigmaRescaleCap: i.sigma_rescale_cap,
    k: i.k,
    anchorBeta: i.anchor_beta,
  };
}

/** Updates between samples. */
export function sampleInterval({ sample_every, steps }: Pick<TrainInputs, "sample_every" | "steps">): number {
  return sample_every > 0 ? sample_every : Math.max(1, Math.ceil(steps / 5));
}

/** Checks across widgets, before anything runs. */
export function checkWidgets(
  typed: Readonly<Partial<TrainInputs>>,
): { readonly input: string; readonly message: string; readonly hint?: string }[] {
  const i = withPreset(typed);
  const found: { input: string; message: string; hint?: string }[] = [];
  if (i.window_start !== undefined && i.window_end !== undefined && i.window_start > i.window_end)
    found.push({
      input: "window_start",
      message: `the window [${i.window_start}, ${i.window_end}] is empty`,
      hint: "Ts must not exceed Te",
    });
  if (i.window_start !== undefined && i.denoise_steps !== undefined && i.window_start > i.denoise_steps)
    found.push({ input: "window_start", message: `Ts = ${i.window_start} lies before the ${i.denoise_steps} steps of the rollout` });
  if (i.sigma_min !== undefined && i.sigma_max !== undefined && i.sigma_min >= i.sigma_max)
    found.push({ input: "sigma_min", message: `no σ lies between ${i.sigma_min} and ${i.sigma_max}` });
  if (i.targets !== undefined && targetList(i.targets).length === 0)
    found.push({ input: "targets", message: "no target is named", hint: `for example ${ATTENTION_TARGETS.join(", ")}` });
  return found;
}
