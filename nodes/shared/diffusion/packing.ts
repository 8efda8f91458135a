// Latent [B,16,H,W] ↔ tokens [B,(H/2)(W/2),64]; channel = c·4 + dy·2 + dx (diffusers pipeline_qwenimage_edit.py _pack_latents).
import { AppError } from "../../../engine/base/errors.ts";
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Value } from "../../../engine/ir/value.ts";
import { type Tensor, zerosTensor } from "../../../engine/tensor/tensor.ts";
import type { GridSize } from "../contracts/modules.ts";

/** Host packing of a latent [B,C,H,W], H and W even. @throws AppError LATENT_SIZE */
export function packLatent(latent: Tensor<"float32">): Tensor<"float32"> {
  const [batch = 0, channels = 0, height = 0, width = 0] = latent.shape;
  if (latent.shape.length !== 4 || height % 2 || width % 2)
    throw new AppError("LATENT_SIZE", `a latent of shape [${latent.shape}] cannot be packed: height and width must be even`, {
      hint: "use pictures whose sides are multiples of 16",
    });
  const tokens = zerosTensor("float32", [batch, (height / 2) * (width / 2), channels * 4]);
  forEachElement(batch, channels, { h: height / 2, w: width / 2 }, (l, t) => {
    tokens.data[t] = latent.data[l] ?? 0;
  });
  return tokens;
}

/** Host inverse of {@link packLatent}. */
export function unpackLatent(tokens: Tensor<"float32">, grid: GridSize): Tensor<"float32"> {
  const [batch = 0, n = 0, width = 0] = tokens.shape;
  if (n !== grid.h * grid.w || width % 4)
    throw new AppError("LATENT_SIZE", `tokens [${tokens.shape}] do not form a ${grid.h}×${grid.w} grid`);
  const latent = zerosTensor("float32", [batch, width / 4, grid.h * 2, grid.w * 2]);
  forEachElement(batch, width / 4, grid, (l, t) => {
    latent.data[l] = tokens.data[t] ?? 0;
  });
  return latent;
}

/** The same inverse as a graph: [B,N,4C] → [B,C,2h,2w]. */
export function unpackTokens(b: Builder, tokens: Value, grid: GridSize): Value {
  const [batch = 1, , width = 0] = tokens.shape;
  const c = width / 4;
  const split = b.reshape(tokens, [batch, grid.h, grid.w, c, 2, 2]);
  return b.reshape(b.transpose(split, [0, 3, 1, 4, 2, 5]), [batch, c, grid.h * 2, grid.w * 2]);
}

function forEachElement(batch: number, channels: number, grid: GridSize, visit: (latent: number, token: number) => void): void {
  const width = grid.w * 2;
  let l = 0;
  for (let b = 0; b < batch; b++)
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < grid.h * 2; y++)
        for (let x = 0; x < width; x++, l++)
          visit(l, ((b * grid.h + (y >> 1)) * grid.w + (x >> 1)) * channels * 4 + c * 4 + (y & 1) * 2 + (x & 1));
}
