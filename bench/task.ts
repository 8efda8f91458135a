// What one contest computes, as it travels to both sides.
import { z } from "zod";

export const transformerTask = z.object({
  kind: z.enum(["forward", "step"]),
  name: z.string(),
  /** Folder with `weights.safetensors` and `inputs.safetensors`. */
  folder: z.string(),
  layers: z.int().positive(),
  heads: z.int().positive(),
  headDim: z.int().positive(),
  axes: z.tuple([z.int(), z.int(), z.int()]),
  textDim: z.int().positive(),
  /** Target tokens: rows and columns. */
  grid: z.tuple([z.int().positive(), z.int().positive()]),
  textLength: z.int().positive(),
  /** Rank of the adapters in `step`. */
  rank: z.int().positive(),
});

export const rewardTask = z.object({ kind: z.literal("reward"), name: z.string(), folder: z.string() });

export const productTask = z.object({
  kind: z.literal("product"),
  name: z.string(),
  folder: z.string(),
  rows: z.int().positive(),
  width: z.int().positive(),
});

export const task = z.discriminatedUnion("kind", [transformerTask, rewardTask, productTask]);

export type TransformerTask = z.infer<typeof transformerTask>;
export type RewardTask = z.infer<typeof rewardTask>;
export type ProductTask = z.infer<typeof productTask>;
export type Task = z.infer<typeof task>;

/** One side's task made ready. */
export interface Work {
  /** One repetition of what is measured. */
  run(): Promise<unknown>;
  /** Numbers both sides must agree on, from the untouched starting point. */
  check(): Promise<readonly number[]>;
}

export const request = z.union([z.object({ task, threads: z.int().positive() }), z.object({ run: z.literal(true) })]);

/** What a side answers: to its task, and to each run. `peak` is the process's largest resident memory so far, in bytes. */
export const ready = z.object({ check: z.array(z.number()) });
export const ran = z.object({ ms: z.number(), peak: z.number() });
