import { AppError } from "../../../engine/base/errors.ts";
import type { Compute } from "../../../engine/ir/compute.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { expectDType, f32 } from "../../../engine/tensor/tensor.ts";
import type { Embeddings, Faces } from "../contracts/data.ts";
import type { FaceEncoder } from "../contracts/modules.ts";
import { notFinite } from "../finite.ts";
import { pictureOf } from "../pictures/picture.ts";
import { cropFace, planes } from "./crop-face.ts";

/** Embeds every face of a batch of pictures, one by one (one session serves any number). No faces: vectors [0, dim]. */
export async function embedFaces(compute: Compute, encoder: FaceEncoder, faces: Faces): Promise<Embeddings> {
  const source = faces.faces.flatMap((list, image) => list.map((_, face) => ({ image, face })));
  const vectors = new Float32Array(source.length * encoder.dim);
  if (source.length > 0) {
    const b = newBuilder();
    const shape = [1, 3, encoder.size, encoder.size];
    const net = await compute.compile(b.graph({ vector: encoder.build(b, b.input("crops", "float32", shape)) }));
    for (const [row, { image, face }] of source.entries()) {
      const found = faces.faces[image]?.[face];
      if (!found) continue;
      const crop = cropFace(pictureOf(faces.images, image), encoder.alignment(found), encoder.size);
      const { vector } = await net.run({ crops: f32(shape, planes(crop)) });
      if (!vector) throw new AppError("FACE_ENCODER", `${encoder.id} gave no vector`);
      const numbers = expectDType(vector, "float32", `the vector of ${encoder.id}`);
      const bad = notFinite(numbers);
      if (bad !== undefined)
        throw new AppError("FACE_ENCODER_NAN", `${encoder.id} gave ${bad} for face ${face + 1} of picture ${image + 1}`, {
          hint: "the picture or the encoder's weights hold numbers that are not finite",
        });
      vectors.set(numbers, row * encoder.dim);
    }
  }
  return { encoder: encoder.id, comparison: encoder.comparison, vectors: f32([source.length, encoder.dim], vectors), source, faces };
}
