import { AppError } from "../../../engine/base/errors.ts";
import type { Feeds } from "../../../engine/ir/compute.ts";
import { f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import type { Conditioning } from "../contracts/data.ts";
import type { DenoiseShape, GridSize } from "../contracts/diffusion.ts";
import type { DiffusionModel } from "../contracts/modules.ts";
import { promptInput } from "./denoise-inputs.ts";
import { latentTokens, tokenWidth } from "./latent-space.ts";

/** One prompt as a model's graph takes it: references packed and normalised, everything but x and σ. */
export interface PreparedPrompt {
  readonly shape: DenoiseShape;
  readonly feeds: Feeds;
}

/** @throws AppError CONDITIONING_WIDTH, REFERENCE_BATCH, LATENT_CHANNELS when the conditioning was made for another model */
export function preparePrompt(
  model: Pick<DiffusionModel, "prompt" | "latentSpace">,
  conditioning: Conditioning,
  target: GridSize,
  convention: DenoiseShape["convention"],
): PreparedPrompt {
  const { referenceMethod, referenceLatents } = conditioning;
  const inputs = model.prompt.inputs(conditioning);
  const packed = referenceLatents.map((latent) => {
    if (latent.samples.shape[0] !== 1)
      throw new AppError("REFERENCE_BATCH", `a reference latent is [${latent.samples.shape}]: a prompt takes pictures one by one`, {
        hint: "split the batch and add each picture with its own ReferenceLatent",
      });
    return latentTokens(model.latentSpace, latent);
  });
  const references = joinTokens(
    packed.map(({ tokens }) => tokens),
    tokenWidth(model.latentSpace),
  );
  return {
    shape: {
      batch: 1,
      target,
      references: packed.map(({ grid }) => grid),
      prompt: Object.fromEntries(Object.entries(inputs).map(([name, t]) => [name, t.shape])),
      convention,
      ...(referenceMethod === undefined ? {} : { referenceMethod }),
    },
    feeds: {
      ...(references ? { references } : {}),
      ...Object.fromEntries(Object.entries(inputs).map(([name, t]) => [promptInput(name), t])),
    },
  };
}

function joinTokens(parts: readonly Tensor<"float32">[], width: number): Tensor<"float32"> | null {
  if (!parts.length) return null;
  const data = new Float32Array(parts.reduce((n, p) => n + p.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return f32([1, data.length / width, width], data);
}
