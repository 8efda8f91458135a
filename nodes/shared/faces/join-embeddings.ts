import { AppError } from "../../../engine/base/errors.ts";
import { expectDType, f32 } from "../../../engine/tensor/tensor.ts";
import type { Embeddings, Image } from "../contracts/data.ts";

/**
 * One set after the other, of the same encoder. Pictures of different sizes are put at the top left of the largest, so that every
 * row's face stays where its picture is. @throws AppError MATCH_ENCODERS, FACE_IMAGE when there is no set
 */
export function joinEmbeddings(parts: readonly Embeddings[]): Embeddings {
  const [first] = parts;
  if (!first) throw new AppError("FACE_IMAGE", "there is no picture with a reference");
  const other = parts.find((p) => p.encoder !== first.encoder);
  if (other) throw new AppError("MATCH_ENCODERS", `vectors of ${first.encoder} and of ${other.encoder} cannot stand together`);
  const dim = first.vectors.shape[1] ?? 0;
  const vectors = parts.flatMap((p) => [...expectDType(p.vectors, "float32", "embeddings")]);
  let before = 0;
  const source = parts.flatMap((p) => {
    const rows = p.source.map(({ image, face }) => ({ image: image + before, face }));
    before += p.faces.faces.length;
    return rows;
  });
  const faces = { images: joinPictures(parts.map((p) => p.faces.images)), faces: parts.flatMap((p) => p.faces.faces) };
  return { ...first, vectors: f32([source.length, dim], vectors), source, faces };
}

function joinPictures(images: readonly Image[]): Image {
  const most = (axis: number) => Math.max(...images.map((image) => image.shape[axis] ?? 0));
  const [height, width] = [most(1), most(2)];
  const count = images.reduce((n, image) => n + (image.shape[0] ?? 0), 0);
  const out = new Float32Array(count * height * width * 3);
  let at = 0;
  for (const { shape, data } of images) {
    const [n = 0, h = 0, w = 0] = shape;
    for (let k = 0; k < n; k++, at++)
      for (let y = 0; y < h; y++) {
        const from = (k * h + y) * w * 3;
        out.set(data.subarray(from, from + w * 3), (at * height + y) * width * 3);
      }
  }
  return f32([count, height, width, 3], out);
}
