// The flow-matching loss of a batch, all parameters trainable.
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Graph, Value } from "../../../engine/ir/value.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import type { DenoiseShape } from "../../shared/contracts/diffusion.ts";
import type { DiffusionModel } from "../../shared/contracts/modules.ts";
import { denoiseInputs, promptInput } from "../../shared/diffusion/denoise-inputs.ts";
import { tokensOf } from "../../shared/diffusion/latent-space.ts";

export interface LossText {
  /** Whether some of the text is padding: `prompt.text_mask` [B,M] is an input then. */
  readonly isMasked: boolean;
  /** Text states [B,M,D] as a function of the encoder's weights; else they are an input. */
  readonly build?: (b: Builder) => Value;
}

/**
 * Inputs `x` = (1 − σ)·x0 + σ·ε and `target` = ε − x0 [B,N,width], `references` [B,R,width], `prompt.<name>`, `sigma` [B], and
 * `weight` [B,N,1]. Outputs `loss` = Σ weight·(v − target)² / (width·B·N) and `mse` without the weights.
 */
export function flowMatchingLossGraph(model: DiffusionModel, shape: DenoiseShape, { isMasked, build }: LossText): Graph {
  const b = newBuilder();
  const inputs = denoiseInputs(b, model, shape);
  const [, length = 0] = shape.prompt.text ?? [];
  const prompt = {
    ...inputs.prompt,
    ...(build && { text: build(b) }),
    ...(isMasked && { text_mask: b.input(promptInput("text_mask"), "bool", [shape.batch, length]) }),
  };
  const v = model.build(b, { ...inputs, prompt });
  const error = b.sub(v, b.input("target", "float32", v.shape));
  const square = b.mul(error, error);
  const weighted = b.mul(square, b.input("weight", "float32", [shape.batch, tokensOf(shape.target), 1]));
  return b.graph({ loss: b.mean(weighted, [], false), mse: b.mean(square, [], false) });
}
