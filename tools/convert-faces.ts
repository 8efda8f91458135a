// Makes models/faces/*.safetensors from the npm packages @vladmandic/human and @vladmandic/face-api (development only).
//   node tools/convert-faces.ts [PACKAGES = node_modules/@vladmandic] [OUT = models/faces]
// Filters become OIHW. Quantised filters stay uint8 with `<name>.scale` and `<name>.min` (value = q*scale + min);
// vectors are dequantised, exactly as tfjs does it. The pointwise filters of faceres, float16 there, are quantised here.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { float32FromFloat16 } from "../engine/tensor/convert.ts";
import { copyOfBytes } from "../engine/tensor/dtype.ts";

const WeightSpec = z.object({
  name: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  dtype: z.enum(["float32", "int32"]),
  quantization: z
    .union([z.object({ dtype: z.literal("uint8"), scale: z.number(), min: z.number() }), z.object({ dtype: z.literal("float16") })])
    .optional(),
});
const Manifest = z.array(z.object({ weights: z.array(WeightSpec) }));
const FaceResMean = z.object({ mean: z.array(z.number()).length(1024) });
const GraphModel = z.object({
  modelTopology: z.object({ node: z.array(z.object({ name: z.string(), op: z.string(), input: z.array(z.string()).default([]) })) }),
  weightsManifest: Manifest,
});

interface Stored {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array;
  /** One number, or one per filter. */
  readonly scale?: readonly number[];
  readonly min?: readonly number[];
}
type Weights = ReadonlyMap<string, Stored>;

/** Reads a tfjs weight manifest's tensors from its one shard. */
function readShard(manifest: z.infer<typeof Manifest>, bytes: Uint8Array): Map<string, Stored> {
  const weights = new Map<string, Stored>();
  let offset = 0;
  for (const spec of manifest.flatMap((group) => group.weights)) {
    const length = spec.shape.reduce((a, d) => a * d, 1);
    const { quantization } = spec;
    const size = length * (quantization?.dtype === "uint8" ? 1 : quantization?.dtype === "float16" ? 2 : 4);
    const part = copyOfBytes(bytes.subarray(offset, offset + size));
    offset += size;
    if (part.length !== size) throw new Error(`${spec.name}: the shard ends early`);
    if (quantization?.dtype === "uint8")
      weights.set(spec.name, { shape: spec.shape, data: part, scale: [quantization.scale], min: [quantization.min] });
    else if (quantization) weights.set(spec.name, { shape: spec.shape, data: float32FromFloat16(new Uint16Array(part.buffer)) });
    else if (spec.dtype === "float32") weights.set(spec.name, { shape: spec.shape, data: new Float32Array(part.buffer) });
  }
  if (offset !== bytes.length) throw new Error(`the shard has ${bytes.length} bytes, its manifest describes ${offset}`);
  return weights;
}

function get(weights: Weights, name: string): Stored {
  const found = weights.get(name);
  if (!found) throw new Error(`no weight ${name}`);
  return found;
}

/** HWIO filter to OIHW; a depthwise filter [h, w, c, 1] to [c, 1, h, w]. */
function oihw(w: Stored, depthwise = false): Stored {
  const [h = 0, k = 0, i = 0, o = 0] = w.shape;
  const [outer, inner] = depthwise ? [i, o] : [o, i];
  const data = w.data instanceof Uint8Array ? new Uint8Array(w.data.length) : new Float32Array(w.data.length);
  let at = 0;
  for (let a = 0; a < outer; a++)
    for (let c = 0; c < inner; c++)
      for (let p = 0; p < h * k; p++) data[at++] = w.data[(p * i + (depthwise ? a : c)) * o + (depthwise ? c : a)] ?? 0;
  return { ...w, shape: [outer, inner, h, k], data };
}

/** What tfjs computes when it loads a quantised tensor. */
function dequantise(w: Stored): Stored {
  const [scale] = w.scale ?? [];
  const [min] = w.min ?? [];
  if (scale === undefined || min === undefined) return w;
  return { shape: w.shape, data: Float32Array.from(w.data, (q) => q * scale + min) };
}

/**
 * 256 steps for each filter [o, i, h, w], over the range with the least squared error; `min` is shifted so that the sum of the filter
 * stays what it was (what comes in has no negative numbers, so that errors of the sum would add up).
 */
function quantise({ shape, data }: Stored): Stored {
  const filters = shape[0] ?? 0;
  const length = data.length / filters;
  const out = new Uint8Array(data.length);
  const scale: number[] = [];
  const min: number[] = [];
  for (let o = 0; o < filters; o++) {
    const filter = data.subarray(o * length, (o + 1) * length);
    const [low, high] = [Math.min(...filter), Math.max(...filter)];
    let least = Number.POSITIVE_INFINITY;
    for (let share = 1; share > 0.4; share -= 0.02) {
      const step = Math.max((share * (high - low)) / 255, 1e-12);
      const from = share * low;
      const q = Uint8Array.from(filter, (x) => Math.min(255, Math.max(0, Math.round((x - from) / step))));
      const errors = Array.from(filter, (x, k) => x - from - (q[k] ?? 0) * step);
      const squared = errors.reduce((sum, e) => sum + e * e, 0);
      if (squared >= least) continue;
      least = squared;
      out.set(q, o * length);
      scale[o] = step;
      min[o] = from + errors.reduce((sum, e) => sum + e, 0) / length;
    }
  }
  return { shape, data: out, scale, min };
}

/** Writes a safetensors file: float32 first, so that every offset is aligned. */
function writeSafetensors(path: string, tensors: ReadonlyMap<string, Stored>, metadata: Readonly<Record<string, string>>): void {
  const flat = new Map<string, { dtype: string; shape: readonly number[]; data: Float32Array | Uint8Array }>();
  for (const [name, w] of tensors) {
    flat.set(name, { dtype: w.data instanceof Uint8Array ? "U8" : "F32", shape: w.shape, data: w.data });
    if (w.scale === undefined || w.min === undefined) continue;
    const shape = w.scale.length === 1 ? [] : w.shape.map((d, axis) => (axis === 0 ? d : 1));
    flat.set(`${name}.scale`, { dtype: "F32", shape, data: Float32Array.from(w.scale) });
    flat.set(`${name}.min`, { dtype: "F32", shape, data: Float32Array.from(w.min) });
  }
  const header: Record<string, unknown> = { __metadata__: metadata };
  const ordered = [...flat].sort(([a, x], [b, y]) => x.dtype.localeCompare(y.dtype) || (a < b ? -1 : 1));
  let offset = 0;
  for (const [name, t] of ordered) {
    header[name] = { dtype: t.dtype, shape: t.shape, data_offsets: [offset, offset + t.data.byteLength] };
    offset += t.data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, " ")]);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(padded.length));
  const body = ordered.map(([, t]) => Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength));
  writeFileSync(path, Buffer.concat([size, padded, ...body]));
  console.log(`${path}: ${tensors.size} tensors, ${8 + padded.length + offset} bytes`);
}

/** BlazeFace back: the weights are anonymous in the graph model, so their places are read from the topology. */
function convertBlazeFace(packages: string, out: string): void {
  const folder = join(packages, "human/models");
  const model = GraphModel.parse(JSON.parse(readFileSync(join(folder, "blazeface.json"), "utf8")));
  const weights = readShard(model.weightsManifest, new Uint8Array(readFileSync(join(folder, "blazeface.bin"))));
  const layers = new Map<string, readonly string[]>();
  for (const n of model.modelTopology.node) {
    const layer = n.name.split("/")[2];
    if (layer && (n.op === "_FusedConv2D" || n.op === "DepthwiseConv2dNative")) layers.set(layer, n.input.slice(1));
  }
  const tensors = new Map<string, Stored>();
  const take = (layer: string, name: string, depthwise = false): void => {
    const [filter = "", bias] = layers.get(layer) ?? [];
    tensors.set(`${name}.weight`, oihw(get(weights, filter), depthwise));
    if (bias !== undefined) tensors.set(`${name}.bias`, get(weights, bias));
  };
  take("conv2d", "stem");
  for (let i = 0; i < 31; i++) {
    take(i === 0 ? "depthwise_conv2d" : `depthwise_conv2d_${i}`, `blocks.${i}.depthwise`, true);
    take(`conv2d_${i + 1}`, `blocks.${i}.pointwise`);
  }
  take("depthwise_conv2d_31", "final.depthwise", true);
  take("re_lu_31", "final.pointwise");
  take("conv2d_33", "classificators_1");
  take("conv2d_34", "classificators_2");
  take("conv2d_35", "regressors_1");
  take("conv2d_36", "regressors_2");
  writeSafetensors(join(out, "blazeface.safetensors"), tensors, {
    model: "blazeface-back",
    source: "MediaPipe BlazeFace back 256x256, from @vladmandic/human 3.3.6 models/blazeface",
    license: "Apache-2.0",
  });
}

/** A face-api model: names keep their paths, with dots. */
function convertFaceApi(packages: string, out: string, from: string, to: string, metadata: Readonly<Record<string, string>>): void {
  const folder = join(packages, "face-api/model");
  const manifest = Manifest.parse(JSON.parse(readFileSync(join(folder, `${from}-weights_manifest.json`), "utf8")));
  const tensors = new Map<string, Stored>();
  for (const [name, w] of readShard(manifest, new Uint8Array(readFileSync(join(folder, `${from}.bin`))))) {
    const filter = w.shape.length === 4 ? oihw(w, name.endsWith("depthwise_filter")) : w;
    tensors.set(name.replaceAll("/", "."), w.shape.length === 1 ? dequantise(w) : filter);
  }
  writeSafetensors(join(out, `${to}.safetensors`), tensors, metadata);
}

/**
 * faceres without its heads for age and gender, and the mean descriptor of faces that tools/faceres-mean.ts measured. Batch norms
 * are folded: into bias alone, or into a factor of the depthwise filters too.
 */
function convertFaceRes(packages: string, out: string): void {
  const folder = join(packages, "human/models");
  const model = GraphModel.parse(JSON.parse(readFileSync(join(folder, "faceres.json"), "utf8")));
  const weights = readShard(model.weightsManifest, new Uint8Array(readFileSync(join(folder, "faceres.bin"))));
  const tensors = new Map<string, Stored>();
  tensors.set("stem.weight", oihw(get(weights, "conv1/convolution/merged_input")));
  tensors.set("stem.bias", get(weights, "conv1_bn/batchnorm_1/sub"));
  for (let i = 0; i < 13; i++) {
    const [dw, pw] = [`conv_dw_${i + 1}`, `conv_pw_${i + 1}`];
    const factor = get(weights, `${dw}_bn/batchnorm_1/mul`).data;
    const filter = oihw(get(weights, `${dw}/depthwise_kernel`), true);
    tensors.set(`blocks.${i}.depthwise.weight`, {
      shape: filter.shape,
      data: Float32Array.from(filter.data, (x, k) => x * (factor[Math.floor(k / 9)] ?? Number.NaN)),
    });
    tensors.set(`blocks.${i}.depthwise.bias`, get(weights, `${dw}_bn/batchnorm_1/sub`));
    tensors.set(`blocks.${i}.pointwise.weight`, quantise(oihw(get(weights, `${pw}/convolution/merged_input`))));
    tensors.set(`blocks.${i}.pointwise.bias`, get(weights, `${pw}_bn/batchnorm_1/sub`));
  }
  const { mean } = FaceResMean.parse(JSON.parse(readFileSync(join(import.meta.dirname, "faceres-mean.json"), "utf8")));
  tensors.set("mean", { shape: [1024], data: Float32Array.from(mean) });
  writeSafetensors(join(out, "faceres1024.safetensors"), tensors, {
    model: "faceres-1024",
    source: "HSE FaceRes (MobileNet), descriptor only, from @vladmandic/human 3.3.6 models/faceres",
    license: "MIT (package)",
  });
}

const [packages = "node_modules/@vladmandic", out = "models/faces"] = process.argv.slice(2);
convertBlazeFace(packages, out);
convertFaceRes(packages, out);
convertFaceApi(packages, out, "face_landmark_68_model", "landmarks68", {
  model: "face-landmarks-68",
  source: "@vladmandic/face-api 1.7.15 model/face_landmark_68_model",
  license: "MIT",
});
convertFaceApi(packages, out, "face_recognition_model", "dlib128", {
  model: "dlib-resnet-128",
  source: "dlib_face_recognition_resnet_model_v1, from @vladmandic/face-api 1.7.15 model/face_recognition_model",
  license: "CC0-1.0 (weights), MIT (package)",
});
