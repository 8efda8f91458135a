// The whole path on photographs, with the embedded models and the runtime.
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { afterAll, expect, test } from "vitest";
import { grad } from "../../engine/autodiff/grad.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { faceModels } from "../../test/face-models.ts";
import { loadBlazeFaceDetector } from "../faces/blazeface-detector.ts";
import { loadDlibEncoder } from "../faces/dlib-encoder.ts";
import type { Image } from "../shared/contracts/data.ts";
import type { RewardContext } from "../shared/contracts/modules.ts";
import { UMO_MIMR } from "../shared/matching/mimr-value.ts";
import { readReward } from "../shared/rewards/read-reward.ts";
import { matchingReward } from "./matching-reward.ts";

const golden = join(import.meta.dirname, "../../test/golden/faces");
const compute = createRuntime({ device: "cpu", threads: 2 });
afterAll(() => compute.dispose());

async function imageOf(picture: Sharp): Promise<Image> {
  const { data, info } = await picture.removeAlpha().toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  return f32(
    [1, info.height, info.width, 3],
    Float32Array.from(data, (x) => x / 255),
  );
}

test("two people in one picture find their references; the gradient of the reward raises it", async () => {
  const detector = await loadBlazeFaceDetector(faceModels);
  const encoder = await loadDlibEncoder(faceModels);
  const photographs = ["astronaut.jpg", "grace-hopper.jpg"].map((name) => join(golden, name));
  const images = await Promise.all(photographs.map((path) => imageOf(sharp(path))));
  const found = await Promise.all(images.map((image) => detector.detect(compute, image, { maxFaces: 1 })));
  const references = { images, faces: found.flat() };
  expect(references.faces).toHaveLength(2);
  // Both side by side, mirrored and smaller: Hopper on the left.
  const [astronaut, hopper] = await Promise.all(
    photographs.map((path) => sharp(path).flop().resize(256, 256, { fit: "cover", position: "top" }).toBuffer()),
  );
  const scene = await imageOf(
    sharp(
      await sharp({ create: { width: 512, height: 256, channels: 3, background: "grey" } })
        .composite([
          { input: hopper, left: 0, top: 0 },
          { input: astronaut, left: 256, top: 0 },
        ])
        .png()
        .toBuffer(),
    ),
  );
  const reward = matchingReward("mimr", detector, encoder, { mimr: UMO_MIMR, against: "refs", layoutWeight: 0, maxFaces: 2 });
  const context: RewardContext = { compute, references, target: null };
  const { structure, constants, info } = await reward.observe(scene, context);
  expect(info.pairs).toEqual([
    { reference: 0, generated: 1 },
    { reference: 1, generated: 0 },
  ]);
  const reading = await readReward(compute, reward, scene, context);
  const [s00 = 0, s01 = 0, s10 = 0, s11 = 0] = Array.isArray(info.similarity) ? info.similarity.map(Number) : [];
  expect(Math.min(s01, s10)).toBeGreaterThan(Math.max(s00, s11) + 0.3);
  expect(reading.reward).toBeCloseTo((s01 + s10 - s00 - s11) / 4, 4);

  const [, height = 0, width = 0] = scene.shape;
  const b = newBuilder();
  const x = b.input("image", "float32", [1, 3, height, width]);
  const fed = Object.fromEntries(Object.entries(constants).map(([name, t]) => [name, b.input(`reward.${name}`, t.dtype, t.shape)]));
  const { reward: value } = reward.build(b, x, fed, structure);
  const [dx] = grad(b, value, [x]);
  if (!dx) throw new Error("no gradient");
  const net = await compute.compile(b.graph({ value, dx }));
  const feeds = Object.fromEntries(Object.entries(constants).map(([name, t]) => [`reward.${name}`, t]));
  const n = height * width;
  const pixels = new Float32Array(3 * n).map((_, i) => scene.data[(i % n) * 3 + Math.floor(i / n)] ?? 0);
  const run = (data: Float32Array) => net.run({ ...feeds, image: f32([1, 3, height, width], data) });
  const at = async (data: Float32Array) => Number((await run(data)).value?.data[0]);
  const gradient = (await run(pixels)).dx?.data;
  if (!(gradient instanceof Float32Array)) throw new Error("no gradient came back");
  const square = gradient.reduce((sum, g) => sum + g * g, 0);
  const step = 0.01 / Math.sqrt(square);
  const moved = (sign: number) => pixels.map((p, i) => p + sign * step * (gradient[i] ?? 0));
  const slope = ((await at(moved(1))) - (await at(moved(-1)))) / (2 * step);
  expect(Math.abs(slope / square - 1)).toBeLessThan(0.02);
});
