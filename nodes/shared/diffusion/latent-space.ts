// Between a VAE's raw latents and the space the model works in: normalisation, patches, sizes. The only place that knows them.
import { AppError } from "../../../engine/base/errors.ts";
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Value } from "../../../engine/ir/value.ts";
import { f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import type { Image, Latent, LatentStatistics } from "../contracts/data.ts";
import type { GridSize, LatentSpace } from "../contracts/diffusion.ts";
import { packLatent, unpackLatent } from "./packing.ts";

type Numbers = Tensor<"float32">;

/** Width of a token. */
export function tokenWidth({ channels, patch }: LatentSpace): number {
  return channels * patch ** 2;
}

/** Pixels of a token's side. */
export function tokenSide({ cell, patch }: LatentSpace): number {
  return cell * patch;
}

export function tokensOf(grid: GridSize): number {
  return grid.h * grid.w;
}

/** The sides of a picture [1,H,W,3] in tokens. @param what for messages @throws AppError PICTURE_SIZE when a side is no multiple of a token's */
export function gridOf(space: LatentSpace, image: Image, what: string): GridSize {
  const [, height = 0, width = 0] = image.shape;
  const side = tokenSide(space);
  if (height % side !== 0 || width % side !== 0 || height * width === 0)
    throw new AppError("PICTURE_SIZE", `${what} is ${width}×${height}: sides must be multiples of ${side}`, {
      hint: "scale or crop the picture",
    });
  return { h: height / side, w: width / side };
}

/** (z − mean)/std per channel, by the latent's own statistics or the model's. @throws AppError LATENT_CHANNELS */
export function normaliseLatent(space: LatentSpace, { samples, statistics = space.statistics }: Latent): Numbers {
  return perChannel(space, samples, statistics, (z, mean, std) => (z - mean) / std);
}

/** z·std + mean per channel. @throws AppError LATENT_CHANNELS */
export function denormaliseLatent(space: LatentSpace, normalised: Numbers, statistics: LatentStatistics = space.statistics): Latent {
  return { samples: perChannel(space, normalised, statistics, (z, mean, std) => z * std + mean), statistics };
}

function perChannel(
  { channels: wanted }: Pick<LatentSpace, "channels">,
  { shape, data }: Numbers,
  { mean, std }: LatentStatistics,
  f: (z: number, mean: number, std: number) => number,
): Numbers {
  const [, channels = 0, height = 0, width = 0] = shape;
  if (shape.length !== 4 || channels !== wanted || mean.length !== channels || std.length !== channels)
    throw new AppError("LATENT_CHANNELS", `a latent of shape [${shape}] is not [B, ${wanted}, h, w]`, {
      hint: "the latent comes from another model family",
    });
  const area = height * width;
  return f32(
    shape,
    data.map((z, i) => {
      const c = Math.floor(i / area) % channels;
      return f(z, mean[c] ?? 0, std[c] ?? 1);
    }),
  );
}

/** The same latent as raw numbers of other statistics, for the VAE that has these. */
export function withStatistics({ samples, statistics }: Latent, wanted: LatentStatistics): Numbers {
  if (!statistics || isEqual(statistics, wanted)) return samples;
  const space = { channels: wanted.mean.length };
  const normalised = perChannel(space, samples, statistics, (z, mean, std) => (z - mean) / std);
  return perChannel(space, normalised, wanted, (z, mean, std) => z * std + mean);
}

function isEqual(a: LatentStatistics, b: LatentStatistics): boolean {
  const same = (x: readonly number[], y: readonly number[]) => x.length === y.length && x.every((v, i) => v === y[i]);
  return a === b || (same(a.mean, b.mean) && same(a.std, b.std));
}

/** A latent as normalised tokens [B, N, width] and their grid; odd sides are wrapped around to whole patches. */
export function latentTokens(space: LatentSpace, latent: Latent): { readonly tokens: Numbers; readonly grid: GridSize } {
  const whole = padToPatch(normaliseLatent(space, latent), space.patch);
  const [, , h = 0, w = 0] = whole.shape;
  return { tokens: packLatent(whole, space.patch), grid: { h: h / space.patch, w: w / space.patch } };
}

/** Normalised tokens [B, N, width] as a raw latent. */
export function tokensLatent(space: LatentSpace, tokens: Numbers, grid: GridSize, statistics?: LatentStatistics): Latent {
  return denormaliseLatent(space, unpackLatent(tokens, grid, space.patch), statistics);
}

/** (z − mean)/std in a graph, [B, C, h, w]. */
export function normaliseValue(b: Builder, raw: Value, { mean, std }: LatentStatistics): Value {
  return b.div(b.sub(raw, channelRow(b, mean)), channelRow(b, std));
}

/** z·std + mean in a graph, [B, C, h, w]. */
export function denormaliseValue(b: Builder, normalised: Value, { mean, std }: LatentStatistics): Value {
  return b.add(b.mul(normalised, channelRow(b, std)), channelRow(b, mean));
}

function channelRow(b: Builder, xs: readonly number[]): Value {
  return b.constant(f32([1, xs.length, 1, 1], Float32Array.from(xs)));
}

/** Wraps right and bottom around to multiples of the patch, as ComfyUI does before packing. Whole latents come back as they are. */
export function padToPatch(latent: Numbers, patch: number): Numbers {
  const [batch = 0, channels = 0, height = 0, width = 0] = latent.shape;
  const up = (n: number) => Math.ceil(n / patch) * patch;
  if (up(height) === height && up(width) === width) return latent;
  return resample(latent, [batch, channels, up(height), up(width)]);
}

/** Cuts right and bottom off: the inverse of {@link padToPatch}. */
export function cropLatent(latent: Numbers, height: number, width: number): Numbers {
  const [batch = 0, channels = 0, h = 0, w = 0] = latent.shape;
  return h === height && w === width ? latent : resample(latent, [batch, channels, height, width]);
}

/** Pixel (y, x) of the result is pixel (y mod H, x mod W). */
function resample(latent: Numbers, shape: readonly [number, number, number, number]): Numbers {
  const [, , h = 1, w = 1] = latent.shape;
  const [batch, channels, height, width] = shape;
  const out = new Float32Array(batch * channels * height * width);
  let i = 0;
  for (let plane = 0; plane < batch * channels; plane++)
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) out[i++] = latent.data[(plane * h + (y % h)) * w + (x % w)] ?? 0;
  return f32(shape, out);
}
