// A small fixed-seed picture of a model: to see whether two ways of loading a LoRA are the same.
import { randomSource } from "../../engine/base/random.ts";
import type { Compute } from "../../engine/ir/compute.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import { expectDType, f32 } from "../../engine/tensor/tensor.ts";
import type { DiffusionModel, Vae } from "../shared/contracts/modules.ts";
import { flowMatchSigmas } from "../shared/diffusion/flow-match-sigmas.ts";
import { unpackTokens } from "../shared/diffusion/packing.ts";

const GRID = { h: 4, w: 4 };
const STEPS = 4;
const TEXT = 8;

/** 64×64 pixels, [1,3,64,64] in -1..1, from seeded noise and seeded text states in four steps. */
export async function probePicture(compute: Compute, model: DiffusionModel, vae: Vae, seed: number): Promise<Float32Array> {
  const rng = randomSource(seed);
  const n = GRID.h * GRID.w;
  const text = f32([1, TEXT, model.jointAttentionDim], rng.normals(new Float32Array(TEXT * model.jointAttentionDim)));
  const b = newBuilder();
  const v = model.build(b, {
    shape: { batch: 1, target: GRID, references: [], textLength: TEXT, positions: "diffusers" },
    x: b.input("x", "float32", [1, n, 64]),
    references: null,
    text: b.input("text", "float32", text.shape),
    sigma: b.input("sigma", "float32", [1]),
  });
  const step = await compute.compile(b.graph({ v }));
  const sigmas = flowMatchSigmas(STEPS, n);
  let x = rng.normals(new Float32Array(n * 64));
  for (let i = 0; i < STEPS; i++) {
    const sigma = sigmas[i] ?? 1;
    const { v: velocity } = await step.run({ x: f32([1, n, 64], x), text, sigma: f32([1], [sigma]) });
    if (!velocity) throw new Error("the model gave no velocity");
    const data = expectDType(velocity, "float32", "velocity");
    x = x.map((z, k) => z + ((sigmas[i + 1] ?? 0) - sigma) * (data[k] ?? 0));
  }
  const d = newBuilder();
  const per = (xs: readonly number[]) => d.constant(f32([1, xs.length, 1, 1], xs));
  const latent = d.add(d.mul(unpackTokens(d, d.input("x", "float32", [1, n, 64]), GRID), per(vae.latentsStd)), per(vae.latentsMean));
  const { image } = await compute.run(d.graph({ image: vae.decode.build(d, latent) }), { x: f32([1, n, 64], x) });
  if (!image) throw new Error("the VAE gave no image");
  return expectDType(image, "float32", "image");
}

/** Peak signal-to-noise ratio in dB of pictures in -1..1; Infinity when equal. */
export function psnr(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
  return sum === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(4 / (sum / a.length));
}
