// Where ONNX Runtime 1.29's WebGPU kernels fail or are wrong, and what stands in for them.
import type { Node } from "../ir/value.ts";
import { plainAttention } from "../ops/plain-attention.ts";
import type { Lowerings } from "./lower.ts";

/**
 * Nodes left to the CPU: Pow that broadcasts fails; Sin and Cos are off by 2e-4, and by more at large angles, as WGSL allows;
 * MaxPool has no indices.
 */
export function lacksWebgpu(node: Node, used: (output: number) => boolean): boolean {
  return node.op === "Pow" || node.op === "Sin" || node.op === "Cos" || (node.op === "MaxPool" && used(1));
}

export const webgpuLowerings: Lowerings = {
  // The fused kernel skips keys, depending on the device's subgroup size: from 17 queries on SwiftShader; on NVIDIA in some
  // versions (microsoft/onnxruntime#28520).
  MultiHeadAttention: (b, node, inputs) => [plainAttention(b, inputs, node.attrs)],
};
