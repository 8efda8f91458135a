// The flow-matching loss of a batch, all parameters trainable.
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Graph, Value } from "../../../engine/ir/value.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import type { DenoiseShape, DiffusionModel } from "../../shared/contracts/modules.ts";

/** Channels of a packed token: 16 latent channels × 2×2 patch. */
const TOKEN = 64;

/**
 * @param text states [B,M,D] as a function of the encoder's weights; else they are an input
 *
 * Inputs `x` = (1 − σ)·x0 + σ·ε and `target` = ε − x0 [B,N,64], `references` [B,R,64], `text` [B,M,D], `text_mask` [B,M] where the
 * shape says masked, `sigma` [B], and
 * `weight` [B,N,1]. Outputs `loss` = Σ weight·(v − target)² / (64·B·N) and `mse` without the weights.
 */
export function flowMatchingLossGraph(model: DiffusionModel, shape: DenoiseShape, text?: (b: Builder) => Value): Graph {
  const b = newBuilder();
  const n = shape.target.h * shape.target.w;
  const r = shape.references.reduce((sum, g) => sum + g.h * g.w, 0);
  const v = model.build(b, {
    shape,
    x: b.input("x", "float32", [shape.batch, n, TOKEN]),
    references: r > 0 ? b.input("references", "float32", [shape.batch, r, TOKEN]) : null,
    text: text?.(b) ?? b.input("text", "float32", [shape.batch, shape.textLength, model.jointAttentionDim]),
    ...(shape.masked ? { textMask: b.input("text_mask", "bool", [shape.batch, shape.textLength]) } : {}),
    sigma: b.input("sigma", "float32", [shape.batch]),
  });
  const error = b.sub(v, b.input("target", "float32", v.shape));
  const square = b.mul(error, error);
  const weighted = b.mul(square, b.input("weight", "float32", [shape.batch, n, 1]));
  return b.graph({ loss: b.mean(weighted, [], false), mse: b.mean(square, [], false) });
}
