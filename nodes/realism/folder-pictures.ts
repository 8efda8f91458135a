// Pictures of a folder of the input directory.

import { AppError } from "../../engine/base/errors.ts";
import { isPictureName } from "../../engine/formats/picture-format.ts";
import type { NodeContext } from "../../engine/node/context.ts";
import type { Image } from "../shared/contracts/data.ts";
import { decodePicture } from "../shared/pictures/codec.ts";
import { imageOfBytes } from "../shared/pictures/picture-bytes.ts";

/** Names of a folder's pictures, sorted. @throws AppError INPUT_NOT_FOUND, REALISM_FOLDER when it holds none */
export async function picturesIn(ctx: Pick<NodeContext, "listInputs">, folder: string): Promise<readonly string[]> {
  const names = (await ctx.listInputs(folder)).filter((name) => isPictureName(name));
  if (names.length === 0)
    throw new AppError("REALISM_FOLDER", `the folder ${folder} holds no picture`, {
      hint: "PNG, JPEG, WebP, GIF, TIFF, AVIF and BMP are read",
    });
  return names;
}

/** [1, H, W, 3], as stored: never resized. */
export async function readFolderPicture(ctx: Pick<NodeContext, "readInput">, name: string): Promise<Image> {
  const { rgb, width, height } = await decodePicture(await ctx.readInput(name), name);
  return imageOfBytes(rgb, width, height);
}
