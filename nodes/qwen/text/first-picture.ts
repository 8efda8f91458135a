import { AppError } from "../../../engine/base/errors.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import type { Image } from "../../shared/contracts/data.ts";
import type { PictureSize } from "../../shared/pictures/resize/size.ts";

/** The first picture of a batch as [1,H,W,3], and its size. @throws AppError TEXT_IMAGE when there is none */
export function firstPicture(image: Image): { readonly picture: Image; readonly size: PictureSize } {
  const [count = 0, height = 0, width = 0, channels = 0] = image.shape;
  if (image.shape.length !== 4 || channels !== 3 || !count || !height || !width)
    throw new AppError("TEXT_IMAGE", `a picture [1,H,W,3] is wanted, got [${image.shape}]`);
  const picture = count === 1 ? image : f32([1, height, width, 3], image.data.subarray(0, height * width * 3));
  return { picture, size: { width, height } };
}
