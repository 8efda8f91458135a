// What a sampler's picture looks like by now.
import type { NodeContext, PreviewPicture } from "../../../engine/node/context.ts";
import type { Conditioning, Latent } from "../contracts/data.ts";
import { encodeJpeg } from "../pictures/codec.ts";
import { latentPicture } from "./latent-colors.ts";

/**
 * One pixel a cell, at most 256 across. undefined while nobody watches, and where no picture was encoded: neither what is sampled from nor
 * a reference of the prompt tells what the model's latents look like.
 * @param latent what the picture would be if sampling ended now, raw
 */
export async function preview(
  ctx: Pick<NodeContext, "wantsPreview">,
  { referenceLatents }: Conditioning,
  latent: () => Latent,
): Promise<PreviewPicture | undefined> {
  if (!ctx.wantsPreview?.()) return undefined;
  const now = latent();
  const colors = now.colors ?? referenceLatents.findLast((reference) => reference.colors !== undefined)?.colors;
  if (colors?.shape[0] !== (now.samples.shape[1] ?? 0) + 1) return undefined;
  const { rgb, width, height } = latentPicture(now, colors);
  return { mime: "image/jpeg", bytes: await encodeJpeg(rgb, width, height, { quality: 85, largest: 256 }) };
}
