import { createHash } from "node:crypto";
import { AppError } from "../../engine/base/errors.ts";
import type { WeightFile } from "../../engine/node/context.ts";
import { toFloat32 } from "../../engine/tensor/convert.ts";
import { sizeOf } from "../../engine/tensor/shape.ts";
import { f32, type Tensor, zerosTensor } from "../../engine/tensor/tensor.ts";
import type { Adapter } from "../shared/contracts/modules.ts";

import { allFinite, weightsNotFinite } from "../shared/finite.ts";

import { LORA_PARTS, type LoraPart, layerFinder, refuseOtherKinds, splitKey } from "./lora-keys.ts";
import { metadataScale, type ScaleOf } from "./lora-scale.ts";

export interface LoadedLora {
  readonly adapters: readonly Adapter[];
  /** Tensors that belong to no layer of this model. */
  readonly unmatched: readonly string[];
}

/**
 * Reads a LoRA of any naming (kohya, Lightning, diffusers/peft, ai-toolkit, DiffSynth, LyCORIS' plain form, older diffusers), LyCORIS' LoKr and
 * LoHa, DoRA of each, and whole differences of weights and biases.
 * scale = strength · alpha / rank; a file without alpha has scale = strength, unless peft's metadata says otherwise. Where a
 * file has both, its alpha tensors win (ComfyUI's reading; diffusers drops them).
 * @param linears [out, in] of the model's Linears
 * @throws AppError LORA_KIND, LORA_NO_MATCH, LORA_TWICE, LORA_INCOMPLETE, LORA_SHAPE, MODEL_NOT_FINITE, LORA_METADATA
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
    if (!split || target === undefined) {
      unmatched.push(key);
      continue;
    }
    const other = layers.get(target)?.[split.part];
    if (other !== undefined)
      throw new AppError("LORA_TWICE", `${file.name} changes ${target} twice: as ${other} and as ${key}`, {
        hint: "programs take one or the other: save the file with one of the two",
      });
    layers.set(target, { ...layers.get(target), [split.part]: key });
  }
  if (layers.size === 0)
    throw new AppError(
      "LORA_NO_MATCH",
      `${file.name} has no tensor for this model (found ${[...file.tensors.keys()].slice(0, 3).join(", ")}, …)`,
      {
        hint: "pick a LoRA trained on Qwen-Image or Qwen-Image-Edit",
      },
    );
  const scaleOf = metadataScale(
    file.name,
    file.metadata,
    [...layers.values()].some((parts) => parts.dora_scale ?? parts.magnitude),
  );
  // Names in the graph: the same file twice gives the same pair of tensors, and names of two files never collide.
  const tag = createHash("sha256").update(file.fingerprint).digest("hex").slice(0, 12);
  const adapters: Adapter[] = [];
  for (const [target, parts] of layers) {
    const of = { file, target, linear: linears.get(target) ?? [0, 0], parts };
    const factors = await lowRank(of, scaleOf);
    const bias = parts.diff_b === undefined ? undefined : await biasOf(of, parts.diff_b);
    if (!factors && !bias) continue;
    // A bias alone is carried by an empty product.
    const { a, b, scale, outer } = factors ?? {
      outer: undefined,
      a: zerosTensor("float32", [1, of.linear[1]]),
      b: zerosTensor("float32", [of.linear[0], 1]),
      scale: 0,
    };
    const dora = factors && (await lengthsOf(of));
    const names = { nameA: `lora.${tag}.${target}.A`, nameB: `lora.${tag}.${target}.B` };
    adapters.push({
      target,
      ...names,
      a,
      b,
      scale: dora ? scale : strength * scale,
      ...(outer && { outer: { name: `lora.${tag}.${target}.outer`, values: outer } }),
      ...(dora && { dora: { name: `lora.${tag}.${target}.lengths`, strength, ...dora } }),
      ...(bias && { bias: { name: `lora.${tag}.${target}.bias`, values: bias, scale: strength } }),
    });
  }
  return { adapters, unmatched };
}

interface Layer {
  readonly file: WeightFile;
  readonly target: string;
  readonly linear: readonly [out: number, in_: number];
  readonly parts: Partial<Record<LoraPart, string>>;
}

interface Factors {
  /** [rank, in]. */
  readonly a: Tensor<"float32">;
  /** [out, rank]. */
  readonly b: Tensor<"float32">;
  readonly scale: number;
  readonly outer?: Tensor<"float32">;
}

/** A layer's change of its weight as a product b·a, whatever the file stores; a LoKr's as outer ⊗ b·a. */
async function lowRank(layer: Layer, scaleOf: ScaleOf): Promise<Factors | undefined> {
  const { file, target, parts } = layer;
  const read = (part: LoraPart) => matrix(file, parts[part] ?? "");
  const alpha = parts.alpha === undefined ? undefined : await number(file, parts.alpha);
  if (parts.diff !== undefined) {
    const a = await read("diff");
    const out = a.shape[0] ?? 0;
    return fitting(layer, a, identity(out), 1);
  }
  if (LORA_PARTS.some((part) => part.startsWith("hada_") && parts[part] !== undefined)) {
    need(layer, ["hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"]);
    const [w1a, w1b, w2a, w2b] = [await read("hada_w1_a"), await read("hada_w1_b"), await read("hada_w2_a"), await read("hada_w2_b")];
    // (w1a·w1b) ⊙ (w2a·w2b): every pair of columns and every pair of rows, multiplied.
    const scale = alpha === undefined ? 1 : alpha / (w1b.shape[0] ?? 1);
    return fitting(layer, transposed(pairs(transposed(w1b), transposed(w2b))), pairs(w1a, w2a), scale);
  }
  if (LORA_PARTS.some((part) => part.startsWith("lokr_") && parts[part] !== undefined)) {
    const factors = async (whole: LoraPart, left: LoraPart, right: LoraPart) => {
      if (parts[whole] !== undefined) return { whole: await read(whole) };
      need(layer, [left, right]);
      return { b: await read(left), a: await read(right) };
    };
    const one = await factors("lokr_w1", "lokr_w1_a", "lokr_w1_b");
    const two = await factors("lokr_w2", "lokr_w2_a", "lokr_w2_b");
    // Without a rank, alpha means nothing.
    const dim = two.a?.shape[0] ?? one.a?.shape[0];
    const scale = alpha === undefined || dim === undefined ? 1 : alpha / dim;
    const { a, b } = two.whole ? { a: two.whole, b: identity(two.whole.shape[0] ?? 0) } : two;
    return fitting(layer, a, b, scale, one.whole ?? product(one.b, one.a));
  }
  if (parts.A === undefined && parts.B === undefined) {
    if (parts.diff_b !== undefined) return undefined;
    throw new AppError(
      "LORA_INCOMPLETE",
      `${file.name}: ${target} has ${parts.alpha ?? parts.dora_scale ?? parts.magnitude} and no factors`,
      {
        hint: "the file is incomplete: download it again",
      },
    );
  }
  need(layer, ["A", "B"]);
  const [a, b] = [await read("A"), await read("B")];
  const rank = a.shape[0] ?? 1;
  return fitting(layer, a, b, alpha === undefined ? scaleOf(target, rank) : alpha / rank);
}

function need({ file, target, parts }: Layer, wanted: readonly LoraPart[]): void {
  const missing = wanted.filter((part) => parts[part] === undefined);
  const there = wanted.flatMap((part) => parts[part] ?? []);
  if (missing.length > 0)
    throw new AppError("LORA_INCOMPLETE", `${file.name}: ${target} has ${there.join(", ") || "a part"} but no ${missing.join(", ")}`, {
      hint: "the file is incomplete: download it again",
    });
}

function fitting(
  { file, target, linear: [out, width] }: Layer,
  a: Tensor<"float32">,
  b: Tensor<"float32">,
  scale: number,
  outer?: Tensor<"float32">,
): Factors {
  const [rank = 0, columns = 0] = a.shape;
  const [rows = 0, inner] = b.shape;
  const [p = 1, q = 1] = outer?.shape ?? [];
  if (rank > 0 && columns * q === width && rows * p === out && inner === rank) return { a, b, scale, ...(outer && { outer }) };
  const blocks = outer ? `blocks [${outer.shape}] of ` : "";
  throw new AppError("LORA_SHAPE", `${file.name}: ${blocks}A [${a.shape}] and B [${b.shape}] do not fit ${target} [${out}, ${width}]`, {
    hint: "the LoRA was made for a model of another size",
  });
}

/** DoRA's lengths: LyCORIS' as ComfyUI applies them, for rows or columns; peft's for rows. */
async function lengthsOf({
  file,
  target,
  linear: [out, width],
  parts,
}: Layer): Promise<Omit<NonNullable<Adapter["dora"]>, "name" | "strength"> | undefined> {
  const name = parts.dora_scale ?? parts.magnitude;
  if (name === undefined) return undefined;
  const stored = await file.read(name);
  const data = toFloat32(stored);
  if (!allFinite(data)) throw weightsNotFinite(file.name, name);
  // ComfyUI tells the axis by the first size.
  const isRows = parts.dora_scale === undefined || stored.shape[0] === out;
  if (data.length !== (isRows ? out : width))
    throw new AppError(
      "LORA_SHAPE",
      `${file.name}: ${name} [${stored.shape}] has no length for every row or column of ${target} [${out}, ${width}]`,
      {
        hint: "the LoRA was made for a model of another size",
      },
    );
  return { values: f32(isRows ? [out, 1] : [1, width], data), norm: isRows && parts.dora_scale !== undefined ? "weight" : "changed" };
}

async function biasOf({ file, target, linear: [out] }: Layer, name: string): Promise<Tensor<"float32">> {
  const data = toFloat32(await file.read(name));
  if (data.length !== out) throw new AppError("LORA_SHAPE", `${file.name}: ${name} has ${data.length} numbers for the ${out} of ${target}`);
  if (!allFinite(data)) throw weightsNotFinite(file.name, name);
  return f32([out], data);
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

function identity(n: number): Tensor<"float32"> {
  const out = new Float32Array(n * n);
  for (let i = 0; i < n; i++) out[i * n + i] = 1;
  return f32([n, n], out);
}

function transposed({ shape: [rows = 0, columns = 0], data }: Tensor<"float32">): Tensor<"float32"> {
  return f32(
    [columns, rows],
    Float32Array.from(data, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)] ?? 0),
  );
}

/** [n, p] and [n, q] → [n, p·q]: row by row the products of every pair (Khatri–Rao). */
function pairs(
  { shape: [rows = 0, p = 0], data: x }: Tensor<"float32">,
  { shape: [, q = 0], data: y }: Tensor<"float32">,
): Tensor<"float32"> {
  const out = new Float32Array(rows * p * q);
  for (let row = 0, at = 0; row < rows; row++)
    for (let i = 0; i < p; i++) for (let j = 0; j < q; j++) out[at++] = (x[row * p + i] ?? 0) * (y[row * q + j] ?? 0);
  return f32([rows, p * q], out);
}

/** b·a. */
function product(
  { shape: [rows = 0, rank = 0], data: b }: Tensor<"float32">,
  { shape: [, columns = 0], data: a }: Tensor<"float32">,
): Tensor<"float32"> {
  const out = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += (b[i * rank + k] ?? 0) * (a[k * columns + j] ?? 0);
      out[i * columns + j] = sum;
    }
  return f32([rows, columns], out);
}
