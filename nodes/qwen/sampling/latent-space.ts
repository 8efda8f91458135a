// Between the VAE's raw latents and the space the transformer works in.
import { AppError } from "../../../engine/base/errors.ts";
import { f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import { LATENTS_MEAN, LATENTS_STD } from "../vae/load-vae.ts";

type Latent = Tensor<"float32">;

/** (z − mean)/std per channel, [B,16,H,W]. @throws AppError LATENT_CHANNELS */
export function normaliseLatent(latent: Latent): Latent {
  return perChannel(latent, (z, mean, std) => (z - mean) / std);
}

/** z·std + mean per channel, [B,16,H,W]. @throws AppError LATENT_CHANNELS */
export function denormaliseLatent(latent: Latent): Latent {
  return perChannel(latent, (z, mean, std) => z * std + mean);
}

function perChannel({ shape, data }: Latent, f: (z: number, mean: number, std: number) => number): Latent {
  const [, channels = 0, height = 0, width = 0] = shape;
  if (shape.length !== 4 || channels !== LATENTS_MEAN.length)
    throw new AppError("LATENT_CHANNELS", `a latent of shape [${shape}] is not [B, ${LATENTS_MEAN.length}, H, W]`, {
      hint: "the latent comes from another model family",
    });
  const area = height * width;
  return f32(
    shape,
    data.map((z, i) => {
      const c = Math.floor(i / area) % channels;
      return f(z, LATENTS_MEAN[c] ?? 0, LATENTS_STD[c] ?? 1);
    }),
  );
}

/** Wraps right and bottom around to even sizes, as ComfyUI does before packing. Even latents come back as they are. */
export function padToEven(latent: Latent): Latent {
  const [batch = 0, channels = 0, height = 0, width = 0] = latent.shape;
  if (height % 2 === 0 && width % 2 === 0) return latent;
  return resample(latent, [batch, channels, height + (height % 2), width + (width % 2)]);
}

/** Cuts right and bottom off: the inverse of {@link padToEven}. */
export function cropLatent(latent: Latent, height: number, width: number): Latent {
  const [batch = 0, channels = 0, h = 0, w = 0] = latent.shape;
  return h === height && w === width ? latent : resample(latent, [batch, channels, height, width]);
}

/** Pixel (y, x) of the result is pixel (y mod H, x mod W). */
function resample(latent: Latent, shape: readonly [number, number, number, number]): Latent {
  const [, , h = 1, w = 1] = latent.shape;
  const [batch, channels, height, width] = shape;
  const out = new Float32Array(batch * channels * height * width);
  let i = 0;
  for (let plane = 0; plane < batch * channels; plane++)
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) out[i++] = latent.data[(plane * h + (y % h)) * w + (x % w)] ?? 0;
  return f32(shape, out);
}
