// The state of a run as one safetensors file: parameters, moments, average, and everything else that decides the next step.
import { z } from "zod";
import { AppError } from "../../../engine/base/errors.ts";
import { readSafetensors, writeSafetensors } from "../../../engine/formats/safetensors.ts";
import type { AdamWState } from "../../../engine/nn/adamw.ts";
import { expectDType, f32, type Tensor } from "../../../engine/tensor/tensor.ts";

/** What a run needs to go on exactly where it was. All randomness is a function of (seed, step), so no generator state is kept. */
export interface TrainState {
  /** Updates made. */
  readonly params: Map<string, Float32Array>;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly adam: AdamWState;
  readonly ema: Map<string, Float32Array> | null;
  /** Scalars carried from step to step (running reward statistics, multipliers). */
  readonly carried: Record<string, number>;
}

const header = z.object({
  format: z.literal("whos-who.train"),
  version: z.literal("1"),
  step: z.coerce.number().int().nonnegative(),
  fingerprint: z.string(),
  carried: z.string(),
});

/** @param fingerprint identity of configuration and data: a checkpoint of another one is refused when read. */
export function encodeCheckpoint(state: TrainState, fingerprint: string): Uint8Array {
  const tensors = new Map<string, Tensor>();
  const add = (prefix: string, arrays: ReadonlyMap<string, Float32Array>) => {
    for (const [name, data] of arrays) tensors.set(`${prefix}.${name}`, f32(state.shapes.get(name) ?? [data.length], data));
  };
  add("param", state.params);
  add("m", state.adam.m);
  add("v", state.adam.v);
  if (state.ema) add("ema", state.ema);
  return writeSafetensors(tensors, {
    format: "whos-who.train",
    version: "1",
    step: String(state.adam.step),
    fingerprint,
    carried: JSON.stringify(state.carried),
  });
}

/**
 * Reads a checkpoint into `state` in place.
 * @throws AppError TRAIN_CHECKPOINT when it belongs to another configuration or lacks a tensor.
 */
export function decodeCheckpoint(bytes: Uint8Array, state: TrainState, fingerprint: string): void {
  const file = readSafetensors(bytes);
  const meta = header.safeParse(file.metadata);
  if (!meta.success) throw new AppError("TRAIN_CHECKPOINT", "the checkpoint is not one of a training run", { cause: meta.error });
  if (meta.data.fingerprint !== fingerprint)
    throw new AppError("TRAIN_CHECKPOINT", "the checkpoint was written by a run with another model, dataset or settings", {
      hint: "resume with the workflow that started the run, or choose another output directory",
    });
  const fill = (prefix: string, arrays: ReadonlyMap<string, Float32Array>) => {
    for (const [name, into] of arrays) {
      const t = file.tensors.get(`${prefix}.${name}`);
      if (!t || t.data.length !== into.length) throw new AppError("TRAIN_CHECKPOINT", `the checkpoint lacks ${prefix}.${name}`);
      into.set(expectDType(t, "float32", `${prefix}.${name}`));
    }
  };
  fill("param", state.params);
  fill("m", state.adam.m);
  fill("v", state.adam.v);
  if (state.ema) fill("ema", state.ema);
  state.adam.step = meta.data.step;
  for (const key of Object.keys(state.carried)) delete state.carried[key];
  Object.assign(state.carried, z.record(z.string(), z.number()).parse(JSON.parse(meta.data.carried)));
}
