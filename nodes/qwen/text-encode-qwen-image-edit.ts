import { implementNode } from "../../engine/node/define-node.ts";
import { encodeImages } from "../shared/diffusion/encode-images.ts";
import { areaResize } from "../shared/pictures/resize/area.ts";
import { firstPicture } from "./text/first-picture.ts";
import { scaleToArea } from "./text/scale-to-area.ts";
import declaration from "./text-encode-qwen-image-edit.node.ts";

/** Pixels the picture is brought to, for the text encoder and the VAE alike. */
const AREA = 1024 * 1024;

export default implementNode(declaration, {
  async run({ clip, prompt, vae, image }, ctx) {
    if (!image) {
      const states = await clip.encode(ctx.compute, { template: "t2i", prompt, images: [], resample: "comfyui" });
      return { CONDITIONING: { ...states, referenceLatents: [] } };
    }
    const { picture, size } = firstPicture(image);
    const scaled = areaResize(picture, scaleToArea(AREA, size));
    const states = await clip.encode(ctx.compute, { template: "edit", prompt, images: [{ image: scaled, slot: 1 }], resample: "comfyui" });
    const referenceLatents = vae ? [await encodeImages(ctx.compute, vae, scaled)] : [];
    return { CONDITIONING: { ...states, referenceLatents } };
  },
});
