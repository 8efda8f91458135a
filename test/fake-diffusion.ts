// A diffusion model of 22 trainable numbers with everything around it: small enough to check any gradient by differences.

import { randomSource } from "../engine/base/random.ts";
import type { Builder } from "../engine/ir/builder.ts";
import type { Value } from "../engine/ir/value.ts";
import { f32, type Tensor } from "../engine/tensor/tensor.ts";
import type { Dataset, Example, Face, Image } from "../nodes/shared/contracts/data.ts";
import type { Adapter, DiffusionModel, Reward, TextEncoder, Vae } from "../nodes/shared/contracts/modules.ts";

const WIDTH = 3;
const TEXT = 2;
const LINEARS: ReadonlyMap<string, readonly [number, number]> = new Map([
  ["block.attn.to_q", [WIDTH, WIDTH]],
  ["block.attn.to_k", [WIDTH, TEXT]],
]);

/** Numbers that only depend on the seed. @param scale their standard deviation */
export function noise(seed: number, shape: readonly number[], scale = 1): Tensor<"float32"> {
  const out = randomSource(seed).normals(new Float32Array(shape.reduce((n, d) => n * d, 1)));
  return f32(
    shape,
    out.map((x) => x * scale),
  );
}

/**
 * h = tanh(q(x·P) + k(mean of text) + σ·c + mean of references·R); v = h·Pᵀ + x/2. Nonlinear in x, text, σ and both adapters.
 */
export function fakeModel(adapters: readonly Adapter[] = []): DiffusionModel {
  const linear = (b: Builder, path: string, x: Value): Value => {
    const [out, in_] = LINEARS.get(path) ?? [0, 0];
    let y = b.matmul(x, b.constant(noise(path.length, [in_, out], 0.7)));
    for (const a of adapters.filter((each) => each.target === path)) {
      const [A, B] = [a.a, a.b].map((tensor, i) =>
        b.weight(i === 0 ? a.nameA : a.nameB, "float32", tensor.shape, { kind: "host", tensor }),
      );
      if (A && B) y = b.add(y, b.mul(b.matmul(b.matmul(x, b.transpose(A, [1, 0])), b.transpose(B, [1, 0])), a.scale));
    }
    return y;
  };
  return {
    id: `fake:${JSON.stringify(adapters.map((a) => a.nameA))}`,
    family: "qwen-image-edit",
    jointAttentionDim: TEXT,
    linears: LINEARS,
    adapters,
    build(b, { x, references, text, sigma }) {
      const project = b.constant(noise(11, [64, WIDTH], 0.3));
      let h = b.add(linear(b, "block.attn.to_q", b.matmul(x, project)), linear(b, "block.attn.to_k", b.mean(text, [1])));
      h = b.add(h, b.mul(b.reshape(sigma, [1, 1, 1]), b.constant(noise(12, [1, 1, WIDTH]))));
      if (references) h = b.add(h, b.matmul(b.mean(references, [1]), b.constant(noise(13, [64, WIDTH], 0.2))));
      return b.add(b.matmul(b.tanh(h), b.transpose(project, [1, 0])), b.mul(x, 0.5));
    },
    withAdapters: (more) => fakeModel([...adapters, ...more]),
    withSampling: () => fakeModel(adapters),
  };
}

/** Fixed linear maps between an image [1,3,H,W] and its latent [1,16,H/8,W/8]; decoding ends in a tanh. */
export const fakeVae: Vae = {
  id: "fake-vae",
  encode: {
    id: "fake-encode",
    build: (b, image) => {
      const [, , h = 0, w = 0] = image.shape;
      const blocks = b.reshape(b.transpose(b.reshape(image, [1, 3, h / 8, 8, w / 8, 8]), [0, 2, 4, 1, 3, 5]), [1, h / 8, w / 8, 192]);
      return b.transpose(b.matmul(blocks, b.constant(noise(21, [192, 16], 0.1))), [0, 3, 1, 2]);
    },
  },
  decode: {
    id: "fake-decode",
    build: (b, latent) => {
      const [, , h = 0, w = 0] = latent.shape;
      const blocks = b.matmul(b.transpose(latent, [0, 2, 3, 1]), b.constant(noise(22, [16, 192], 0.2)));
      const image = b.reshape(b.transpose(b.reshape(blocks, [1, h, w, 3, 8, 8]), [0, 3, 1, 4, 2, 5]), [1, 3, h * 8, w * 8]);
      return b.tanh(image);
    },
  },
  latentsMean: Array.from({ length: 16 }, (_, c) => c / 20 - 0.4),
  latentsStd: Array.from({ length: 16 }, (_, c) => 0.8 + c / 30),
};

/** Two tokens that depend on the prompt's length. */
export const fakeClip: TextEncoder = {
  id: "fake-clip",
  encode: (_compute, { prompt, images }) => Promise.resolve(noise(30 + prompt.length + images.length, [1, 2, TEXT])),
};

/** mean(tanh(2·image)·weights)·gain, the weights and the gain (the picture's mean) constants of the observation. */
export const fakeReward: Reward = {
  id: "fake-reward",
  name: "fake",
  observe(image) {
    const [, h = 0, w = 0] = image.shape;
    const mean = image.data.reduce((a, c) => a + c, 0) / image.data.length;
    const constants = { weights: noise(40, [1, 3, h, w]), gain: f32([], [10 + mean]) };
    return Promise.resolve({ structure: "one", constants, info: {} });
  },
  build(b, image, { weights, gain }) {
    if (!weights || !gain) throw new Error("no constants");
    const raw = b.mean(b.mul(b.tanh(b.mul(image, 2)), weights), [], false);
    return { reward: b.mul(raw, gain), parts: { raw } };
  },
};

/** The same reward when it finds nothing to say. */
export const skippedReward: Reward = {
  ...fakeReward,
  id: "skipped",
  observe: () => Promise.resolve({ skip: "no face", structure: "", constants: {}, info: {} }),
};

const FACE: Face = {
  box: [2, 2, 12, 12],
  score: 1,
  points5: [
    [4, 5],
    [10, 5],
    [7, 8],
    [5, 10],
    [9, 10],
  ],
};

function picture(seed: number, height: number, width: number): Image {
  const x = noise(seed, [1, height, width, 3]);
  return f32(
    x.shape,
    x.data.map((z) => 1 / (1 + Math.exp(-z))),
  );
}

/** Pictures of 32×16 with one reference of 16×16. */
export function fakeExample(index: number): Example {
  return {
    id: `fake:${index}`,
    prompt: "p".repeat(1 + (index % 3)),
    references: [picture(100 + index, 16, 16)],
    referenceFaces: [FACE],
    target: picture(200 + index, 16, 32),
    targetFaces: [FACE],
  };
}

export function fakeDataset(train = 5, heldOut = 2): Dataset {
  return {
    id: `fake-data:${train}:${heldOut}`,
    train,
    heldOut,
    example: (split, index) => Promise.resolve(fakeExample(split === "train" ? index : 1000 + index)),
  };
}
