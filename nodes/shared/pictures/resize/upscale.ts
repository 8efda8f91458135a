import { roundHalfEven } from "../../../../engine/base/round-half-even.ts";
import { f32, type Tensor } from "../../../../engine/tensor/tensor.ts";
import { areaResize } from "./area.ts";
import { bilinearResize } from "./bilinear.ts";
import { cubicResize } from "./cubic.ts";
import { lanczosResize } from "./lanczos.ts";
import { nearestExactResize } from "./nearest-exact.ts";
import { checkedResize, type PictureSize } from "./size.ts";
import type { UpscaleMethod } from "./upscale-methods.ts";

type Resize = (image: Tensor<"float32">, size: PictureSize) => Tensor<"float32">;
const RESIZE: Readonly<Record<UpscaleMethod, Resize>> = {
  "nearest-exact": nearestExactResize,
  bilinear: bilinearResize,
  area: areaResize,
  bicubic: cubicResize,
  lanczos: lanczosResize,
};

/**
 * ComfyUI's common_upscale: any size by any method; crop `center` first cuts what does not fit the new aspect.
 * @param image [B, H, W, C] @returns [B, height, width, C] @throws AppError IMAGE_SHAPE, IMAGE_SIZE
 */
export function upscale(
  image: Tensor<"float32">,
  size: PictureSize,
  method: UpscaleMethod,
  crop: "disabled" | "center",
): Tensor<"float32"> {
  return RESIZE[method](crop === "center" ? cropToAspect(image, size) : image, size);
}

function cropToAspect(image: Tensor<"float32">, size: PictureSize): Tensor<"float32"> {
  const { batch, h, w, channels } = checkedResize(image, size);
  const old = w / h;
  const wanted = size.width / size.height;
  const x = old > wanted ? roundHalfEven((w - w * (wanted / old)) / 2) : 0;
  const y = old < wanted ? roundHalfEven((h - h * (old / wanted)) / 2) : 0;
  if (x === 0 && y === 0) return image;
  const [height, width] = [h - 2 * y, w - 2 * x];
  const row = width * channels;
  const out = new Float32Array(batch * height * row);
  for (let b = 0; b < batch; b++)
    for (let i = 0; i < height; i++) {
      const from = ((b * h + y + i) * w + x) * channels;
      out.set(image.data.subarray(from, from + row), (b * height + i) * row);
    }
  return f32([batch, height, width, channels], out);
}
