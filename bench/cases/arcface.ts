// A reward of ArcFace's size: embedding of one aligned face, and the gradient of its cosine with a fixed vector by the picture.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { randomSource } from "../../engine/base/random.ts";
import { readSafetensors, writeSafetensors } from "../../engine/formats/safetensors.ts";
import type { Builder } from "../../engine/ir/builder.ts";
import type { Compute } from "../../engine/ir/compute.ts";
import type { Value } from "../../engine/ir/value.ts";
import { globalNorm } from "../../engine/nn/adamw.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import { openWeightSet } from "../../engine/store/weight-set.ts";
import { expectDType, f32, type Tensor } from "../../engine/tensor/tensor.ts";
import type { RewardTask, Work } from "../task.ts";

/** iResNet-50 of ArcFace: blocks and channels per stage. Each stage halves the picture. */
const STAGES = [
  [3, 64],
  [4, 128],
  [14, 256],
  [3, 512],
] as const;
const SIZE = 112;
const DIM = 512;

/** Where parameters come from: drawn when the files are written, read when they are used. */
type Param = (name: string, shape: readonly number[], start: "normal" | "gain" | "bias" | "variance" | "slope") => Value;

/** insightface's iResNet in evaluation mode: [N,3,112,112] → [N,512]. */
function iresnet(b: Builder, x: Value, param: Param): Value {
  const conv = (v: Value, path: string, out: number, size: number, stride: number) =>
    b.conv(v, param(`${path}.weight`, [out, v.shape[1] ?? 0, size, size], "normal"), null, {
      strides: [stride, stride],
      pads: new Array<number>(4).fill(size >> 1),
    });
  const norm = (v: Value, path: string) => {
    const c = [v.shape[1] ?? 0];
    return b.one("BatchNormalization", [
      v,
      param(`${path}.weight`, c, "gain"),
      param(`${path}.bias`, c, "bias"),
      param(`${path}.running_mean`, c, "bias"),
      param(`${path}.running_var`, c, "variance"),
    ]);
  };
  const prelu = (v: Value, path: string) => b.one("PRelu", [v, b.reshape(param(`${path}.weight`, [v.shape[1] ?? 0], "slope"), [-1, 1, 1])]);
  const block = (v: Value, path: string, out: number, stride: number) => {
    const inner = prelu(norm(conv(norm(v, `${path}.bn1`), `${path}.conv1`, out, 3, 1), `${path}.bn2`), `${path}.prelu`);
    const y = norm(conv(inner, `${path}.conv2`, out, 3, stride), `${path}.bn3`);
    return b.add(y, stride === 1 ? v : norm(conv(v, `${path}.downsample.0`, out, 1, stride), `${path}.downsample.1`));
  };
  let y = prelu(norm(conv(x, "conv1", 64, 3, 1), "bn1"), "prelu");
  STAGES.forEach(([blocks, out], stage) => {
    for (let i = 0; i < blocks; i++) y = block(y, `layer${stage + 1}.${i}`, out, i === 0 ? 2 : 1);
  });
  const flat = b.reshape(norm(y, "bn2"), [x.shape[0] ?? 1, -1]);
  const fc = b.gemm(flat, param("fc.weight", [DIM, flat.shape[1] ?? 0], "normal"), param("fc.bias", [DIM], "bias"), { transB: true });
  return norm(fc, "features");
}

/** Writes random weights and inputs for both sides. */
export function writeArcface(seed: number, write: (name: string, bytes: Uint8Array) => void): void {
  const rng = randomSource(seed);
  const tensors = new Map<string, Tensor>();
  const normals = (n: number) => rng.normals(new Float32Array(n));
  const b = newBuilder();
  iresnet(b, b.input("x", "float32", [1, 3, SIZE, SIZE]), (name, shape, start) => {
    const count = shape.reduce((a, d) => a * d, 1);
    const fanIn = count / (shape[0] ?? 1);
    const draw: Record<typeof start, (z: number) => number> = {
      normal: (z) => z / Math.sqrt(fanIn),
      gain: (z) => 1 + 0.1 * z,
      bias: (z) => 0.1 * z,
      variance: (z) => 1 + 0.1 * Math.abs(z),
      slope: (z) => 0.25 + 0.05 * z,
    };
    tensors.set(name, f32(shape, normals(count).map(draw[start])));
    return b.weight(name, "float32", shape, { kind: "host", tensor: f32(shape, new Float32Array(count)) });
  });
  write("weights.safetensors", writeSafetensors(tensors));
  const inputs = new Map<string, Tensor>([
    ["x", f32([1, 3, SIZE, SIZE], normals(3 * SIZE * SIZE))],
    ["target", f32([1, DIM], normals(DIM))],
  ]);
  write("inputs.safetensors", writeSafetensors(inputs));
}

export async function arcfaceWork(compute: Compute, task: RewardTask): Promise<Work> {
  const weights = (await openWeightSet(task.name, join(task.folder, "weights.safetensors"), [task.folder])).tensors;
  const inputs = Object.fromEntries(readSafetensors(readFileSync(join(task.folder, "inputs.safetensors"))).tensors);
  const b = newBuilder();
  const embedding = iresnet(b, b.input("x", "float32", [1, 3, SIZE, SIZE]), (name, shape) => {
    const entry = weights.get(name);
    if (!entry) throw new RangeError(`weights have no ${name}`);
    return b.weight(name, "float32", shape, entry.source);
  });
  const target = b.input("target", "float32", [1, DIM]);
  const norm = (v: Value) => b.sqrt(b.sum(b.mul(v, v), [], false));
  const loss = b.div(b.sum(b.mul(embedding, target), [], false), b.mul(norm(embedding), norm(target)));
  const executable = await compute.grad(b.graph({ loss }), "loss", ["x"]);
  const run = () => executable.run(inputs);
  return {
    run,
    async check() {
      const results = await run();
      return [
        Number(results.loss?.data[0]),
        globalNorm(new Map([["x", expectDType(results["grad.x"] ?? f32([], []), "float32", "grad.x")]])),
      ];
    },
  };
}
