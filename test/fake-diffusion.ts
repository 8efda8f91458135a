// Diffusion models of some twenty trainable numbers with everything around them: small enough to check any gradient by differences.
import { randomSource } from "../engine/base/random.ts";
import type { Builder } from "../engine/ir/builder.ts";
import type { Value } from "../engine/ir/value.ts";
import { f32, type Tensor } from "../engine/tensor/tensor.ts";
import type { Dataset, Example, Face, Image } from "../nodes/shared/contracts/data.ts";
import type { Guidance, LatentSpace, TextEncoder } from "../nodes/shared/contracts/diffusion.ts";
import type { Adapter, DiffusionModel, Reward, Vae } from "../nodes/shared/contracts/modules.ts";
import { flowMatchSchedule } from "../nodes/shared/diffusion/flow-match-sigmas.ts";
import { trueCfgGuidance } from "../nodes/shared/diffusion/guidance.ts";
import { tokenWidth } from "../nodes/shared/diffusion/latent-space.ts";
import { modelSampling } from "../nodes/shared/diffusion/model-sampling.ts";
import { visionPicture } from "../nodes/shared/pictures/vision-picture.ts";

/** What makes a family: how its latents, prompts and guidance are. */
export interface FakeFamily {
  readonly name: string;
  readonly space: LatentSpace;
  /** Widths of the named inputs beside `text`, each [1, width]. */
  readonly extra: Readonly<Record<string, number>>;
  readonly guidance: (scale: number) => Guidance | null;
}

const statistics = (channels: number) => ({
  mean: Array.from({ length: channels }, (_, c) => c / 20 - 0.4),
  std: Array.from({ length: channels }, (_, c) => 0.8 + c / 30),
});

/** As Qwen-Image-Edit: 64-wide tokens of 16 channels, true CFG. */
export const QWEN_LIKE: FakeFamily = {
  name: "fake-qwen",
  space: { channels: 16, cell: 8, patch: 2, statistics: statistics(16) },
  extra: {},
  guidance: (scale) => trueCfgGuidance(scale, 64),
};

/** As FLUX: a pooled vector and a distilled guidance among the inputs, no second evaluation. */
export const FLUX_LIKE: FakeFamily = {
  name: "fake-flux",
  space: { channels: 4, cell: 8, patch: 2, statistics: { mean: new Array(4).fill(0.1159), std: new Array(4).fill(1 / 0.3611) } },
  extra: { pooled: 3, guidance: 1 },
  guidance: () => null,
};

export const IMAGE_SCALE = 1.7;

/** As OmniGen2: unpatched latents; one guidance for the text and one for the pictures. */
export const OMNIGEN2_LIKE: FakeFamily = {
  name: "fake-omnigen2",
  space: { channels: 4, cell: 8, patch: 1, statistics: statistics(4) },
  extra: {},
  guidance: (scale) =>
    scale === 1
      ? null
      : {
          branches: [
            { name: "pictures", conditioning: (positive, negative) => ({ ...negative, referenceLatents: positive.referenceLatents }) },
            { name: "nothing", conditioning: (_, negative) => ({ ...negative, referenceLatents: [] }) },
          ],
          combine: (c, [i = c, u = c]) => ({
            v: c.map((z, k) => (u[k] ?? 0) + IMAGE_SCALE * ((i[k] ?? 0) - (u[k] ?? 0)) + scale * (z - (i[k] ?? 0))),
            factor: new Float32Array(c.length).fill(scale),
          }),
        },
};

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
 * h = tanh(q(x·P) + k(mean of text) + σ·c + mean of references·R + extras·E); v = h·Pᵀ + x/2. Nonlinear in x, text, σ and both adapters.
 */
export function fakeModel(adapters: readonly Adapter[] = [], family: FakeFamily = QWEN_LIKE): DiffusionModel {
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
  const width = tokenWidth(family.space);
  return {
    id: `${family.name}:${JSON.stringify(adapters.map((a) => a.nameA))}`,
    family: family.name,
    latentSpace: family.space,
    prompt: {
      shapes: (textLength) => ({
        text: [1, textLength, TEXT],
        ...Object.fromEntries(Object.entries(family.extra).map(([name, n]) => [name, [1, n]])),
      }),
      inputs: ({ embeds, extra }) => ({
        text: embeds,
        ...Object.fromEntries(Object.entries(family.extra).map(([name, n]) => [name, noise(60 + (embeds.shape[1] ?? 0) + n, [1, n])])),
        ...extra,
      }),
      request: (prompt, references, visionSize) => ({
        template: "plus",
        prompt,
        images: references.map((image, i) => ({ image: visionPicture(image, visionSize), slot: i + 1 })),
        resample: "diffusers",
      }),
      usualLength: () => 2,
    },
    schedule: flowMatchSchedule({ baseSeqLen: 256, maxSeqLen: 8192, baseShift: 0.5, maxShift: 0.9, shiftTerminal: 0.02 }),
    sampling: modelSampling(),
    guidance: family.guidance,
    linears: LINEARS,
    adapters,
    build(b, { x, references, prompt, sigma }) {
      const { text, ...extra } = prompt;
      if (!text) throw new Error("no text");
      const project = b.constant(noise(11, [width, WIDTH], 0.3));
      let h = b.add(linear(b, "block.attn.to_q", b.matmul(x, project)), linear(b, "block.attn.to_k", b.mean(text, [1])));
      h = b.add(h, b.mul(b.reshape(sigma, [1, 1, 1]), b.constant(noise(12, [1, 1, WIDTH]))));
      if (references) h = b.add(h, b.matmul(b.mean(references, [1]), b.constant(noise(13, [width, WIDTH], 0.2))));
      for (const [name, n] of Object.entries(family.extra)) {
        const value = extra[name];
        if (!value) throw new Error(`no ${name}`);
        h = b.add(h, b.reshape(b.matmul(value, b.constant(noise(14 + n, [n, WIDTH], 0.5))), [1, 1, WIDTH]));
      }
      return b.add(b.matmul(b.tanh(h), b.transpose(project, [1, 0])), b.mul(x, 0.5));
    },
    withAdapters: (more) => fakeModel([...adapters, ...more], family),
    withSampling: () => fakeModel(adapters, family),
  };
}

/** Fixed linear maps between an image [1,3,H,W] and its latent [1,C,H/8,W/8]; decoding ends in a tanh. */
export function fakeVaeOf({ space: { channels, cell, statistics: own } }: FakeFamily): Vae {
  return {
    id: `fake-vae-${channels}`,
    encode: {
      id: "fake-encode",
      build: (b, image) => {
        const [, , h = 0, w = 0] = image.shape;
        const blocks = b.reshape(b.transpose(b.reshape(image, [1, 3, h / 8, 8, w / 8, 8]), [0, 2, 4, 1, 3, 5]), [1, h / 8, w / 8, 192]);
        return b.transpose(b.matmul(blocks, b.constant(noise(21, [192, channels], 0.1))), [0, 3, 1, 2]);
      },
    },
    decode: {
      id: "fake-decode",
      build: (b, latent) => {
        const [, , h = 0, w = 0] = latent.shape;
        const blocks = b.matmul(b.transpose(latent, [0, 2, 3, 1]), b.constant(noise(522, [channels, 192], 0.2)));
        const image = b.reshape(b.transpose(b.reshape(blocks, [1, h, w, 3, 8, 8]), [0, 3, 1, 4, 2, 5]), [1, 3, h * 8, w * 8]);
        return b.tanh(image);
      },
    },
    channels,
    cell,
    statistics: own,
  };
}

export const fakeVae: Vae = fakeVaeOf(QWEN_LIKE);

/** Two tokens that depend on the prompt's length. */
export const fakeClip: TextEncoder = {
  id: "fake-clip",
  encode: (_compute, { prompt, images }) => Promise.resolve({ embeds: noise(30 + prompt.length + images.length, [1, 2, TEXT]) }),
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
