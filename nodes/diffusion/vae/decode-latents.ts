import { AppError } from "../../../engine/base/errors.ts";
import type { Compute } from "../../../engine/ir/compute.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { expectDType, f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import type { Image, Latent } from "../../shared/contracts/data.ts";
import type { Vae } from "../../shared/contracts/modules.ts";
import { withStatistics } from "../../shared/diffusion/latent-space.ts";
import { vaeNotFinite } from "../../shared/diffusion/vae-not-finite.ts";
import { allFinite } from "../../shared/finite.ts";

/** Decoder for latents of one size: [1,z,h,w] → planes [1,3,H,W] around -1..1, not clamped. */
export type Decode = (latent: Float32Array) => Promise<Tensor<"float32">>;

/** Compiles the decoder for latents [1, ...shape]. */
export async function decoderFor(compute: Compute, vae: Vae, shape: readonly number[]): Promise<Decode> {
  const b = newBuilder();
  const image = vae.decode.build(b, b.input("latent", "float32", [1, ...shape]));
  const executable = await compute.compile(b.graph({ image }));
  return async (latent) => {
    const { image: result } = await executable.run({ latent: f32([1, ...shape], latent) });
    if (!result) throw new AppError("VAE_RUN", "the decoder gave no picture");
    const planes = expectDType(result, "float32", "the picture");
    if (!allFinite(planes)) throw vaeNotFinite("picture", "latent", latent);
    return f32(result.shape, planes);
  };
}

/**
 * Raw latents [B,C,h,w], of any statistics, → pictures [B,H,W,3], (y + 1)/2 clamped to 0..1. One at a time bounds the memory.
 * @throws AppError VAE_NOT_FINITE
 * @param decode turns one latent into planes; the default runs the whole latent at once
 */
export async function decodeLatents(compute: Compute, vae: Vae, latent: Latent, decode?: Decode): Promise<Image> {
  const samples = withStatistics(latent, vae.statistics);
  const [count = 0, ...shape] = samples.shape;
  const size = samples.data.length / Math.max(1, count);
  const run = decode ?? (await decoderFor(compute, vae, shape));
  const pictures: Tensor<"float32">[] = [];
  for (let i = 0; i < count; i++) pictures.push(await run(samples.data.subarray(i * size, (i + 1) * size)));
  const [, , h = 0, w = 0] = pictures[0]?.shape ?? [];
  const out = new Float32Array(count * h * w * 3);
  pictures.forEach(({ data }, i) => {
    for (let p = 0; p < h * w; p++)
      for (let c = 0; c < 3; c++) out[(i * h * w + p) * 3 + c] = Math.min(1, Math.max(0, ((data[c * h * w + p] ?? 0) + 1) / 2));
  });
  return f32([count, h, w, 3], out);
}
