import { expect, test } from "vitest";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { fakeDetector, fakeEncoder, noiseImage } from "../../../test/fake-face-models.ts";
import { fakeFace } from "../../../test/fake-faces.ts";
import { interpreterCompute } from "../../../test/interpreter-compute.ts";
import type { FaceDetector, FaceEncoder } from "../contracts/modules.ts";
import { cropFace, planes } from "./crop-face.ts";
import { detectOnce } from "./detect-once.ts";
import { embedFaces } from "./embed-faces.ts";

const compute = interpreterCompute();
const [one, two] = [noiseImage(1, 40, 50), noiseImage(2, 40, 50)];
const images = f32([2, 40, 50, 3], [...one.data, ...two.data]);
const [a, b, c] = [fakeFace(12, 20), fakeFace(30, 18, 24), fakeFace(20, 22, 16)];

test("a row for every face of every picture, the same as that of the face alone", async () => {
  const encoder = fakeEncoder({ comparison: { kind: "cosine", threshold: 0.3 } });
  const faces = { images, faces: [[a, b], []] };
  const all = await embedFaces(compute, encoder, { images, faces: [[a, b], [c]] });
  expect(all.vectors.shape).toEqual([3, encoder.dim]);
  expect(all.source).toEqual([
    { image: 0, face: 0 },
    { image: 0, face: 1 },
    { image: 1, face: 0 },
  ]);
  expect(all).toMatchObject({ encoder: encoder.id, comparison: { threshold: 0.3 } });
  const alone = await Promise.all(
    (
      [
        [one, a],
        [one, b],
        [two, c],
      ] as const
    ).map(([picture, face]) => embedFaces(compute, encoder, { images: picture, faces: [[face]] })),
  );
  expect([...all.vectors.data]).toEqual(alone.flatMap(({ vectors }) => [...vectors.data]));
  expect(new Set(alone.map(({ vectors }) => vectors.data.join())).size).toBe(3);
  expect((await embedFaces(compute, encoder, faces)).source).toHaveLength(2);
});

test("the encoder sees the aligned crop as planes", async () => {
  const seen: FaceEncoder = {
    ...fakeEncoder({ size: 4 }),
    dim: 48,
    build: (builder, crops) => builder.reshape(crops, [1, 48]),
  };
  const { vectors } = await embedFaces(compute, seen, { images: one, faces: [[a]] });
  const picture = { data: one.data, height: 40, width: 50 };
  expect([...vectors.data]).toEqual([...planes(cropFace(picture, seen.alignment(a), 4))]);
});

test("planes: all of red, then green, then blue", () => {
  expect([...planes(Float32Array.of(1, 2, 3, 4, 5, 6))]).toEqual([1, 4, 2, 5, 3, 6]);
});

test("without faces nothing is computed: no rows of the encoder's width", async () => {
  const idle = { ...compute, compile: () => Promise.reject(new Error("compiled")) };
  const { vectors, source } = await embedFaces(idle, fakeEncoder({ dim: 7 }), { images, faces: [[], []] });
  expect([vectors.shape, source]).toEqual([[0, 7], []]);
});

test("a vector that is not finite names the face and the picture, counted from 1", async () => {
  const damaged = f32(images.shape, images.data.slice().fill(Number.NaN, one.data.length));
  await expect(embedFaces(compute, fakeEncoder(), { images: damaged, faces: [[a, b], [c]] })).rejects.toMatchObject({
    code: "FACE_ENCODER_NAN",
    message: expect.stringMatching(/NaN at 0 for face 1 of picture 2/),
  });
});

test("a picture is looked at once by a detector and its options; another picture, detector or option again", async () => {
  const detector = fakeDetector([a, b]);
  const first = detectOnce(compute, detector, one, { maxFaces: 2 });
  expect(await detectOnce(compute, detector, one, { maxFaces: 2 })).toBe(await first);
  expect(detector.calls).toBe(1);
  expect(await detectOnce(compute, detector, one, { maxFaces: 1 })).toEqual([a]);
  await detectOnce(compute, detector, two, { maxFaces: 2 });
  expect(detector.calls).toBe(3);
  const other = fakeDetector([c]);
  expect(await detectOnce(compute, other, one, { maxFaces: 2 })).toEqual([c]);
});

test("a detection that failed is tried again", async () => {
  let calls = 0;
  const flaky: FaceDetector = {
    id: "flaky",
    detect: async () => {
      if (calls++ === 0) throw new Error("out of memory");
      return [a];
    },
  };
  await expect(detectOnce(compute, flaky, one, {})).rejects.toThrow("out of memory");
  expect(await detectOnce(compute, flaky, one, {})).toEqual([a]);
});
