// Where faces are, against where they should be.
import { AppError } from "../../../engine/base/errors.ts";
import type { Embeddings, Face, Image, Point } from "../contracts/data.ts";
import { hungarian } from "../matching/hungarian.ts";

/** Centre of a face's box as fractions of its picture: comparable between pictures of different size. */
export function placeOf(face: Face, image: Image): Point {
  const [, height = 1, width = 1] = image.shape;
  const [x0, y0, x1, y1] = face.box;
  return [(x0 + x1) / 2 / width, (y0 + y1) / 2 / height];
}

/** The place of every row. */
export function placesOf(embeddings: Embeddings): Point[] {
  return embeddings.source.map(({ image, face }, row) => {
    const found = embeddings.faces.faces[image]?.[face];
    if (!found) throw new AppError("MATCH_SOURCE", `row ${row} names face ${face} of picture ${image}, which does not exist`);
    return placeOf(found, embeddings.faces.images);
  });
}

/**
 * ‖target_k − generated_j‖ / diagonal of the generated picture, row-major [K, J], 0..1 inside the picture.
 * @param aspect width / height of the generated picture.
 */
export function layoutDistances(targets: readonly Point[], generated: readonly Point[], aspect: number): Float64Array {
  const diagonal = Math.hypot(aspect, 1);
  const out = new Float64Array(targets.length * generated.length);
  targets.forEach(([tx, ty], k) => {
    generated.forEach(([gx, gy], j) => {
      out[k * generated.length + j] = Math.hypot((tx - gx) * aspect, ty - gy) / diagonal;
    });
  });
  return out;
}

/** width / height of a batch of pictures. */
export function aspectOf(image: Image): number {
  const [, height = 1, width = 1] = image.shape;
  return width / height;
}

/** Which generated face stands in each target place, by place alone; −1 = none. */
export function assignByPlace(distances: Float64Array, targets: number, generated: number): number[] {
  const out = new Array<number>(targets).fill(-1);
  for (const { row, column } of hungarian(distances, targets, generated).pairs) out[row] = column;
  return out;
}
