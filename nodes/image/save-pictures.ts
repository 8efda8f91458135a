import { writePngText } from "../../engine/formats/png-metadata.ts";
import type { NodeContext, SavedFile } from "../../engine/node/context.ts";
import type { Image } from "../shared/contracts/data.ts";
import { encodePng } from "../shared/pictures/codec.ts";
import { pictureBytes } from "../shared/pictures/picture-bytes.ts";
import { fillPrefix } from "./filename-prefix.ts";

/** Writes every picture of a batch as a PNG that holds the workflow which made it, and shows them. @throws AppError IMAGE_SHAPE */
export async function savePictures(ctx: NodeContext, images: Image, prefix: string, type: SavedFile["type"]): Promise<void> {
  ctx.show({ images: await writePictures(ctx, images, prefix, type) });
}

/** {@link savePictures} without showing them. */
export async function writePictures(ctx: NodeContext, images: Image, prefix: string, type: SavedFile["type"]): Promise<SavedFile[]> {
  const date = new Date();
  const saved: SavedFile[] = [];
  const batch = images.shape[0] ?? 0;
  for (let i = 0; i < batch; i++) {
    const { rgb, width, height } = pictureBytes(images, i);
    const png = writePngText(await encodePng(rgb, width, height), ctx.workflow);
    saved.push(await ctx.save(fillPrefix(prefix, { width, height, batch: i, date }), "png", png, type));
    ctx.progress(i + 1, batch);
  }
  return saved;
}
