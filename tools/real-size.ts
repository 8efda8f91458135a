// Checkpoints of the released models' shapes with random weights, to try what nobody wants to download: 20 billion parameters.
//   node tools/real-size.ts MODELS_DIR [--format bf16|shards|fp8] [--part transformer|text_encoder|vae]… [--layers N] [--seed 0]
// bf16: ComfyUI's single files; fp8: the same with scaled float8 matrices; shards: diffusers' folders of bfloat16 files.
// --layers N: the first N blocks of the transformer, and of the text encoder's language model.
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { type RandomSource, randomSource } from "../engine/base/random.ts";
import { layoutSafetensors } from "../engine/formats/safetensors.ts";
import { freeSpace } from "../engine/store/free-space.ts";
import { fromFloat32 } from "../engine/tensor/convert.ts";
import { bytesOf, type DType } from "../engine/tensor/dtype.ts";
import { type Shape, sizeOf } from "../engine/tensor/shape.ts";
import { vaeNames } from "../nodes/qwen/vae/vae-names.ts";
import { type TinyTextEncoderSizes, textEncoderSpecs } from "./tiny-text-encoder.ts";
import { type TinyTransformerSizes, transformerConfig, transformerSpecs } from "./tiny-transformer.ts";
import { type TinyVaeSizes, vaeSpecs } from "./tiny-vae.ts";
import type { WeightSpec } from "./weight-spec.ts";

/** Qwen-Image-Edit-2511. */
export const REAL_TRANSFORMER: TinyTransformerSizes = {
  layers: 60,
  heads: 24,
  headDim: 128,
  jointAttentionDim: 3584,
  axes: [16, 56, 56],
  zeroCond: true,
};

/** Qwen2.5-VL-7B. */
export const REAL_TEXT_ENCODER: TinyTextEncoderSizes = {
  vocab: 152_064,
  hidden: 3584,
  intermediate: 18_944,
  layers: 28,
  heads: 28,
  kvHeads: 4,
  headDim: 128,
  vision: { hidden: 1280, intermediate: 3420, depth: 32, heads: 16, fullAttention: [7, 15, 23, 31] },
};

/** AutoencoderKLQwenImage. */
export const REAL_VAE: TinyVaeSizes = { baseDim: 96, zDim: 16, dimMult: [1, 2, 4, 4], resBlocks: 2 };

export const FORMATS = ["bf16", "shards", "fp8"] as const;
export type Format = (typeof FORMATS)[number];
export const PARTS = ["transformer", "text_encoder", "vae"] as const;
export type Part = (typeof PARTS)[number];

/** One file to be written: its weights in the file's own names. */
interface WeightsFile {
  /** Below the models folder. */
  readonly path: string;
  readonly tensors: ReadonlyMap<string, StoredSpec>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface StoredSpec extends WeightSpec {
  readonly dtype: DType;
}

export interface Plan {
  readonly files: readonly WeightsFile[];
  /** Small files beside them. */
  readonly texts: ReadonlyMap<string, string>;
  /** Parameters of the networks; a quantiser's scales are none. */
  readonly parameters: number;
  /** Bytes on disk. */
  readonly bytes: number;
}

/** Largest shard of a diffusers folder, in bytes: what their own writer uses. */
const SHARD = 10e9;
/** Random numbers in stock. A prime, so that no two rows of a matrix are the same ones. */
const STOCK = 4_194_301;
/** Normal numbers times this fill float8's range: seven standard deviations reach its end, 448. */
const FP8_GAIN = 64;

const SIZES: Readonly<Record<Part, { readonly folder: string; readonly file: string; readonly shard: string }>> = {
  transformer: { folder: "diffusion_models", file: "qwen_image_edit_real_size", shard: "diffusion_pytorch_model" },
  text_encoder: { folder: "text_encoders", file: "qwen_2.5_vl_7b_real_size", shard: "model" },
  vae: { folder: "vae", file: "qwen_image_vae_real_size", shard: "diffusion_pytorch_model" },
};

/** What would be written. @param layers blocks of the transformer and of the language model @param shard largest shard in bytes */
export function planRealSize(
  format: Format,
  { parts = PARTS, layers = Infinity, shard = SHARD }: { parts?: readonly Part[]; layers?: number; shard?: number } = {},
): Plan {
  const files: WeightsFile[] = [];
  const texts = new Map<string, string>();
  let parameters = 0;
  for (const part of parts) {
    const { specs, config } = network(part, layers);
    parameters += specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    const names = SIZES[part];
    if (format === "shards") {
      const folder = `${names.folder}/${names.file}`;
      if (config !== undefined) texts.set(`${folder}/config.json`, config);
      const sharded = shards(part === "vae" ? diffusersVae(specs) : specs, `${folder}/${names.shard}`, shard);
      files.push(...sharded.files);
      texts.set(`${folder}/${names.shard}.safetensors.index.json`, sharded.index);
    } else {
      const tensors = new Map(specs.flatMap((spec) => stored(spec, format === "fp8" && part !== "vae")).map((s) => [s.name, s]));
      if (format === "fp8" && part !== "vae")
        tensors.set("scaled_fp8", { name: "scaled_fp8", shape: [2], fill: { value: 0 }, dtype: "float8e4m3fn" });
      files.push({
        path: `${names.folder}/${names.file}_${format}.safetensors`,
        tensors,
        metadata: config === undefined ? {} : { config },
      });
    }
  }
  const bytes = files.reduce((sum, { tensors, metadata }) => sum + layoutSafetensors(tensors, metadata).fileSize, 0);
  return { files, texts, parameters, bytes };
}

/** Weights in ComfyUI's names, and what their shapes cannot say. */
function network(part: Part, layers: number): { readonly specs: readonly WeightSpec[]; readonly config: string | undefined } {
  if (part === "vae") return { specs: vaeSpecs(REAL_VAE), config: undefined };
  if (part === "text_encoder") {
    const sizes = { ...REAL_TEXT_ENCODER, layers: Math.min(layers, REAL_TEXT_ENCODER.layers) };
    // A file without a config has the head counts of the 7B.
    return { specs: textEncoderSpecs(sizes), config: undefined };
  }
  const sizes = { ...REAL_TRANSFORMER, layers: Math.min(layers, REAL_TRANSFORMER.layers) };
  return { specs: transformerSpecs(sizes), config: transformerConfig(sizes) };
}

/** A weight as it lies in the file: matrices of Linears in scaled float8 where asked for, all else in bfloat16. */
function stored(spec: WeightSpec, isFp8: boolean): StoredSpec[] {
  const { name, shape, fill } = spec;
  if (!isFp8 || shape.length !== 2 || !("std" in fill) || /embed_tokens/.test(name)) return [{ ...spec, dtype: "bfloat16" }];
  const scale = {
    name: name.replace(/weight$/, "scale_weight"),
    shape: [],
    fill: { value: fill.std / FP8_GAIN },
    dtype: "float32",
  } as const;
  return [{ ...spec, fill: { std: FP8_GAIN }, dtype: "float8e4m3fn" }, scale];
}

/** The VAE in diffusers' names. */
function diffusersVae(specs: readonly WeightSpec[]): WeightSpec[] {
  const headers = new Map(
    specs.map(({ name, shape }) => [
      name,
      { name, dtype: "bfloat16" as const, shape, source: { kind: "file" as const, path: "", offset: 0, length: 0 } },
    ]),
  );
  const none = (): never => {
    throw new Error("only names are asked for");
  };
  const file = { name: "vae", fingerprint: "", tensors: headers, metadata: {}, text: async () => undefined, read: none, readRows: none };
  const plain = new Map([...vaeNames(file).names].map(([diffusers, comfy]) => [comfy, diffusers]));
  return specs.map((spec) => ({ ...spec, name: plain.get(spec.name) ?? spec.name }));
}

/** Files of at most `limit` bytes in order, and the index that says which tensor lies where. */
function shards(specs: readonly WeightSpec[], stem: string, limit: number): { readonly files: WeightsFile[]; readonly index: string } {
  const groups: Map<string, StoredSpec>[] = [new Map()];
  let size = 0;
  let total = 0;
  for (const spec of specs) {
    const bytes = 2 * sizeOf(spec.shape);
    if (size > 0 && size + bytes > limit) {
      groups.push(new Map());
      size = 0;
    }
    groups.at(-1)?.set(spec.name, { ...spec, dtype: "bfloat16" });
    size += bytes;
    total += bytes;
  }
  const five = (n: number) => String(n).padStart(5, "0");
  const path = (k: number) => `${stem}-${five(k + 1)}-of-${five(groups.length)}.safetensors`;
  const weight_map = Object.fromEntries(
    groups.flatMap((group, k) => [...group.keys()].map((name) => [name, path(k).slice(path(k).lastIndexOf("/") + 1)])),
  );
  return {
    files: groups.map((tensors, k) => ({ path: path(k), tensors, metadata: { format: "pt" } })),
    index: JSON.stringify({ metadata: { total_size: total }, weight_map }),
  };
}

/**
 * Writes a plan below `directory`. Files that are there already in the right size are left alone.
 * @throws Error when the disk has no room for it
 */
export async function writeRealSize(directory: string, plan: Plan, seed: number, log: (line: string) => void): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const free = await freeSpace(directory);
  // A twentieth stays free: other programs write too.
  if (free !== undefined && plan.bytes * 1.05 > free)
    throw new Error(
      `${gigabytes(plan.bytes)} are to be written and ${gigabytes(free)} are free in ${directory}: take --format fp8, fewer --layers or one --part`,
    );
  for (const [path, text] of plan.texts) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  for (const file of plan.files) {
    const path = join(directory, file.path);
    if (existsSync(path)) {
      log(`${path} is there already`);
      continue;
    }
    mkdirSync(dirname(path), { recursive: true });
    const temporary = `${path}.part`;
    const handle = await open(temporary, "w");
    try {
      await writeWeights(handle, file, randomSource(seed));
      await handle.sync();
    } catch (error) {
      rmSync(temporary);
      throw error;
    } finally {
      await handle.close();
    }
    renameSync(temporary, path);
    log(`${path} ${gigabytes(layoutSafetensors(file.tensors, file.metadata).fileSize)}`);
  }
}

async function writeWeights(handle: FileHandle, { tensors, metadata }: WeightsFile, rng: RandomSource): Promise<void> {
  const layout = layoutSafetensors(tensors, metadata);
  await handle.write(layout.header);
  const stock = new Stock(rng);
  for (const name of layout.tensors.keys()) {
    const spec = tensors.get(name);
    if (spec) for (const piece of pieces(spec, stock)) await handle.write(piece);
  }
}

/** A weight's bytes, none of them in memory twice. */
function* pieces(spec: StoredSpec, stock: Stock): Generator<Uint8Array> {
  const { shape, fill, dtype, slices = 1 } = spec;
  if ("value" in fill) yield bytesFrom(new Float32Array(sizeOf(shape)).fill(fill.value), dtype);
  else if (slices === 1) yield* stock.take(sizeOf(shape), fill.std, dtype);
  else yield slicedKernel(shape, slices, fill.std, dtype, stock);
}

/** A kernel of which only the last temporal slice is not zero. */
function slicedKernel(shape: Shape, slices: number, std: number, dtype: DType, stock: Stock): Uint8Array {
  const area = (shape[3] ?? 1) * (shape[4] ?? 1) * bytesOf(dtype);
  const out = new Uint8Array(sizeOf(shape) * bytesOf(dtype));
  const random = Buffer.concat([...stock.take(sizeOf(shape) / slices, std, dtype)]);
  for (let row = 0; row * area < random.length; row++)
    out.set(random.subarray(row * area, (row + 1) * area), (row * slices + slices - 1) * area);
  return out;
}

/** Normal numbers made once and dealt out again and again from random places: billions of them in seconds. */
class Stock {
  readonly #rng: RandomSource;
  readonly #normal: Float32Array;
  readonly #scaled = new Map<string, Uint8Array>();

  constructor(rng: RandomSource) {
    this.#rng = rng;
    this.#normal = rng.normals(new Float32Array(STOCK));
  }

  *take(count: number, std: number, dtype: DType): Generator<Uint8Array> {
    const key = `${dtype} ${std}`;
    const bytes =
      this.#scaled.get(key) ??
      bytesFrom(
        this.#normal.map((x) => x * std),
        dtype,
      );
    this.#scaled.set(key, bytes);
    const size = bytesOf(dtype);
    for (let at = this.#rng.below(STOCK), left = count; left > 0; at = 0) {
      const n = Math.min(left, STOCK - at);
      yield bytes.subarray(at * size, (at + n) * size);
      left -= n;
    }
  }
}

function bytesFrom(values: Float32Array, dtype: DType): Uint8Array {
  const { buffer, byteOffset, byteLength } = dtype === "float32" ? values : fromFloat32(values, dtype);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** One of `known`. */
function oneOf<T extends string>(known: readonly T[], said: string): T | undefined {
  return known.find((name) => name === said);
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      format: { type: "string", default: "bf16" },
      part: { type: "string", multiple: true, default: [...PARTS] },
      layers: { type: "string", default: String(REAL_TRANSFORMER.layers) },
      seed: { type: "string", default: "0" },
    },
  });
  const [directory] = positionals;
  const format = oneOf(FORMATS, values.format);
  const parts = values.part.flatMap((said) => oneOf(PARTS, said) ?? []);
  const [layers, seed] = [Number(values.layers), Number(values.seed)];
  if (!directory || !format || parts.length !== values.part.length || !(layers >= 1) || !Number.isSafeInteger(seed)) {
    console.error(
      `usage: node tools/real-size.ts MODELS_DIR [--format ${FORMATS.join("|")}] [--part ${PARTS.join("|")}]… [--layers N] [--seed 0]`,
    );
    process.exit(2);
  }
  const plan = planRealSize(format, { parts, layers });
  console.log(`${plan.files.length} files, ${plan.parameters.toLocaleString("en")} parameters, ${gigabytes(plan.bytes)}`);
  await writeRealSize(directory, plan, seed, console.log);
}
