// The state of a run as one safetensors file: parameters, moments, average, and everything else that decides the next step.
import { z } from "zod";
import { AppError, toAppError } from "../../../engine/base/errors.ts";
import { readSafetensors, writeSafetensors } from "../../../engine/formats/safetensors.ts";
import { type CheckpointLora, CheckpointSum, checkpointHeader } from "../../../engine/formats/train-checkpoint.ts";
import type { AdamWState } from "../../../engine/nn/adamw.ts";
import { bytesOfTensor, expectDType, f32, type Tensor } from "../../../engine/tensor/tensor.ts";

/** What a run needs to continue exactly where it was. All randomness is a function of (seed, step), so no generator state is kept. */
export interface TrainState {
  /** Updates made. */
  readonly params: Map<string, Float32Array>;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly adam: AdamWState;
  readonly ema: Map<string, Float32Array> | null;
  /** Scalars carried from step to step (running reward statistics, multipliers). */
  readonly carried: Record<string, number>;
  /** The numbers of a reward that learns too. */
  readonly learned?: ReadonlyMap<string, Float32Array>;
}

/** What a checkpoint's checksum covers: everything that decides the next step. */
function checksum(tensors: ReadonlyMap<string, Tensor>, rest: ConstructorParameters<typeof CheckpointSum>[0]): string {
  const sum = new CheckpointSum(rest);
  for (const name of [...tensors.keys()].sort()) {
    const t = tensors.get(name);
    if (t) sum.add(name, bytesOfTensor(t));
  }
  return sum.digest();
}

/**
 * @param fingerprint identity of configuration and data: a checkpoint of another one is refused when read.
 * @param lora how the parameters make a LoRA, where they do
 */
export function encodeCheckpoint(state: TrainState, fingerprint: string, lora?: CheckpointLora): Uint8Array {
  const tensors = new Map<string, Tensor>();
  const add = (prefix: string, arrays: ReadonlyMap<string, Float32Array>) => {
    for (const [name, data] of arrays) tensors.set(`${prefix}.${name}`, f32(state.shapes.get(name) ?? [data.length], data));
  };
  add("param", state.params);
  add("m", state.adam.m);
  add("v", state.adam.v);
  if (state.ema) add("ema", state.ema);
  if (state.learned) add("learned", state.learned);
  const rest = { fingerprint, carried: JSON.stringify(state.carried), ...(lora && { lora: JSON.stringify(lora) }) };
  const { step } = state.adam;
  const sha256 = checksum(tensors, { step, ...rest });
  return writeSafetensors(tensors, { format: "whos-who.train", version: "1", step: String(step), ...rest, sha256 });
}

/**
 * Reads a checkpoint into `state` in place.
 * @param fingerprint of the run that must have written it; undefined: any
 * @param name of the file, for messages
 * @throws AppError TRAIN_CHECKPOINT when it is damaged, belongs to another configuration or lacks a tensor.
 */
export function decodeCheckpoint(bytes: Uint8Array, state: TrainState, fingerprint: string | undefined, name: string): void {
  const damaged = (why: string, cause?: unknown) =>
    new AppError("TRAIN_CHECKPOINT", `${name} ${why}`, {
      cause,
      hint: "delete it to start anew; the LoRAs kept in checkpoints/ are whole",
    });
  const file = parsed(bytes, damaged);
  const meta = checkpointHeader.safeParse(file.metadata);
  if (!meta.success) throw damaged("is not the checkpoint of a training run", meta.error);
  const { step, carried, sha256 } = meta.data;
  if (sha256 !== undefined && sha256 !== checksum(file.tensors, meta.data))
    throw damaged("is damaged: its numbers are not those that were written");
  if (fingerprint !== undefined && meta.data.fingerprint !== fingerprint)
    throw new AppError("TRAIN_CHECKPOINT", `${name} was written by a run with another model, dataset or settings`, {
      hint: "resume with the workflow that started the run, or choose another output directory",
    });
  const fill = (prefix: string, arrays: ReadonlyMap<string, Float32Array>) => {
    for (const [key, into] of arrays) {
      const t = file.tensors.get(`${prefix}.${key}`);
      if (!t || t.data.length !== into.length) throw damaged(`lacks ${prefix}.${key}`);
      into.set(expectDType(t, "float32", `${prefix}.${key}`));
    }
  };
  fill("param", state.params);
  fill("m", state.adam.m);
  fill("v", state.adam.v);
  // A fork may ask for an average where there was none: it begins with the weights of now.
  const hasAverage = [...file.tensors.keys()].some((key) => key.startsWith("ema."));
  if (state.ema) fill(hasAverage || fingerprint !== undefined ? "ema" : "param", state.ema);
  // A fork may ask for a reward that learns where none did: it begins as it is.
  const hasLearned = [...file.tensors.keys()].some((key) => key.startsWith("learned."));
  if (state.learned && (hasLearned || fingerprint !== undefined)) fill("learned", state.learned);
  state.adam.step = step;
  for (const key of Object.keys(state.carried)) delete state.carried[key];
  Object.assign(state.carried, z.record(z.string(), z.number()).parse(JSON.parse(carried)));
}

function parsed(bytes: Uint8Array, damaged: (why: string, cause: unknown) => AppError): ReturnType<typeof readSafetensors> {
  try {
    return readSafetensors(bytes);
  } catch (cause) {
    throw damaged(`cannot be read: ${toAppError(cause).message}`, cause);
  }
}
