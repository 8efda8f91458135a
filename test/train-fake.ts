// A whole training of some twenty numbers in memory: its inputs, its folders, its log.
import { TRAIN_INPUTS, type TrainInputs } from "../nodes/train/train-options.ts";
import node from "../nodes/train/train-rerefl.ts";
import { fakeContext } from "./fake-context.ts";
import { fakeClip, fakeDataset, fakeModel, fakeReward, fakeVae } from "./fake-diffusion.ts";
import { interpreterCompute } from "./interpreter-compute.ts";
import { type MemoryDirectory, memoryDirectory } from "./memory-directory.ts";

const modules = { model: fakeModel(), vae: fakeVae, clip: fakeClip, dataset: fakeDataset(), reward: fakeReward };

/** Every widget's default, then a small run, then these. */
export function fakeTrainInputs(changes: Partial<TrainInputs> = {}): TrainInputs {
  const widgets = Object.entries(TRAIN_INPUTS).flatMap(([name, spec]) =>
    spec.kind === "widget" ? [[name, spec.schema.parse(undefined)]] : [],
  );
  const small = {
    steps: 4,
    accumulate: 2,
    learning_rate: 0.05,
    rank: 2,
    alpha: 2,
    targets: "to_q, to_k",
    denoise_steps: 3,
    window_end: 2,
    samples: 1,
  };
  return { ...Object.fromEntries(widgets), ...modules, ...small, ...changes };
}

export interface TrainFakeOptions {
  /** The run directories there are, by name; new ones are added. */
  readonly directories?: Map<string, MemoryDirectory>;
  /** Updates in the metrics after which the run is stopped. */
  readonly stopAfter?: number;
}

export async function trainFake(changes: Partial<TrainInputs> = {}, options: TrainFakeOptions = {}) {
  const { directories = new Map<string, MemoryDirectory>(), stopAfter = Number.POSITIVE_INFINITY } = options;
  const stop = new AbortController();
  const ctx = {
    ...fakeContext(interpreterCompute()),
    signal: stop.signal,
    progress: (done: number) => {
      if (done >= stopAfter) stop.abort();
    },
    runRecords: async (file: string) =>
      new Map(
        [...directories].flatMap(([name, dir]) => (dir.files.has(file) ? [[name, dir.files.get(file) ?? new Uint8Array()] as const] : [])),
      ),
    runDirectory: async (name: string) => {
      const dir = directories.get(name) ?? memoryDirectory();
      directories.set(name, dir);
      return dir;
    },
  };
  const result = await node.run(fakeTrainInputs(changes), ctx, {});
  return { ...result, directories, logs: ctx.logs, ctx };
}
