// Made-up faces for tests of realism scorers: blobs with fine texture that follows them. "Real" ones have it, "generated" ones have less.
import { randomSource } from "../engine/base/random.ts";
import type { Compute } from "../engine/ir/compute.ts";
import { f32 } from "../engine/tensor/tensor.ts";
import type { Image } from "../nodes/shared/contracts/data.ts";
import { DEGRADATIONS } from "../nodes/shared/realism/degradations.ts";
import type { Preferences } from "../nodes/shared/realism/preferences.ts";
import type { RealismScorer } from "../nodes/shared/realism/scorer-net.ts";
import trainRealismReward from "../nodes/train/realism/train-realism-reward.ts";
import { fakeContext } from "./fake-context.ts";
import { fakeFace } from "./fake-faces.ts";
import { memoryDirectory } from "./memory-directory.ts";

/** Pixels on each side. */
export const BLOB_SIZE = 40;
const face = fakeFace(BLOB_SIZE / 2, BLOB_SIZE / 2, 32);

/** [1, 40, 40, 3]. @param texture its amplitude: 0.06 is real, 0.02 generated */
export function portrait(seed: number, texture: number): Image {
  const rng = randomSource(seed);
  const [fx, fy, phase] = [0.2 + 0.2 * rng.uniform(), 0.2 + 0.2 * rng.uniform(), 6 * rng.uniform()];
  const data = new Float32Array(BLOB_SIZE * BLOB_SIZE * 3);
  for (let i = 0; i < BLOB_SIZE * BLOB_SIZE; i++) {
    const [x, y] = [i % BLOB_SIZE, Math.floor(i / BLOB_SIZE)];
    const grey = 0.5 + 0.2 * Math.sin(fx * x + phase) * Math.cos(fy * y) + texture * Math.sin(2.1 * x + phase) * Math.sin(1.9 * y);
    for (let c = 0; c < 3; c++) data[3 * i + c] = Math.min(1, Math.max(0, grey + 0.05 * (c - 1)));
  }
  return f32([1, BLOB_SIZE, BLOB_SIZE, 3], data);
}

/** 24 pairs to train on, 12 held out. */
export const blobPreferences: Preferences = {
  id: "blobs",
  train: 24,
  heldOut: 12,
  async pair(split, index) {
    const seed = index + (split === "train" ? 0 : 1000);
    return {
      id: `${split}-${index}`,
      win: { image: portrait(seed, 0.06), faces: [face] },
      lose: { image: portrait(seed + 500, 0.02), faces: [face] },
      weight: 1,
      labelled: true,
    };
  },
};

/** Settings with which a scorer of blobs is trained in seconds. */
export const SMALL_SCORER = {
  preferences_1: blobPreferences,
  face_detector: undefined,
  steps: 80,
  batch: 6,
  side: 24,
  width: 4,
  hard_negatives: DEGRADATIONS.join(", "),
  cross_entropy: 0.5,
  learning_rate: 0.01,
  lr_schedule: "cosine" as const,
  warmup: 3,
  max_grad_norm: 1,
  weight_decay: 0.01,
  ema_decay: 0.9,
  checkpoint_every: 20,
  prefix: "scorer",
  seed: 1,
};

export async function smallScorer(compute: Compute, changes: Partial<typeof SMALL_SCORER>): Promise<RealismScorer> {
  const directory = memoryDirectory();
  const ctx = { ...fakeContext(compute), runDirectory: async () => directory };
  return (await trainRealismReward.run({ ...SMALL_SCORER, ...changes }, ctx, {})).scorer;
}
