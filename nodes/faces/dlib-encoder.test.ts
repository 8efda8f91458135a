import { expect, it } from "vitest";
import { grad } from "../../engine/autodiff/grad.ts";
import { randomSource } from "../../engine/base/random.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { expectDType, f32 } from "../../engine/tensor/tensor.ts";
import { faceModels } from "../../test/face-models.ts";
import type { Face, Point } from "../shared/contracts/data.ts";
import { applyAffine, similarityTransform } from "../shared/pictures/affine.ts";
import { loadDlibEncoder } from "./dlib-encoder.ts";

const compute = createRuntime({ device: "cpu" });
const encoder = await loadDlibEncoder(faceModels);

it("is differentiable in the pixels: the gradient predicts a small step", async () => {
  const shape = [2, 3, 150, 150];
  const rng = randomSource(1);
  const chips = Float32Array.from({ length: 2 * 3 * 150 * 150 }, (_, i) => 0.5 + 0.3 * Math.sin(i / 700) + 0.1 * rng.uniform());
  const b = newBuilder();
  const crops = b.input("crops", "float32", shape);
  const vectors = encoder.build(b, crops);
  expect(vectors.shape).toEqual([2, encoder.dim]);
  const loss = b.sum(b.mul(vectors, b.constant(f32([2, 128], rng.normals(new Float32Array(256))))), [], false);
  const [slope] = grad(b, loss, [crops]);
  if (!slope) throw new Error("no gradient");
  const net = await compute.compile(b.graph({ loss, slope }));
  const at = async (data: Float32Array): Promise<{ readonly loss: number; readonly slope: Float32Array }> => {
    const results = await net.run({ crops: f32(shape, data) });
    if (!results.loss || !results.slope) throw new Error("no results");
    return { loss: expectDType(results.loss, "float32", "loss")[0] ?? Number.NaN, slope: expectDType(results.slope, "float32", "slope") };
  };
  const here = await at(chips);
  const length = Math.sqrt(here.slope.reduce((sum, g) => sum + g * g, 0));
  const step = 0.002;
  const moved = (sign: number): Float32Array => chips.map((x, i) => x + (sign * step * (here.slope[i] ?? 0)) / length);
  const measured = ((await at(moved(1))).loss - (await at(moved(-1))).loss) / (2 * step);
  expect(Math.abs(measured / length - 1)).toBeLessThan(0.01);
});

it("aligns by 68 points to the mean face, and by five to nearly the same place", () => {
  const shape = Array.from({ length: 68 }, (_, i): Point => [300 + 40 * Math.cos(i), 200 + 40 * Math.sin(i * 1.7)]);
  const points5: Face["points5"] = [
    [120, 100],
    [180, 98],
    [150, 135],
    [125, 165],
    [176, 163],
  ];
  const face: Face = { box: [0, 0, 1, 1], score: 1, points5, points68: shape };
  // Turning, scaling and shifting the picture changes nothing in the chip.
  const motion = similarityTransform(
    [
      [0, 0],
      [1, 0],
    ],
    [
      [17, -3],
      [18.2, -2.1],
    ],
  );
  const moved: Face = { ...face, points68: shape.map((p) => applyAffine(motion, p)) };
  const before = encoder.alignment(face);
  const after = encoder.alignment(moved);
  for (const p of shape) {
    const [x, y] = applyAffine(before, p);
    const [u, v] = applyAffine(after, applyAffine(motion, p));
    expect([u, v]).toEqual([expect.closeTo(x, 6), expect.closeTo(y, 6)]);
  }
  const { points68: _, ...five } = face;
  const eye = applyAffine(encoder.alignment(five), points5[0]);
  expect(Math.hypot(eye[0] - 48.2, eye[1] - 47)).toBeLessThan(5);
  expect(() => encoder.alignment({ ...face, points68: shape.slice(0, 3) })).toThrow(/finite/);
});
