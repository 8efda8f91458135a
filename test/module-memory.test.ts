// What caches weigh a module at: the arrays that its functions keep are no fields of it.
import { expect, test } from "vitest";
import { reach } from "../engine/ir/graph.ts";
import type { Models } from "../engine/node/context.ts";
import { newBuilder } from "../engine/ops/table.ts";
import { measureValue } from "../engine/store/measure-value.ts";
import { sizeOf } from "../engine/tensor/shape.ts";
import { f32 } from "../engine/tensor/tensor.ts";
import { openFaceOnnx } from "../nodes/faces/face-onnx.ts";
import { loadOnnxEncoder } from "../nodes/faces/onnx-encoder.ts";
import { openOnnxModel } from "../nodes/onnx/onnx-model.ts";
import { loadVae } from "../nodes/qwen/vae/load-vae.ts";
import { tinyVae } from "../tools/tiny-vae.ts";
import { memoryWeights } from "./memory-weights.ts";
import { onnxModelBytes } from "./onnx-model-bytes.ts";

/** A face encoder of one product, with its weights in the file. */
const bytes = onnxModelBytes({
  nodes: [
    { op: "Flatten", inputs: ["x"], outputs: ["flat"] },
    { op: "MatMul", inputs: ["flat", "w"], outputs: ["y"] },
  ],
  inputs: [{ name: "x", shape: [1, 3, 16, 16] }],
  outputs: ["y"],
  initializers: { w: f32([768, 512], new Float32Array(768 * 512).fill(0.01)) },
});
const models: Pick<Models, "bytes" | "findExternal"> = {
  bytes: async () => ({ bytes: Uint8Array.from(bytes), path: "/models/net.onnx", fingerprint: "f" }),
  findExternal: async () => ({ identity: "", paths: new Map() }),
};

test("a module from an ONNX file weighs what the file does", async () => {
  const closed = () => Promise.reject(new Error("closed"));
  const folder: Models = { ...models, list: closed, open: closed };
  expect(bytes.length).toBeGreaterThan(1.5e6);
  for (const module of [
    await openOnnxModel(folder, "net.onnx"),
    await openFaceOnnx(folder, "net.onnx"),
    await loadOnnxEncoder(folder, "net.onnx"),
  ]) {
    const { bytes: weight, isPlain } = measureValue({ MODEL: module });
    expect(isPlain).toBe(false);
    expect(weight).toBeGreaterThan(bytes.length);
  }
});

test("a VAE weighs what it has read", async () => {
  const vae = await loadVae(memoryWeights(tinyVae(3)));
  const b = newBuilder();
  const used = reach(b.graph({ z: vae.encode.build(b, b.input("x", "float32", [1, 3, 16, 16])) })).weights;
  const held = used.reduce((n, v) => n + 4 * sizeOf(v.shape), 0);
  expect(measureValue(vae).bytes).toBeGreaterThan(held);
});
