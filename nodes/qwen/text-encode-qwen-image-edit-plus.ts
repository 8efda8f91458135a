import { implementNode } from "../../engine/node/define-node.ts";
import type { Image, Latent } from "../shared/contracts/data.ts";
import { encodeImages } from "../shared/diffusion/encode-images.ts";
import { areaResize } from "../shared/pictures/resize/area.ts";
import { firstPicture } from "./text/first-picture.ts";
import { scaleToArea } from "./text/scale-to-area.ts";
import declaration from "./text-encode-qwen-image-edit-plus.node.ts";

/** Pixels of a picture as the text encoder and as the VAE see it. */
const AREA = { vision: 384 * 384, reference: 1024 * 1024 };

export default implementNode(declaration, {
  async run({ clip, prompt, vae, image1, image2, image3 }, ctx) {
    const images: { image: Image; slot: number }[] = [];
    const referenceLatents: Latent[] = [];
    for (const [i, image] of [image1, image2, image3].entries()) {
      if (!image) continue;
      const { picture, size } = firstPicture(image);
      // The number in the prompt is the slot's, even when an earlier slot is empty.
      images.push({ image: areaResize(picture, scaleToArea(AREA.vision, size)), slot: i + 1 });
      if (vae) referenceLatents.push(await encodeImages(ctx.compute, vae, areaResize(picture, scaleToArea(AREA.reference, size, 8))));
    }
    const states = await clip.encode(ctx.compute, { template: "plus", prompt, images, resample: "comfyui" });
    return { CONDITIONING: { ...states, referenceLatents } };
  },
});
