import { AppError } from "../../../engine/base/errors.ts";
import type { RandomSource } from "../../../engine/base/random.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import type { Dataset, Face, Image } from "../../shared/contracts/data.ts";
import { exampleAt, streamOf } from "../loop/data-order.ts";

/** Share of squares that are cut round a face. */
const ROUND_FACES = 0.75;

/**
 * Update `step`'s squares, [1, crop, crop, 3] each: of every example one from its scene and one from a portrait.
 * @throws AppError PRETRAIN_SIZE when a picture is smaller than the square
 */
export async function crops(
  dataset: Dataset,
  { seed, batch, crop }: { readonly seed: number; readonly batch: number; readonly crop: number },
  step: number,
): Promise<Image[]> {
  const rng = streamOf(seed, 6, step);
  const perUpdate = Math.ceil(batch / 2);
  const cut: Image[] = [];
  for (let k = 0; k < perUpdate; k++) {
    const {
      id,
      target,
      targetFaces = [],
      references,
      referenceFaces = [],
    } = await dataset.example("train", exampleAt(seed, dataset.train, step * perUpdate + k));
    cut.push(cropOf(target, targetFaces, crop, rng, id));
    if (cut.length === batch) break;
    const which = rng.below(references.length);
    const portrait = references[which];
    const face = referenceFaces[which];
    cut.push(portrait ? cropOf(portrait, face ? [face] : [], crop, rng, id) : cropOf(target, targetFaces, crop, rng, id));
  }
  return cut;
}

/** A square of `picture`: round one of its faces, shifted by up to a quarter of its side, or anywhere. */
function cropOf(picture: Image, faces: readonly Face[], crop: number, rng: RandomSource, id: string): Image {
  const [, height = 0, width = 0] = picture.shape;
  if (width < crop || height < crop)
    throw new AppError("PRETRAIN_SIZE", `a picture of ${id} is ${width}×${height}, smaller than the square of ${crop} to be cut from it`, {
      hint: "lower crop, or enlarge the dataset's pictures",
    });
  const face = faces[rng.below(faces.length)];
  const corner = (centre: number | undefined, side: number): number => {
    const shift = rng.uniform();
    if (centre === undefined) return Math.round(shift * (side - crop));
    return Math.min(side - crop, Math.max(0, Math.round(centre + (shift / 2 - 0.75) * crop)));
  };
  const isRoundFace = face !== undefined && rng.uniform() < ROUND_FACES;
  const left = corner(isRoundFace ? (face.box[0] + face.box[2]) / 2 : undefined, width);
  const top = corner(isRoundFace ? (face.box[1] + face.box[3]) / 2 : undefined, height);
  const data = new Float32Array(crop * crop * 3);
  for (let y = 0; y < crop; y++) {
    const from = ((top + y) * width + left) * 3;
    data.set(picture.data.subarray(from, from + crop * 3), y * crop * 3);
  }
  return f32([1, crop, crop, 3], data);
}
