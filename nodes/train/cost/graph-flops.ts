import { reach } from "../../../engine/ir/graph.ts";
import type { Graph, Node } from "../../../engine/ir/value.ts";
import { sizeOf } from "../../../engine/tensor/shape.ts";

/** Floating point operations of one run of a graph: two per multiply-add of products and convolutions, one per other result. */
export function flopsOf(graph: Graph): number {
  return reach(graph).nodes.reduce((sum, node) => sum + flopsOfNode(node), 0);
}

function flopsOfNode({ op, inputs, outputs, attrs }: Node): number {
  const a = inputs[0]?.shape ?? [];
  const c = inputs[1]?.shape ?? [];
  const results = outputs.reduce((n, v) => n + sizeOf(v.shape), 0);
  switch (op) {
    case "MatMul":
      return 2 * results * (a.at(-1) ?? 1);
    case "Gemm":
      return 2 * results * (a[attrs.transA ? 0 : 1] ?? 1);
    case "Conv":
      // The weight is [out, in/groups, kernel…].
      return 2 * results * c.slice(1).reduce((n, d) => n * d, 1);
    case "ConvTranspose":
      // The weight is [in, out/groups, kernel…]; each element of the input meets all of its row.
      return 2 * sizeOf(a) * c.slice(1).reduce((n, d) => n * d, 1);
    case "MultiHeadAttention":
      // Q·Kᵀ and the weighted sum of V: [B, S, width] by [B, L, width].
      return 4 * sizeOf(a) * (c[1] ?? 1);
    default:
      return results;
  }
}
