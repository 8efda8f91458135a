import { AppError } from "../../../engine/base/errors.ts";
import type { PromptInputs } from "../../shared/contracts/diffusion.ts";
import { visionPicture } from "../../shared/pictures/vision-picture.ts";
import type { EditPipeline } from "./edit-pipeline.ts";

/** Text tokens of a usual prompt, besides its pictures. */
const USUAL_TEXT = 96;
/** Pixels of a vision token's side. */
const VISION_TOKEN = 28;
/** Side of the original's picture, for the text encoder and the VAE alike. */
const EDIT_SIZE = 1024;

/**
 * How a prompt reaches Qwen-Image-Edit: one sequence `text` [1, M, width] of words and pictures, in the template and at the sizes of its own pipeline
 * (diffusers' QwenImageEditPipeline, QwenImageEditPlusPipeline; without a picture QwenImagePipeline's).
 */
export function promptInputs(width: number, pipeline: EditPipeline): PromptInputs {
  return {
    shapes: (textLength) => ({ text: [1, textLength, width] }),
    inputs({ embeds }) {
      const [count = 0, length = 0, found = 0] = embeds.shape;
      if (embeds.shape.length !== 3 || count !== 1 || length < 1 || found !== width)
        throw new AppError("CONDITIONING_WIDTH", `the prompt is [${embeds.shape}], the model reads [1, M, ${width}]`, {
          hint: "load the text encoder that belongs to this model",
        });
      return { text: embeds };
    },
    request(prompt, references, visionSize) {
      if (pipeline === "edit" && references.length > 1)
        throw new AppError("TEXT_IMAGES", `the original Qwen-Image-Edit takes one picture, the example has ${references.length}`, {
          hint: "use the 2509 or 2511 model, or set pipeline of UNETLoader to edit_plus if it is one",
        });
      return {
        template: pipeline === "edit_plus" ? "plus" : references.length > 0 ? "edit" : "t2i",
        prompt,
        images: references.map((image, i) => ({
          image: pipeline === "edit_plus" ? visionPicture(image, visionSize) : image,
          slot: i + 1,
        })),
        resample: "diffusers",
      };
    },
    usualLength: (references, visionSize) =>
      USUAL_TEXT + Math.round((pipeline === "edit_plus" ? visionSize : EDIT_SIZE) / VISION_TOKEN) ** 2 * references,
  };
}
