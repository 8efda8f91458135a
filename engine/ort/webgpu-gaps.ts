import type { Node } from "../ir/value.ts";

/**
 * Nodes whose WebGPU kernel of ONNX Runtime 1.29 fails or is wrong, and which are therefore left to the CPU:
 * Pow that broadcasts fails; Sin and Cos are off by 2e-4, and by more at large angles, as WGSL allows; MaxPool has no indices.
 */
export function lacksWebgpu(node: Node, used: (output: number) => boolean): boolean {
  switch (node.op) {
    case "Pow":
    case "Sin":
    case "Cos":
      return true;
    case "MaxPool":
      return used(1);
    default:
      return false;
  }
}
