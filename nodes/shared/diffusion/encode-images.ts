import { AppError } from "../../../engine/base/errors.ts";
import type { Compute } from "../../../engine/ir/compute.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { expectDType, f32 } from "../../../engine/tensor/tensor.ts";
import type { Image, Latent } from "../contracts/data.ts";
import type { Vae } from "../contracts/modules.ts";
import { allFinite } from "../finite.ts";
import { cellColors, fitColors } from "./latent-colors.ts";
import { vaeNotFinite } from "./vae-not-finite.ts";

/**
 * Pictures [B,H,W,3] in 0..1 → raw latents (mode of the posterior) [B,C,H/cell,W/cell]. A picture is cropped to multiples of
 * the cell, centred, as ComfyUI's VAEEncode does; values become 2x − 1. One picture at a time bounds the memory.
 * @throws AppError VAE_SIZE when a side is below one cell; VAE_NOT_FINITE
 */
export async function encodeImages(compute: Compute, vae: Vae, images: Image): Promise<Latent> {
  const { cell } = vae;
  const [count = 0, height = 0, width = 0] = images.shape;
  const h = height - (height % cell);
  const w = width - (width % cell);
  if (!count || !h || !w) throw new AppError("VAE_SIZE", `the picture has ${width}×${height} pixels; at least ${cell}×${cell} are needed`);
  const b = newBuilder();
  const latent = vae.encode.build(b, b.input("image", "float32", [1, 3, h, w]));
  const executable = await compute.compile(b.graph({ latent }));
  const parts: Float32Array[] = [];
  const colors: Float32Array[] = [];
  for (let i = 0; i < count; i++) {
    const image = f32([1, 3, h, w], cropToPlanes(images, i, h, w));
    const { latent: result } = await executable.run({ image });
    if (!result) throw new AppError("VAE_RUN", "the encoder gave no latent");
    const data = expectDType(result, "float32", "the latent");
    if (!allFinite(data)) throw vaeNotFinite("latent", "picture", image.data);
    parts.push(data);
    colors.push(cellColors(image.data, h / cell, w / cell, cell));
  }
  const [, ...shape] = latent.shape;
  const size = parts[0]?.length ?? 0;
  const data = new Float32Array(count * size);
  parts.forEach((part, i) => {
    data.set(part, i * size);
  });
  const samples = f32([count, ...shape], data);
  return { samples, statistics: vae.statistics, colors: fitColors(samples, colors) };
}

/** Picture `index`, centre crop [h, w], as planes [3,h,w] in -1..1. */
function cropToPlanes(images: Image, index: number, h: number, w: number): Float32Array {
  const [, height = 0, width = 0] = images.shape;
  const top = (height - h) >> 1;
  const left = (width - w) >> 1;
  const out = new Float32Array(3 * h * w);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const from = ((index * height + y + top) * width + x + left) * 3;
      for (let c = 0; c < 3; c++) out[(c * h + y) * w + x] = 2 * (images.data[from + c] ?? 0) - 1;
    }
  return out;
}
