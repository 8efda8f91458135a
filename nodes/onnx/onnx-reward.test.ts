import { expect, test } from "vitest";
import { randomSource } from "../../engine/base/random.ts";
import { emitOnnx, inputName } from "../../engine/onnx/emit.ts";
import { importOnnx } from "../../engine/onnx/import.ts";
import { newBuilder, opRow } from "../../engine/ops/table.ts";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { expectDType, f32 } from "../../engine/tensor/tensor.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { readReward } from "../shared/rewards/read-reward.ts";
import applyOnnx from "./apply-onnx.ts";
import loadOnnx from "./load-onnx.ts";
import { describeOnnx, type OnnxModel } from "./onnx-model.ts";
import { onnxReward } from "./onnx-reward.ts";
import { resampling } from "./picture-input.ts";

const rng = randomSource(5);
const random = (shape: readonly number[], std = 1) =>
  f32(
    shape,
    rng.normals(new Float32Array(shape.reduce((a, b) => a * b, 1))).map((x) => x * std),
  );

/** A small convolutional scorer written as an ONNX file, as any other tool would. */
function scorer(): Uint8Array {
  const b = newBuilder();
  const x = b.input("pixels", "float32", [1, 3, 8, 8]);
  const features = b.relu(
    b.conv(x, b.constant(random([4, 3, 3, 3], 0.3)), b.constant(random([4])), { strides: [2, 2], pads: [1, 1, 1, 1] }),
  );
  const scores = b.gemm(b.reshape(features, [1, 64]), b.constant(random([5, 64], 0.2)), null, { transB: true });
  return emitOnnx(b.graph({ scores }), opRow).model;
}

const bytes = scorer();
const module = importOnnx(bytes);
const model: OnnxModel = { id: "scorer", name: "scorer.onnx", inputs: module.inputs, outputs: module.outputs, build: module.build };
const input = inputName("pixels");
const output = module.outputs[0]?.name ?? "";
const options = { size: 0, mean: [0.5], std: [0.25, 0.5, 1], color: "BGR" as const };
const runtime = createRuntime({ device: "cpu" });
const image = f32(
  [1, 20, 12, 3],
  Float32Array.from({ length: 720 }, () => rng.uniform()),
);
const context = {
  compute: runtime,
  references: null,
  target: {
    image: f32(
      [1, 8, 8, 3],
      Float32Array.from({ length: 192 }, () => rng.uniform()),
    ),
    faces: [],
  },
};

test.each(["mean", "element", "probability", "cosine to target"] as const)("the gradient of %s reaches the pixels", async (read) => {
  const reward = onnxReward(model, options, { output, read, element: 2, sign: 1 });
  const { constants, structure } = await reward.observe(image, context);
  const b = newBuilder();
  const x = b.transpose(b.input("image", "float32", [1, 20, 12, 3]), [0, 3, 1, 2]);
  const inputs = Object.fromEntries(Object.entries(constants).map(([name, t]) => [name, b.input(name, t.dtype, t.shape)]));
  const graph = b.graph({ loss: reward.build(b, x, inputs, structure).reward });
  const direction = random([1, 20, 12, 3]);
  const at = async (step: number) => {
    const moved = f32(
      image.shape,
      image.data.map((p, i) => p + step * (direction.data[i] ?? 0)),
    );
    const results = await (await runtime.grad(graph, "loss", ["image"])).run({ image: moved, ...constants });
    return { value: Number(results.loss?.data[0]), slope: results["grad.image"] };
  };
  const [plus, minus, here] = [await at(1e-3), await at(-1e-3), await at(0)];
  const slope = here.slope ? expectDType(here.slope, "float32", "slope") : new Float32Array();
  const directional = slope.reduce((s, g, i) => s + g * (direction.data[i] ?? 0), 0);
  expect(directional).toBeCloseTo((plus.value - minus.value) / 2e-3, 2);
  expect(Math.abs(directional)).toBeGreaterThan(1e-4);
  const reading = await readReward(runtime, reward, image, context);
  expect(reading.reward).toBeCloseTo(here.value, 5);
});

test("LoadOnnx lists inputs and outputs; the reward refuses what the model does not have", async () => {
  const ctx = fakeContext();
  const open = {
    ...ctx,
    models: {
      ...ctx.models,
      bytes: () => Promise.resolve({ bytes, path: "/models/onnx/scorer.onnx", fingerprint: "1" }),
      findExternal: () => Promise.resolve({ identity: "", paths: new Map() }),
    },
  };
  const { sockets } = await loadOnnx.run({ onnx_name: "scorer.onnx" }, open, {});
  expect(sockets).toBe(describeOnnx(module));
  expect(sockets).toContain(`input ${input}: float32 [1, 3, 8, 8]`);
  const reward = onnxReward(model, options, { output, read: "element", element: 9, sign: 1 });
  const b = newBuilder();
  expect(() => reward.build(b, b.input("image", "float32", [1, 3, 8, 8]), {}, "")).toThrow(/element 9 of 5/);
});

test("resampling keeps constants, and shrinking reads every pixel", () => {
  for (const [to, from] of [
    [4, 9],
    [9, 4],
    [7, 7],
    [1, 5],
  ] as const) {
    const { data } = resampling(to, from);
    for (let i = 0; i < to; i++) expect([...data.subarray(i * from, (i + 1) * from)].reduce((a, c) => a + c, 0)).toBeCloseTo(1, 5);
    if (to < from)
      for (let k = 0; k < from; k++) expect(Array.from({ length: to }, (_, i) => data[i * from + k] ?? 0).some((w) => w > 0)).toBe(true);
  }
});

test("ApplyOnnx runs it on tensors in the listed order", async () => {
  const pixels = random([1, 3, 8, 8]);
  const { output_1, ...more } = await applyOnnx.run({ model }, fakeContext(runtime), { input_1: pixels });
  expect(Object.keys(more)).toHaveLength(model.outputs.length - 1);
  const b = newBuilder();
  const expected = await runtime.run(b.graph(model.build(b, { [input]: b.input("pixels", "float32", [1, 3, 8, 8]) })), { pixels });
  expect(output_1).toEqual(expected[output]);
  await expect(applyOnnx.run({ model }, fakeContext(runtime), {})).rejects.toThrow(/input_1 \(<pixels\)/);
});
