import { AppError } from "../../../engine/base/errors.ts";
import type { PromptInputs } from "../../shared/contracts/diffusion.ts";
import { visionPicture } from "../../shared/pictures/vision-picture.ts";

/** Text tokens of a usual prompt, besides its pictures. */
const USUAL_TEXT = 96;
/** Pixels of a vision token's side. */
const VISION_TOKEN = 28;

/** How a prompt reaches Qwen-Image-Edit: one sequence `text` [1, M, width] of words and pictures (QwenImageEditPlusPipeline). */
export function promptInputs(width: number): PromptInputs {
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
    request: (prompt, references, visionSize) => ({
      template: "plus",
      prompt,
      images: references.map((image, i) => ({ image: visionPicture(image, visionSize), slot: i + 1 })),
      resample: "diffusers",
    }),
    usualLength: (references, visionSize) => USUAL_TEXT + Math.round(visionSize / VISION_TOKEN) ** 2 * references,
  };
}
