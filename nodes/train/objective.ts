// What one example contributes to an update: L = λ·L_pretrain + w·(−R), by one of several routes for the reward's gradient.
import type { RandomSource } from "../../engine/base/random.ts";
import type { Compute } from "../../engine/ir/compute.ts";
import type { Guidance, Schedule } from "../shared/contracts/diffusion.ts";
import type { DrawnPicture, Reward } from "../shared/contracts/modules.ts";
import type { ModelRunner } from "./model/model-runner.ts";
import type { PreparedExample } from "./model/prepared-example.ts";

/** How the reward's gradient reaches the weights. */
export const MODES = ["rerefl", "sft", "draft", "draft_lv", "flowbp_sparse", "id_loss"] as const;
export type Mode = (typeof MODES)[number];

export interface ObjectiveOptions {
  readonly mode: Mode;
  /** λ of the flow-matching loss on the target picture; 0 = none. */
  readonly lambda: number;
  readonly rewardWeight: number;
  /** T: steps of the rollout. */
  readonly steps: number;
  /** [Ts, Te], counted from the end: t = 1 is the last step. */
  readonly window: readonly [number, number];
  /** Steps whose σ is outside are left out of the window. */
  readonly sigmaRange: readonly [number, number];
  /** Multiplies the reward's gradient by min(cap, 1/σ): dx̂0/dv = −σ makes late steps weak. 0 = off. */
  readonly sigmaRescaleCap: number;
  /** draft: last K steps; draft_lv: K re-noised samples beside the last step; flowbp_sparse: K steps of the rollout. */
  readonly k: number;
  /** Weight of mean((v_θ − v_0)²) at the evaluations that carry the reward's gradient, v_0 the model before training. 0 = off. */
  readonly anchorBeta: number;
}

/** Everything a mode needs for one example. */
export interface Situation {
  readonly compute: Compute;
  readonly runner: ModelRunner;
  readonly example: PreparedExample;
  readonly reward: Reward | null;
  /** A reward whose gradient the other's must not oppose; null = none. */
  readonly guard: Reward | null;
  /** Measured on samples, never differentiated. */
  readonly watched: Reward | null;
  /** The model's noise levels; `sigmas` are those of a rollout at this example's size, σ_0 = 1 … σ_T = 0. */
  readonly schedule: Schedule;
  readonly sigmas: readonly number[];
  /** Inside the rollout; null = none. The branches beside the prompt and all norms carry no gradient. */
  readonly guidance: Guidance | null;
  readonly options: ObjectiveOptions;
  /** Depends on (seed, step, example) only. */
  readonly rng: RandomSource;
  /** Called with every picture whose reward gave a gradient. */
  readonly drew?: (picture: DrawnPicture) => void;
}

/** A sum of gradients under construction. */
export class GradientSum {
  readonly grads = new Map<string, Float32Array>();

  add(more: ReadonlyMap<string, Float32Array>): void {
    for (const [name, g] of more) {
      const sum = this.grads.get(name);
      if (!sum) this.grads.set(name, g.slice());
      else for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (g[i] ?? 0);
    }
  }
}
