// Small made-up faces and embeddings for unit tests.
import { f32 } from "../engine/tensor/tensor.ts";
import type { Comparison, Embeddings, Face, Faces, Image } from "../nodes/shared/contracts/data.ts";

/** A face of size×size pixels round (x, y), upright. */
export function fakeFace(x: number, y: number, size = 20): Face {
  const at = (u: number, v: number) => [x + u * size, y + v * size] as const;
  return {
    box: [x - size / 2, y - size / 2, x + size / 2, y + size / 2],
    score: 0.9,
    points5: [at(-0.2, -0.15), at(0.2, -0.15), at(0, 0.05), at(-0.15, 0.25), at(0.15, 0.25)],
  };
}

/** A grey picture [1, height, width, 3]. */
export function greyImage(height: number, width: number): Image {
  return f32([1, height, width, 3], new Float32Array(height * width * 3).fill(0.5));
}

/** Faces of one picture. */
export function fakeFaces(faces: readonly Face[], image: Image = greyImage(100, 200)): Faces {
  return { images: image, faces: [faces] };
}

/** Rows of raw vectors, each with a face; side by side in one 200×100 picture unless said. */
export function fakeEmbeddings(
  rows: readonly (readonly number[])[],
  options: { readonly comparison?: Comparison; readonly encoder?: string; readonly faces?: Faces } = {},
): Embeddings {
  const faces = options.faces ?? fakeFaces(rows.map((_, i) => fakeFace(25 + 50 * i, 50)));
  return {
    encoder: options.encoder ?? "fake",
    comparison: options.comparison ?? { kind: "cosine", threshold: 0.4 },
    vectors: f32([rows.length, rows[0]?.length ?? 2], rows.flat()),
    source: rows.map((_, face) => ({ image: 0, face })),
    faces,
  };
}
