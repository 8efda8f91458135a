import type { Curves, Samples } from "../../engine/api/training.ts";
import { randomSource } from "../../engine/base/random.ts";

/** 20 curves of `updates` points, with outliers, a held-out that turns, and two alarms. */
export function training(updates: number, total: number, seed = 1): Curves {
  const rng = randomSource(seed);
  const x = Array.from({ length: updates }, (_, i) => i + 1);
  const curve = (name: string, group: Curves["curves"][number]["group"], f: (t: number) => number, every = 1): Curves["curves"][number] => {
    const own = x.filter((v) => v % every === 0);
    return { name, group, isHeldOut: name.startsWith("held_out."), x: own, y: own.map((v) => f(v / Math.max(1, total))) };
  };
  const noise = (size: number): number => size * (rng.uniform() + rng.uniform() - 1);
  const every = Math.max(1, Math.round(updates / 12));
  const parts = ["mimr", "sir", "count", "layout", "identity", "realism"];
  const rise = (t: number): number => 0.25 + 0.55 * (1 - Math.exp(-3 * t));
  return {
    curves: [
      curve("reward", "reward", (t) => rise(t) + noise(0.12)),
      curve("held_out.reward", "reward", (t) => rise(t) - 0.25 * Math.max(0, t - 0.4), every),
      ...parts.flatMap((p, k) => [
        curve(`reward.${p}`, "reward", (t) => rise(t) * (0.5 + 0.1 * k) + noise(0.1)),
        curve(`held_out.reward.${p}`, "reward", (t) => rise(t) * (0.48 + 0.1 * k), every),
      ]),
      curve("loss", "loss", (t) => (rng.below(400) === 0 ? 30 : 0.4 * Math.exp(-2 * t) + 0.1 + noise(0.05))),
      curve("loss_pretrain", "loss", (t) => 0.2 * Math.exp(-t) + 0.05 + noise(0.02)),
      curve("grad_norm", "gradient", (t) => (rng.below(500) === 0 ? 900 : 1.2 + Math.sin(9 * t) * 0.2 + noise(0.6))),
      curve("lora_norm", "gradient", (t) => 4 * t, every),
      curve("lr", "schedule", (t) => 5e-6 * Math.min(1, 20 * t) * (0.5 + 0.5 * Math.cos(Math.PI * t))),
      curve("sigma", "schedule", (t) => 0.4 + 0.3 * Math.sin(40 * t)),
    ],
    alarms:
      updates > 20
        ? [
            {
              code: "TRAIN_OVERFIT",
              update: Math.round(updates * 0.7),
              message: "The reward still rises while the held-out reward falls: the model learns the training pictures by heart.",
              hint: "Stop and keep the checkpoint of the best update, lower the learning rate, or train on more people.",
            },
          ]
        : [],
    updates: { done: updates, total },
    secondsLeft: updates === 0 ? null : 130,
    best: updates > 20 ? { update: Math.round(updates * 0.45), value: 0.6712 } : null,
    settings: { learning_rate: seed === 1 ? 5e-6 : 1e-5, rank: 64, steps: total, mode: seed === 1 ? "rerefl" : "draft_lv", seed },
  };
}

export function samples(updates: readonly number[], rows = 2, references = 2): Samples["samples"] {
  const file = (n: number, size = "384x256") => ({ filename: `sample-${n}-${size}.svg`, subfolder: "", type: "temp" as const });
  return Array.from({ length: rows }, (_, row) => [
    ...Array.from({ length: references }, (_unused, k) => ({
      row,
      kind: "reference" as const,
      update: null,
      file: file(row * 2 + k, "256x256"),
    })),
    { row, kind: "target" as const, update: null, file: file(row + 3) },
    ...updates.map((update, i) => ({ row, kind: "sample" as const, update, file: file(row + i) })),
  ]).flat();
}
