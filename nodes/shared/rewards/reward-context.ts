import type { Compute } from "../../../engine/ir/compute.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import type { Faces, Image } from "../contracts/data.ts";
import type { RewardContext } from "../contracts/modules.ts";
import { batchOf, pictureOf } from "../pictures/picture.ts";

/** What a reward may look at when no training pair is there. @param references every face of these pictures is a person */
export function rewardContext(compute: Compute, references: Faces | undefined, target: Faces | undefined): RewardContext {
  return {
    compute,
    references: references ? peopleIn(references) : null,
    target: target ? { image: onePicture(target.images, 0), faces: target.faces[0] ?? [] } : null,
  };
}

/** Every face with its picture. */
function peopleIn({ images, faces }: Faces): RewardContext["references"] {
  const all = faces.flatMap((list, i) => list.map((face) => ({ image: onePicture(images, i), face })));
  return { images: all.map((p) => p.image), faces: all.map((p) => p.face) };
}

/** One picture of a batch. */
export function onePicture(image: Image, index: number): Image {
  const { data, height, width } = pictureOf(image, index);
  return batchOf(image) === 1 ? image : f32([1, height, width, 3], data);
}
