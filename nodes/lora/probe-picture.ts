// A small picture made by a model from a fixed seed, to see whether two ways of loading a LoRA are the same.
import { randomSource } from "../../engine/base/random.ts";
import type { Compute } from "../../engine/ir/compute.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import { expectDType, f32 } from "../../engine/tensor/tensor.ts";
import type { DiffusionModel, Vae } from "../shared/contracts/modules.ts";
import { denoiseInputs, promptInput } from "../shared/diffusion/denoise-inputs.ts";
import { denormaliseValue, tokensOf, tokenWidth } from "../shared/diffusion/latent-space.ts";
import { unpackTokens } from "../shared/diffusion/packing.ts";
import { eulerStep } from "../shared/diffusion/steps.ts";

const GRID = { h: 4, w: 4 };
const STEPS = 4;
const TEXT = 8;

/** 4×4 tokens as a picture [1,3,H,W] in -1..1, from seeded noise and seeded text states in four steps. */
export async function probePicture(compute: Compute, model: DiffusionModel, vae: Vae, seed: number): Promise<Float32Array> {
  const rng = randomSource(seed);
  const prompt = Object.entries(model.prompt.shapes(TEXT)).map(
    ([name, shape]) => [name, f32(shape, rng.normals(new Float32Array(shape.reduce((n, d) => n * d, 1))))] as const,
  );
  const shape = {
    batch: 1,
    target: GRID,
    references: [],
    prompt: Object.fromEntries(prompt.map(([name, t]) => [name, t.shape])),
    convention: "diffusers",
  } as const;
  const feeds = Object.fromEntries(prompt.map(([name, t]) => [promptInput(name), t]));
  const b = newBuilder();
  const step = await compute.compile(b.graph({ v: model.build(b, denoiseInputs(b, model, shape)) }));
  const sigmas = model.schedule.sigmas(STEPS, GRID);
  const tokens = [1, tokensOf(GRID), tokenWidth(model.latentSpace)];
  let x = rng.normals(new Float32Array(tokens.reduce((n, d) => n * d, 1)));
  for (let i = 0; i < STEPS; i++) {
    const sigma = sigmas[i] ?? 1;
    const { v } = await step.run({ ...feeds, x: f32(tokens, x), sigma: f32([1], [sigma]) });
    if (!v) throw new Error("the model gave no velocity");
    x = eulerStep(x, expectDType(v, "float32", "velocity"), sigma, sigmas[i + 1] ?? 0);
  }
  const d = newBuilder();
  const latent = denormaliseValue(d, unpackTokens(d, d.input("x", "float32", tokens), GRID, model.latentSpace.patch), vae.statistics);
  const { image } = await compute.run(d.graph({ image: vae.decode.build(d, latent) }), { x: f32(tokens, x) });
  if (!image) throw new Error("the VAE gave no image");
  return expectDType(image, "float32", "image");
}

/** Peak signal-to-noise ratio in dB of pictures in -1..1; Infinity when equal. */
export function psnr(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
  return sum === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(4 / (sum / a.length));
}
