// A face encoder of a few hundred parameters and a detector that knows the answer: rewards are tested with them.
import { randomSource } from "../engine/base/random.ts";
import { f32 } from "../engine/tensor/tensor.ts";
import type { Comparison, Face, Image, Point } from "../nodes/shared/contracts/data.ts";
import type { FaceDetector, FaceEncoder } from "../nodes/shared/contracts/modules.ts";
import { similarityTransform } from "../nodes/shared/pictures/affine.ts";

/** tanh(W·pixels) of a small aligned crop. */
export function fakeEncoder(options: { seed?: number; size?: number; dim?: number; comparison?: Comparison } = {}): FaceEncoder {
  const { seed = 1, size = 6, dim = 5, comparison = { kind: "cosine", threshold: 0.4 } } = options;
  const rng = randomSource(seed);
  const inputs = 3 * size * size;
  const weights = f32(
    [inputs, dim],
    rng.normals(new Float32Array(inputs * dim)).map((x) => x / Math.sqrt(inputs)),
  );
  const template: Point[] = [
    [0.3, 0.35],
    [0.7, 0.35],
    [0.5, 0.55],
    [0.35, 0.75],
    [0.65, 0.75],
  ].map(([x = 0, y = 0]) => [x * size, y * size]);
  return {
    id: `fake-encoder-${seed}`,
    size,
    dim,
    comparison,
    alignment: (face) => similarityTransform(face.points5, template),
    build: (b, crops) => b.tanh(b.matmul(b.reshape(b.mul(b.sub(crops, 0.5), 8), [crops.shape[0] ?? 0, inputs]), b.constant(weights))),
  };
}

/** "Finds" the given faces, the first `maxFaces` of them. `calls` counts. */
export function fakeDetector(faces: readonly Face[]): FaceDetector & { calls: number } {
  return {
    id: `fake-detector ${JSON.stringify(faces)}`,
    calls: 0,
    async detect(_compute, _image, options) {
      this.calls++;
      return options.maxFaces ? faces.slice(0, options.maxFaces) : faces;
    },
  };
}

/** Random pixels [1, height, width, 3] in 0..1. */
export function noiseImage(seed: number, height: number, width: number): Image {
  const rng = randomSource(seed);
  return f32(
    [1, height, width, 3],
    Float32Array.from({ length: height * width * 3 }, () => rng.uniform()),
  );
}
