// Parameters of the transformer as graph values: mapped from the file in their stored dtype, with the scale of quantised ones.
import { z } from "zod";
import { AppError } from "../../../engine/base/errors.ts";
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Value, WeightSource } from "../../../engine/ir/value.ts";
import type { LinearParams } from "../../../engine/nn/linear.ts";
import type { WeightEntry, WeightFile } from "../../../engine/node/context.ts";
import { sizeOf } from "../../../engine/tensor/shape.ts";
import { ZERO_COND_MARKER } from "./transformer-prefix.ts";

/** Tensors of one file by their plain name (`transformer_blocks.0.attn.to_q.weight`). */
export type DitTensors = ReadonlyMap<string, WeightEntry>;

/** Names under which quantisers keep a weight's scale beside it: ComfyUI old, ComfyUI new and LightX2V. */
const SCALES = ["scale_weight", "weight_scale"];
/** Extra tensors that weight-only evaluation does not need, and markers. */
const AUXILIARY = /\.(scale_weight|weight_scale|scale_input|input_scale|comfy_quant)$|^scaled_fp8$/;
const FORMATS = ["float8_e4m3fn", "float8_e5m2"];
const Quantization = z.object({ layers: z.record(z.string(), z.looseObject({ format: z.string().optional() })) });

/** Strips the prefix. */
export function tensorsUnder(file: WeightFile, prefix: string): DitTensors {
  const tensors = new Map<string, WeightEntry>();
  for (const [name, entry] of file.tensors) if (name.startsWith(prefix)) tensors.set(name.slice(prefix.length), entry);
  return tensors;
}

/** A parameter as a value, under `dit.<name>`. @throws AppError MODEL_TENSOR_MISSING, MODEL_MIXED */
export function weightValue(b: Builder, tensors: DitTensors, name: string): Value {
  const entry = tensors.get(name);
  if (!entry)
    throw new AppError("MODEL_TENSOR_MISSING", `the transformer has no ${name}`, { hint: "the file is incomplete: download it again" });
  const value = b.weight(`dit.${name}`, entry.dtype, entry.shape, entry.source);
  if (value.def.kind === "weight" && !sameSource(value.def.source, entry.source))
    throw new AppError("MODEL_MIXED", `two transformers are in one graph: ${name} already belongs to another file`, {
      hint: "evaluate them one after the other",
    });
  return value;
}

function sameSource(a: WeightSource, b: WeightSource): boolean {
  if (a.kind === "file") return b.kind === "file" && a.path === b.path && a.offset === b.offset;
  return b.kind === "host" && a.tensor === b.tensor;
}

/** weight, bias and scale of the Linear at `path`. Every Linear of this model has a bias. @throws AppError as {@link weightValue} */
export function linearParams(b: Builder, tensors: DitTensors, path: string): LinearParams {
  const scale = SCALES.map((s) => `${path}.${s}`).find((name) => tensors.has(name));
  return {
    weight: weightValue(b, tensors, `${path}.weight`),
    bias: weightValue(b, tensors, `${path}.bias`),
    scale: scale ? weightValue(b, tensors, scale) : null,
  };
}

/** [out, in] of every Linear, by path. */
export function linearsOf(tensors: DitTensors): Map<string, readonly [number, number]> {
  const linears = new Map<string, readonly [number, number]>();
  for (const [name, { shape }] of tensors) {
    const [out, width] = shape;
    if (name.endsWith(".weight") && shape.length === 2 && out !== undefined && width !== undefined)
      linears.set(name.slice(0, -".weight".length), [out, width]);
  }
  return linears;
}

/**
 * Checks how the file is quantised before anything is built on it.
 * @throws AppError MODEL_QUANTIZATION naming the layer and the format
 */
export async function checkQuantization(file: WeightFile, tensors: DitTensors): Promise<void> {
  const refuse = (what: string) =>
    new AppError("MODEL_QUANTIZATION", `${file.name}: ${what}`, {
      hint: "use the bf16 file, or one with float8_e4m3fn or float8_e5m2 weights",
    });
  for (const [name, { dtype, shape }] of tensors) {
    if (/\.weight_scale_2$|\.(qzeros|scales)$/.test(name)) throw refuse(`${name} belongs to a 4-bit format (nvfp4 or similar)`);
    const layer = name.slice(0, -".weight".length);
    if (!name.endsWith(".weight") || shape.length !== 2) continue;
    if (!/^(b?float|int8$)/.test(dtype)) throw refuse(`${name} is stored as ${dtype}`);
    const scale = SCALES.map((s) => tensors.get(`${layer}.${s}`)).find((s) => s !== undefined);
    if (dtype === "int8" && !scale) throw refuse(`${name} is int8 without a weight_scale`);
    if (scale && ![1, shape[0]].includes(sizeOf(scale.shape)))
      throw refuse(`the scale of ${layer} has shape [${scale.shape}]: groups inside a row`);
  }
  for (const [layer, format] of await statedFormats(file, tensors))
    if (!FORMATS.includes(format)) throw refuse(`layer ${layer} is quantised as ${format}`);
}

/** Formats per layer from `comfy_quant` tensors (JSON in bytes) and from the file's `_quantization_metadata`. */
async function statedFormats(file: WeightFile, tensors: DitTensors): Promise<[layer: string, format: string][]> {
  const formats: [string, string][] = [];
  const parse = <T>(what: string, schema: z.ZodType<T>, text: string): T => {
    try {
      return schema.parse(JSON.parse(text));
    } catch (cause) {
      throw new AppError("MODEL_QUANTIZATION", `${file.name}: ${what} cannot be read`, { cause });
    }
  };
  const metadata = file.metadata._quantization_metadata;
  if (metadata !== undefined)
    for (const [layer, { format }] of Object.entries(parse("_quantization_metadata", Quantization, metadata).layers))
      formats.push([layer, format ?? "an unnamed format"]);
  const seen = new Set<string>();
  for (const [name, entry] of tensors) {
    if (!name.endsWith(".comfy_quant")) continue;
    const { data } = await file.read(entry.name);
    const text = new TextDecoder().decode(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    if (seen.has(text)) continue;
    seen.add(text);
    const { format } = parse(name, z.looseObject({ format: z.string().optional() }), text);
    formats.push([name.slice(0, -".comfy_quant".length), format ?? "an unnamed format"]);
  }
  return formats;
}

/** Whether a tensor belongs to a quantiser, not to the network. */
export function isAuxiliary(name: string): boolean {
  return AUXILIARY.test(name);
}

/** Names the network has no place for. */
export function unusedTensors(tensors: DitTensors, used: ReadonlySet<string>): string[] {
  return [...tensors.keys()].filter((name) => !used.has(name) && !isAuxiliary(name) && name !== ZERO_COND_MARKER);
}
