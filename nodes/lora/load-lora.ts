import { createHash } from "node:crypto";
import { AppError } from "../../engine/base/errors.ts";
import type { WeightFile } from "../../engine/node/context.ts";
import { toFloat32 } from "../../engine/tensor/convert.ts";
import { sizeOf } from "../../engine/tensor/shape.ts";
import { f32, type Tensor } from "../../engine/tensor/tensor.ts";
import type { Adapter } from "../shared/contracts/modules.ts";

import { allFinite, weightsNotFinite } from "../shared/finite.ts";

import { type LoraPart, layerFinder, refuseOtherKinds, splitKey } from "./lora-keys.ts";
import { metadataScale } from "./lora-scale.ts";

export interface LoadedLora {
  readonly adapters: readonly Adapter[];
  /** Tensors that belong to no layer of this model. */
  readonly unmatched: readonly string[];
}

/**
 * Reads a LoRA of any naming (kohya, Lightning, diffusers/peft, ai-toolkit, DiffSynth, LyCORIS' plain form, older diffusers).
 * scale = strength · alpha / rank; a file without alpha has scale = strength, unless peft's metadata says otherwise. Where a
 * file has both, its alpha tensors win (ComfyUI's reading; diffusers drops them).
 * @param linears [out, in] of the model's Linears
 * @throws AppError LORA_KIND, LORA_NO_MATCH, LORA_INCOMPLETE, LORA_SHAPE, MODEL_NOT_FINITE, LORA_METADATA
 */
export async function loadLora(
  file: WeightFile,
  linears: ReadonlyMap<string, readonly [out: number, in_: number]>,
  strength: number,
): Promise<LoadedLora> {
  refuseOtherKinds(file.name, file.tensors.keys());
  const find = layerFinder(linears.keys());
  const layers = new Map<string, Partial<Record<LoraPart, string>>>();
  const unmatched: string[] = [];
  for (const key of file.tensors.keys()) {
    const split = splitKey(key);
    const target = split ? find(split.base) : undefined;
    if (!split || target === undefined) unmatched.push(key);
    else layers.set(target, { ...layers.get(target), [split.part]: key });
  }
  if (layers.size === 0)
    throw new AppError(
      "LORA_NO_MATCH",
      `${file.name} has no tensor for this model (found ${[...file.tensors.keys()].slice(0, 3).join(", ")}, …)`,
      {
        hint: "pick a LoRA trained on Qwen-Image or Qwen-Image-Edit",
      },
    );
  const scaleOf = metadataScale(file.name, file.metadata);
  // Names in the graph: the same file twice gives the same pair of tensors, and names of two files never collide.
  const tag = createHash("sha256").update(file.fingerprint).digest("hex").slice(0, 12);
  const adapters: Adapter[] = [];
  for (const [target, parts] of layers) {
    if (parts.A === undefined || parts.B === undefined)
      throw new AppError("LORA_INCOMPLETE", `${file.name}: ${target} has ${parts.A ?? parts.B ?? parts.alpha} but not its counterpart`, {
        hint: "the file is incomplete: download it again",
      });
    const [a, b] = [await matrix(file, parts.A), await matrix(file, parts.B)];
    checkFit(file.name, target, linears.get(target) ?? [0, 0], a, b);
    const rank = a.shape[0] ?? 1;
    const scale = parts.alpha === undefined ? scaleOf(target, rank) : (await number(file, parts.alpha)) / rank;
    adapters.push({ target, nameA: `lora.${tag}.${target}.A`, nameB: `lora.${tag}.${target}.B`, a, b, scale: strength * scale });
  }
  return { adapters, unmatched };
}

function checkFit(fileName: string, target: string, [out, width]: readonly [number, number], a: Tensor, b: Tensor): void {
  const rank = a.shape[0] ?? 0;
  if (rank > 0 && a.shape[1] === width && b.shape[0] === out && b.shape[1] === rank) return;
  throw new AppError("LORA_SHAPE", `${fileName}: A [${a.shape}] and B [${b.shape}] do not fit ${target} [${out}, ${width}]`, {
    hint: "the LoRA was made for a model of another size",
  });
}

/** 1×1 convolutions ([r, in, 1, 1]) are matrices too. */
async function matrix(file: WeightFile, name: string): Promise<Tensor<"float32">> {
  const stored = await file.read(name);
  const [rows = 0, columns = 0] = stored.shape;
  if (rows * columns !== sizeOf(stored.shape)) throw new AppError("LORA_SHAPE", `${file.name}: ${name} [${stored.shape}] is no matrix`);
  const data = toFloat32(stored);
  if (!allFinite(data)) throw weightsNotFinite(file.name, name);
  return f32([rows, columns], data);
}

async function number(file: WeightFile, name: string): Promise<number> {
  const [value, ...more] = toFloat32(await file.read(name));
  if (value === undefined || more.length || !Number.isFinite(value))
    throw new AppError("LORA_SHAPE", `${file.name}: ${name} is not one number`);
  return value;
}
