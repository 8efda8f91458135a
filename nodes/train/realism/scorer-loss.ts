// The realism scorer's loss: preferences, and real against generated.
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Graph, Value } from "../../../engine/ir/value.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { buildScorer, type ScorerShape } from "../../shared/realism/scorer-net.ts";

/** Windows per comparison: the better picture, the worse one, and a worsened version of the better one. */
export const ROLES = 3;

export interface ScorerLoss extends ScorerShape {
  /** Comparisons per evaluation. */
  readonly batch: number;
  readonly side: number;
  /** λ of the cross-entropy. */
  readonly crossEntropy: number;
}

/**
 * Inputs `windows` [3·B, 3, S, S] (all better ones, all worse, all worsened) and `weights` [5, B]: of win > lose and win > worsened in the Bradley-Terry
 * term −ln σ(f(win) − f(lose)), of win, lose and worsened in the cross-entropy. Outputs `loss`, `preference`,
 * `cross_entropy`: sums by weight over B.
 */
export function scorerLossGraph({ batch, side, crossEntropy, width }: ScorerLoss): Graph {
  const b = newBuilder();
  const windows = b.input("windows", "float32", [ROLES * batch, 3, side, side]);
  const weights = b.input("weights", "float32", [5, batch]);
  const scores = b.reshape(
    buildScorer(
      b,
      { width },
      (name, shape) =>
        b.weight(`scorer.${name}`, "float32", shape, {
          kind: "host",
          tensor: f32(shape, new Float32Array(shape.reduce((a, d) => a * d, 1))),
        }),
      windows,
    ),
    [ROLES, batch],
  );
  const [win, lose, worsened] = [row(b, scores, 0), row(b, scores, 1), row(b, scores, 2)];
  const term = (k: number, x: Value): Value => b.sum(b.mul(row(b, weights, k), softplus(b, x)), [], false);
  const preference = b.div(b.add(term(0, b.sub(lose, win)), term(1, b.sub(worsened, win))), batch);
  const cross_entropy = b.div(b.add(b.add(term(2, b.neg(win)), term(3, lose)), term(4, worsened)), batch);
  return b.graph({ loss: b.add(preference, b.mul(cross_entropy, crossEntropy)), preference, cross_entropy });
}

function row(b: Builder, x: Value, k: number): Value {
  return b.slice(x, 0, k, k + 1);
}

/** ln(1 + eˣ). */
function softplus(b: Builder, x: Value): Value {
  return b.add(b.relu(x), b.log(b.add(b.exp(b.neg(b.abs(x))), 1)));
}
