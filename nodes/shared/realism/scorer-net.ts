// The realism scorer: a small convolutional network on native pixels of a face. Fully convolutional, so that windows of every side are judged by the
// same weights, and without padding, so that no edge is invented.
import { z } from "zod";
import { AppError } from "../../../engine/base/errors.ts";
import { randomSource } from "../../../engine/base/random.ts";
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Value } from "../../../engine/ir/value.ts";
import type { WeightFile } from "../../../engine/node/context.ts";
import { f32, type Tensor } from "../../../engine/tensor/tensor.ts";

export const SCORER_FORMAT = "realism-scorer-1";

/** What decides the network's shape. */
export interface ScorerShape {
  /** Channels of the first layer. */
  readonly width: number;
}

/** A trained scorer, as the REALISM_SCORER socket carries it. */
export interface RealismScorer extends ScorerShape {
  readonly id: string;
  /** For messages. */
  readonly name: string;
  /** Divides the network's output, so that its sigmoid is the probability of a real picture. */
  readonly temperature: number;
  /** Side of the windows it was trained on. */
  readonly side: number;
  /** Weight `name` of the network, in a graph. */
  weight(b: Builder, name: string, shape: readonly number[]): Value;
}

/** Smallest window that leaves something to look at after all layers. */
export const MIN_SCORER_SIDE = 24;

/** Kernel side and stride of each convolution, and its channels in widths. */
const LAYERS = [
  { kernel: 3, stride: 1, channels: 1 },
  { kernel: 3, stride: 1, channels: 1 },
  { kernel: 3, stride: 2, channels: 2 },
  { kernel: 3, stride: 1, channels: 2 },
  { kernel: 3, stride: 2, channels: 4 },
] as const;

/** Every weight's name and shape. */
export function scorerShapes({ width }: ScorerShape): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  let before = 6;
  LAYERS.forEach(({ kernel, channels }, i) => {
    const after = channels * width;
    shapes.set(`conv.${i}.weight`, [after, before, kernel, kernel]);
    shapes.set(`conv.${i}.bias`, [after]);
    before = after;
  });
  shapes.set("hidden.weight", [4 * width, 2 * (before + width)]);
  shapes.set("hidden.bias", [4 * width]);
  shapes.set("out.weight", [1, 4 * width]);
  shapes.set("out.bias", [1]);
  return shapes;
}

/** He's initialisation (arXiv 1502.01852); biases are 0. */
export function initialScorer(shape: ScorerShape, seed: number): Map<string, Float32Array> {
  const rng = randomSource(seed);
  return new Map(
    [...scorerShapes(shape)].map(([name, dims]) => {
      const values = new Float32Array(dims.reduce((a, d) => a * d, 1));
      if (name.endsWith("bias")) return [name, values];
      const gain = Math.sqrt(2 / dims.slice(1).reduce((a, d) => a * d, 1));
      return [name, rng.normals(values).map((x) => x * gain)];
    }),
  );
}

/**
 * Raw scores [N] of windows [N, 3, S, S] in 0..1: the colours and, sixteen times as strong, what a 3×3 mean leaves of them go through the
 * convolutions; mean and spread of every channel of the first and the last one over all places (texture is what repeats, and not
 * where) go through two dense layers. S ≥ {@link MIN_SCORER_SIDE}.
 */
export function buildScorer(
  b: Builder,
  shape: ScorerShape,
  weight: (name: string, shape: readonly number[]) => Value,
  windows: Value,
): Value {
  const shapes = scorerShapes(shape);
  const w = (name: string) => weight(name, shapes.get(name) ?? []);
  const [n = 1, , side = 1] = windows.shape;
  const mean3 = b.constant(f32([3, 1, 3, 3], new Float32Array(27).fill(1 / 9)));
  const inner = b.slice(b.slice(windows, 2, 1, side - 1), 3, 1, side - 1);
  const fine = b.sub(inner, b.conv(windows, mean3, null, { group: 3 }));
  let x = b.concat([b.mul(b.sub(inner, 0.5), 4), b.mul(fine, 16)], 1);
  const pooled: Value[] = [];
  LAYERS.forEach(({ stride }, i) => {
    x = b.silu(b.conv(x, w(`conv.${i}.weight`), w(`conv.${i}.bias`), { strides: [stride, stride] }));
    if (i > 0 && i < LAYERS.length - 1) return;
    const mean = b.mean(x, [2, 3]);
    const centred = b.sub(x, mean);
    pooled.push(mean, b.sqrt(b.add(b.mean(b.mul(centred, centred), [2, 3]), 1e-5)));
  });
  const features = b.reshape(b.concat(pooled, 1), [n, 10 * shape.width]);
  const hidden = b.silu(b.gemm(features, w("hidden.weight"), w("hidden.bias"), { transB: true }));
  return b.reshape(b.gemm(hidden, w("out.weight"), w("out.bias"), { transB: true }), [n]);
}

const About = z.object({
  format: z.literal(SCORER_FORMAT),
  width: z.coerce.number().int().min(1).max(256),
  side: z.coerce.number().int().min(MIN_SCORER_SIDE).max(4096),
  temperature: z.coerce.number().positive(),
});

/** @throws AppError REALISM_SCORER when the file is no scorer, or a weight is missing or of another shape */
export function scorerOfFile(file: WeightFile): RealismScorer {
  const about = About.safeParse(file.metadata);
  if (!about.success)
    throw new AppError(
      "REALISM_SCORER",
      `${file.name} is no realism scorer: ${about.error.issues.map((i) => `${i.path.join(".")} ${i.message}`).join("; ")}`,
      {
        hint: "make one with TrainRealismReward; other people's scorers go through LoadOnnx and OnnxReward",
      },
    );
  const { width, side, temperature } = about.data;
  for (const [name, shape] of scorerShapes({ width })) {
    const found = file.tensors.get(name);
    if (found?.dtype !== "float32" || found.shape.join() !== shape.join())
      throw new AppError(
        "REALISM_SCORER",
        `${file.name}: ${name} should be float32 [${shape}], it is ${found ? `${found.dtype} [${found.shape}]` : "missing"}`,
      );
  }
  const id = `scorer:${file.fingerprint}`;
  return {
    id,
    name: file.name,
    width,
    side,
    temperature,
    weight(b, name, shape) {
      const entry = file.tensors.get(name);
      if (!entry) throw new AppError("REALISM_SCORER", `${file.name} has no ${name}`);
      return b.weight(`${id}.${name}`, "float32", shape, entry.source);
    },
  };
}

/** A scorer of weights in memory. */
export function scorerOfArrays(about: Omit<RealismScorer, "weight">, arrays: ReadonlyMap<string, Float32Array>): RealismScorer {
  const tensors = new Map<string, Tensor<"float32">>(
    [...scorerShapes(about)].map(([name, shape]) => [name, f32(shape, arrays.get(name) ?? [])]),
  );
  return {
    ...about,
    weight(b, name, shape) {
      const tensor = tensors.get(name);
      if (!tensor) throw new AppError("REALISM_SCORER", `${about.name} has no ${name}`);
      return b.weight(`${about.id}.${name}`, "float32", shape, { kind: "host", tensor });
    },
  };
}

/** Calibrated scores [N]: the log odds that a window is real. */
export function scoreWindows(b: Builder, scorer: RealismScorer, windows: Value): Value {
  return b.div(
    buildScorer(b, scorer, (name, shape) => scorer.weight(b, name, shape), windows),
    scorer.temperature,
  );
}
