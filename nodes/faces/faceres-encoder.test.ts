import { join } from "node:path";
import sharp from "sharp";
import { expect, it } from "vitest";
import { grad } from "../../engine/autodiff/grad.ts";
import { randomSource } from "../../engine/base/random.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { expectDType, f32 } from "../../engine/tensor/tensor.ts";
import { faceModels } from "../../test/face-models.ts";
import { fakeContext } from "../../test/fake-context.ts";
import type { Embeddings } from "../shared/contracts/data.ts";
import { embedFaces } from "../shared/faces/embed-faces.ts";
import { similarityOf } from "../shared/matching/similarity.ts";
import { loadBlazeFaceDetector } from "./blazeface-detector.ts";
import faceEncoderLoader from "./face-encoder-loader.ts";
import { loadFaceResEncoder } from "./faceres-encoder.ts";

const compute = createRuntime({ device: "cpu" });
const encoder = await loadFaceResEncoder(faceModels);
const input = join(import.meta.dirname, "../../graphs/input");

async function people(name: string): Promise<Embeddings> {
  const { data, info } = await sharp(join(input, name)).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const images = f32(
    [1, info.height, info.width, 3],
    Float32Array.from(data, (x) => x / 255),
  );
  const detector = await loadBlazeFaceDetector(faceModels);
  return embedFaces(compute, encoder, { images, faces: [await detector.detect(compute, images, {})] });
}

it("knows two people again in another picture, with places changed", async () => {
  const { threshold } = encoder.comparison;
  const { values } = similarityOf(await people("two-people-a.jpg"), await people("two-people-b.jpg"));
  const [ll = 1, lr = 0, rl = 0, rr = 1] = values.data;
  expect(values.shape).toEqual([2, 2]);
  expect(Math.min(lr, rl)).toBeGreaterThan(threshold + 0.2);
  expect(Math.max(ll, rr)).toBeLessThan(threshold - 0.04);
});

it("is differentiable in the pixels: the gradient predicts a small step", async () => {
  const shape = [2, 3, encoder.size, encoder.size];
  const rng = randomSource(1);
  const crops = Float32Array.from({ length: 6 * encoder.size ** 2 }, (_, i) => 0.5 + 0.3 * Math.sin(i / 900) + 0.1 * rng.uniform());
  const b = newBuilder();
  const x = b.input("crops", "float32", shape);
  const vectors = encoder.build(b, x);
  expect(vectors.shape).toEqual([2, encoder.dim]);
  const loss = b.sum(b.mul(vectors, b.constant(f32([2, 1024], rng.normals(new Float32Array(2048))))), [], false);
  const [slope] = grad(b, loss, [x]);
  if (!slope) throw new Error("no gradient");
  const net = await compute.compile(b.graph({ loss, slope }));
  const at = async (data: Float32Array): Promise<{ readonly loss: number; readonly slope: Float32Array }> => {
    const results = await net.run({ crops: f32(shape, data) });
    if (!results.loss || !results.slope) throw new Error("no results");
    return { loss: expectDType(results.loss, "float32", "loss")[0] ?? Number.NaN, slope: expectDType(results.slope, "float32", "slope") };
  };
  const here = await at(crops);
  const length = Math.sqrt(here.slope.reduce((sum, g) => sum + g * g, 0));
  const step = 0.01;
  const moved = (sign: number): Float32Array => crops.map((p, i) => p + (sign * step * (here.slope[i] ?? 0)) / length);
  const measured = ((await at(moved(1))).loss - (await at(moved(-1))).loss) / (2 * step);
  expect(Math.abs(measured / length - 1)).toBeLessThan(0.02);
});

it("is one of the loader's embedded encoders", async () => {
  const context = { ...fakeContext(compute), models: faceModels };
  const { FACE_ENCODER } = await faceEncoderLoader.run({ encoder_name: "faceres1024.safetensors" }, context, {});
  expect(FACE_ENCODER.id).toBe(encoder.id);
});
