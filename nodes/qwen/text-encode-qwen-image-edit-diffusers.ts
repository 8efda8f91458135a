import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import type { Image, Latent } from "../shared/contracts/data.ts";
import { encodeImages } from "../shared/diffusion/encode-images.ts";
import { lanczosResize } from "../shared/pictures/resize/lanczos.ts";
import { calculateDimensions, type PictureSize } from "../shared/pictures/resize/size.ts";
import { visionPicture } from "../shared/pictures/vision-picture.ts";
import { firstPicture } from "./text/first-picture.ts";
import declaration from "./text-encode-qwen-image-edit-diffusers.node.ts";

export default implementNode(declaration, {
  async run({ clip, prompt, vae, pipeline, vision_size, reference_size, image1, image2, image3, image4 }, ctx) {
    const pictures = [image1, image2, image3, image4].filter((image) => image !== undefined);
    if (pipeline === "edit" && pictures.length > 1)
      throw new AppError("TEXT_IMAGES", `the edit pipeline takes one picture, ${pictures.length} are connected`, {
        hint: "choose edit_plus for several pictures",
      });
    const images: { image: Image; slot: number }[] = [];
    const referenceLatents: Latent[] = [];
    let last: PictureSize = { width: reference_size, height: reference_size };
    for (const image of pictures) {
      const { picture, size } = firstPicture(image);
      last = calculateDimensions(reference_size ** 2, size);
      const reference = lanczosResize(picture, last);
      const seen = pipeline === "edit" ? reference : visionPicture(picture, vision_size);
      images.push({ image: seen, slot: images.length + 1 });
      referenceLatents.push(await encodeImages(ctx.compute, vae, reference));
    }
    const template = pipeline === "edit_plus" ? "plus" : images.length ? "edit" : "t2i";
    const states = await clip.encode(ctx.compute, { template, prompt, images, resample: "diffusers" });
    return { CONDITIONING: { ...states, referenceLatents }, ...last };
  },
});
