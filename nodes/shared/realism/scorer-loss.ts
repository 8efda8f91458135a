// The realism scorer's loss: preferences, and real against generated.
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Graph, Value } from "../../../engine/ir/value.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { buildScorer, type ScorerShape } from "./scorer-net.ts";

/** Worsened versions of the better picture in each comparison. */
export const WORSENED = 2;
/** Windows per comparison: the better picture, the worse one, and the worsened versions. */
export const ROLES = 2 + WORSENED;

export interface ScorerLoss extends ScorerShape {
  /** Comparisons per evaluation. */
  readonly batch: number;
  readonly side: number;
  /** λ of the cross-entropy. */
  readonly crossEntropy: number;
}

/**
 * Inputs `windows` [R·B, 3, S, S] (all better ones, all worse ones, then the worsened), `preference` [R − 1, B], `real` [1, B] and `fake` [R − 1, B]: weights
 * of win above each other in the Bradley-Terry term −ln σ(f(win) − f(other)), and of win and the others in the cross-entropy. Outputs
 * `loss`, `preferences`, `cross_entropy`: sums by weight, over B.
 */
export function scorerLossGraph({ batch, side, crossEntropy, width }: ScorerLoss): Graph {
  const b = newBuilder();
  const windows = b.input("windows", "float32", [ROLES * batch, 3, side, side]);
  const zeros = (shape: readonly number[]) => f32(shape, new Float32Array(shape.reduce((a, d) => a * d, 1)));
  const weight = (name: string, shape: readonly number[]) =>
    b.weight(`scorer.${name}`, "float32", shape, { kind: "host", tensor: zeros(shape) });
  const scores = b.reshape(buildScorer(b, { width }, weight, windows), [ROLES, batch]);
  const [win, others] = [b.slice(scores, 0, 0, 1), b.slice(scores, 0, 1, ROLES)];
  const term = (name: string, x: Value): Value => b.div(b.sum(b.mul(b.input(name, "float32", x.shape), softplus(b, x)), [], false), batch);
  const preferences = term("preference", b.sub(others, win));
  const cross_entropy = b.add(term("real", b.neg(win)), term("fake", others));
  return b.graph({ loss: b.add(preferences, b.mul(cross_entropy, crossEntropy)), preferences, cross_entropy });
}

/** ln(1 + eˣ). */
function softplus(b: Builder, x: Value): Value {
  return b.add(b.relu(x), b.log(b.add(b.exp(b.neg(b.abs(x))), 1)));
}
