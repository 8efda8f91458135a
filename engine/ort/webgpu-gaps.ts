// Where ONNX Runtime 1.29's WebGPU kernels fail or are wrong, and what stands in for them.
import { copyNodes, standIn } from "../autodiff/segments.ts";
import { nameOf, reach } from "../ir/graph.ts";
import type { Graph, Node, Value } from "../ir/value.ts";
import { plainAttention } from "../ops/plain-attention.ts";
import { newBuilder } from "../ops/table.ts";

/**
 * Nodes left to the CPU: Pow that broadcasts fails; Sin and Cos are off by 2e-4, and by more at large angles, as WGSL allows;
 * MaxPool has no indices.
 */
export function lacksWebgpu(node: Node, used: (output: number) => boolean): boolean {
  return node.op === "Pow" || node.op === "Sin" || node.op === "Cos" || (node.op === "MaxPool" && used(1));
}

/**
 * The graph with attention as products and softmax. The fused kernel skips keys, depending on the device's subgroup size: from
 * 17 queries on SwiftShader; on NVIDIA in some versions (microsoft/onnxruntime#28520).
 */
export function withPlainAttention(graph: Graph): Graph {
  const { inputs, weights, nodes } = reach(graph);
  if (!nodes.some((node) => node.op === "MultiHeadAttention")) return graph;
  const b = newBuilder();
  const map = new Map<number, Value>();
  for (const v of [...inputs, ...weights])
    map.set(v.id, v.def.kind === "weight" ? b.weight(v.def.name, v.dtype, v.shape, v.def.source) : b.input(nameOf(v), v.dtype, v.shape));
  copyNodes(b, nodes, map, (node, own) =>
    node.op === "MultiHeadAttention" ? [plainAttention(b, own, node.attrs)] : b.op(node.op, own, node.attrs),
  );
  const stand = (v: Value): Value => (v.def.kind === "constant" ? b.constant(v.def.tensor) : standIn(map, v));
  return b.graph(Object.fromEntries(Object.entries(graph.outputs).map(([name, v]) => [name, stand(v)])));
}
