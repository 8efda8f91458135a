import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { newBuilder } from "../../engine/ops/table.ts";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { ModelFolders } from "../../engine/store/model-folders.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { externalProto, onnxModelBytes } from "../../test/onnx-model-bytes.ts";
import { openOnnxModel } from "./onnx-model.ts";

const dir = mkdtempSync(join(tmpdir(), "onnx-model-"));
const compute = createRuntime({ device: "cpu", threads: 1 });
afterAll(async () => {
  await compute.dispose();
  rmSync(dir, { recursive: true });
});

test("a model in a download cache, whose file and whose data are links to blobs, runs with its own numbers", async () => {
  const blobs = join(dir, "models", "onnx", "hub", "blobs");
  const snapshot = join(dir, "models", "onnx", "hub", "snapshots", "0123");
  for (const folder of [blobs, snapshot]) mkdirSync(folder, { recursive: true });
  const size = 4096;
  const values = Float32Array.from({ length: size }, (_, i) => i / 8);
  writeFileSync(
    join(blobs, "aaaa"),
    onnxModelBytes({
      nodes: [{ op: "Add", inputs: ["x", "w"], outputs: ["y"] }],
      inputs: [{ name: "x", shape: [1, size] }],
      outputs: ["y"],
      initializers: { w: externalProto("w", "float32", [1, size], { location: "model.onnx_data" }) },
    }),
  );
  writeFileSync(join(blobs, "bbbb"), values);
  symlinkSync("../../blobs/aaaa", join(snapshot, "model.onnx"));
  symlinkSync("../../blobs/bbbb", join(snapshot, "model.onnx_data"));
  const folders = new ModelFolders({ roots: [join(dir, "models")] });
  const model = await openOnnxModel(folders, "hub/snapshots/0123/model.onnx");
  const b = newBuilder();
  const { y } = model.build(b, { x: b.input("x", "float32", [1, size]) });
  if (!y) throw new Error("no output");
  const { out } = await compute.run(b.graph({ out: y }), { x: f32([1, size], new Float32Array(size).fill(1)) });
  expect(out?.data).toEqual(values.map((v) => v + 1));
});
