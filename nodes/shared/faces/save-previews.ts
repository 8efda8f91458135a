import type { NodeContext, SavedFile } from "../../../engine/node/context.ts";
import type { Image } from "../contracts/data.ts";
import { encodePng } from "../pictures/codec.ts";
import { pictureBytes } from "../pictures/picture-bytes.ts";

export interface PreviewPictures {
  readonly pictures: readonly SavedFile[];
  readonly sizes: readonly { readonly width: number; readonly height: number }[];
}

/** Pictures of a batch among the previews, for showing faces on them (`facesShown` of engine/api). */
export async function savePreviews(ctx: NodeContext, prefix: string, images: Image, which: readonly number[]): Promise<PreviewPictures> {
  const pictures: SavedFile[] = [];
  const sizes: { readonly width: number; readonly height: number }[] = [];
  for (const image of which) {
    const { rgb, width, height } = pictureBytes(images, image);
    pictures.push(await ctx.save(prefix, "png", await encodePng(rgb, width, height), "temp"));
    sizes.push({ width, height });
  }
  return { pictures, sizes };
}

/** `FAMILY/node-5`: where the previews of a node are kept. */
export function previewPrefix(ctx: NodeContext, family: string): string {
  return `${family}/node-${ctx.nodeId.replace(/[^\w-]/g, "_")}`;
}
