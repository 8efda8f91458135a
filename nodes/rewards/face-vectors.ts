// The differentiable path from a picture to the vectors of its faces: aligned crops, then the encoder.
import type { Builder } from "../../engine/ir/builder.ts";
import type { Feeds } from "../../engine/ir/compute.ts";
import type { Value } from "../../engine/ir/value.ts";
import { tensor } from "../../engine/tensor/tensor.ts";
import type { Face } from "../shared/contracts/data.ts";
import type { FaceEncoder } from "../shared/contracts/modules.ts";
import { alignCrops, cropSamples, cropTaps } from "../shared/faces/align-crops.ts";
import { constantOf } from "../shared/rewards/constant-of.ts";

/** Most readings per side of a crop pixel: faces up to 6 times the crop are read without gaps. Memory grows with its square. */
const MAX_SAMPLES = 4;

/**
 * Where the crops of these faces read in a picture of this size. Each face is read as densely as `embedFaces` does, so a reward
 * and the scores of the nodes agree; all are padded with readings of weight 0 to a power of two, so that few graphs serve all
 * face sizes. Empty slots repeat the first face. At least one face.
 */
export function cropConstants(
  encoder: FaceEncoder,
  faces: readonly Face[],
  slots: number,
  [height, width]: readonly [height: number, width: number],
): { readonly constants: Feeds; readonly structure: string } {
  const crops = Array.from({ length: slots }, (_, i) => faces[i] ?? faces[0]).flatMap((face) => {
    if (!face) return [];
    const matrix = encoder.alignment(face);
    return [cropTaps([matrix], encoder.size, height, width, Math.min(MAX_SAMPLES, cropSamples([matrix])))];
  });
  const most = Math.max(...crops.map((c) => c.weights.shape[1] ?? 0));
  const taps = 4 ** Math.ceil(Math.log2(most) / 2);
  const pixels = encoder.size ** 2;
  const indices = new BigInt64Array(slots * pixels * taps);
  const weights = new Float32Array(slots * pixels * taps);
  crops.forEach((crop, slot) => {
    const own = crop.weights.shape[1] ?? 0;
    for (let p = 0; p < pixels; p++) {
      const to = (slot * pixels + p) * taps;
      indices.set(crop.indices.data.subarray(p * own, (p + 1) * own), to);
      weights.set(crop.weights.data.subarray(p * own, (p + 1) * own), to);
    }
  });
  return {
    constants: {
      crop_indices: tensor("int64", [slots * pixels * taps], indices),
      crop_weights: tensor("float32", [slots * pixels, taps, 1], weights),
    },
    structure: `${slots} crops, ${taps} readings`,
  };
}

/** Encoder outputs [slots, dim] of a picture [1, 3, H, W], differentiable in it. */
export function buildFaceVectors(b: Builder, encoder: FaceEncoder, image: Value, constants: Readonly<Record<string, Value>>): Value {
  const crops = alignCrops(b, image, constantOf(constants, "crop_indices"), constantOf(constants, "crop_weights"), encoder.size);
  return encoder.build(b, crops);
}
