// Latent [B,C,h,w] ↔ tokens [B,N,C·p²]; channel = c·p² + dy·p + dx (diffusers' _pack_latents for p = 2).
import { AppError } from "../../../engine/base/errors.ts";
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Value } from "../../../engine/ir/value.ts";
import { type Tensor, zerosTensor } from "../../../engine/tensor/tensor.ts";
import type { GridSize } from "../contracts/diffusion.ts";

/** Host packing of a latent [B,C,h,w], h and w multiples of the patch. @throws AppError LATENT_SIZE */
export function packLatent(latent: Tensor<"float32">, patch: number): Tensor<"float32"> {
  const [batch = 0, channels = 0, height = 0, width = 0] = latent.shape;
  if (latent.shape.length !== 4 || height % patch || width % patch)
    throw new AppError("LATENT_SIZE", `a latent of shape [${latent.shape}] cannot be packed: its sides must be multiples of ${patch}`, {
      hint: "use pictures whose sides are multiples of a token's",
    });
  const grid = { h: height / patch, w: width / patch };
  const tokens = zerosTensor("float32", [batch, grid.h * grid.w, channels * patch ** 2]);
  forEachElement(batch, channels, grid, patch, (l, t) => {
    tokens.data[t] = latent.data[l] ?? 0;
  });
  return tokens;
}

/** Host inverse of {@link packLatent}. */
export function unpackLatent(tokens: Tensor<"float32">, grid: GridSize, patch: number): Tensor<"float32"> {
  const [batch = 0, n = 0, width = 0] = tokens.shape;
  const channels = width / patch ** 2;
  if (n !== grid.h * grid.w || !Number.isInteger(channels))
    throw new AppError("LATENT_SIZE", `tokens [${tokens.shape}] do not form a ${grid.h}×${grid.w} grid of ${patch}×${patch} patches`);
  const latent = zerosTensor("float32", [batch, channels, grid.h * patch, grid.w * patch]);
  forEachElement(batch, channels, grid, patch, (l, t) => {
    latent.data[l] = tokens.data[t] ?? 0;
  });
  return latent;
}

/** The same inverse as a graph: [B,N,C·p²] → [B,C,p·h,p·w]. */
export function unpackTokens(b: Builder, tokens: Value, grid: GridSize, patch: number): Value {
  const [batch = 1, , width = 0] = tokens.shape;
  const c = width / patch ** 2;
  const split = b.reshape(tokens, [batch, grid.h, grid.w, c, patch, patch]);
  return b.reshape(b.transpose(split, [0, 3, 1, 4, 2, 5]), [batch, c, grid.h * patch, grid.w * patch]);
}

function forEachElement(
  batch: number,
  channels: number,
  grid: GridSize,
  patch: number,
  visit: (latent: number, token: number) => void,
): void {
  const width = grid.w * patch;
  let l = 0;
  for (let b = 0; b < batch; b++)
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < grid.h * patch; y++)
        for (let x = 0; x < width; x++, l++) {
          const token = (b * grid.h + Math.floor(y / patch)) * grid.w + Math.floor(x / patch);
          visit(l, (token * channels + c) * patch ** 2 + (y % patch) * patch + (x % patch));
        }
}
