import { implementNode } from "../../engine/node/define-node.ts";
import type { FaceDetector, FaceEncoder, Reward } from "../shared/contracts/modules.ts";
import { aspectOf, layoutDistances, placeOf } from "../shared/faces/layout.ts";
import { constantReward } from "./constant-reward.ts";
import declaration from "./layout-reward.node.ts";
import { matchPicture } from "./matched-faces.ts";
import { intendedPlaces } from "./people.ts";

/**
 * Mean over people of 1 − ‖c_face − c_target‖/diagonal, the face being the one that looks most like them (assignment by identity
 * alone); 0 for a missing person. Swapped people score low here, while MIMR cannot see them. No gradient: boxes have none.
 */
export function layoutReward(detector: FaceDetector, encoder: FaceEncoder, maxFaces: number): Reward {
  return constantReward(`layout:${maxFaces}:${detector.id}:${encoder.id}`, "layout", async (image, context) => {
    const against = context.references ? "refs" : "target";
    const { faces, people, pairs, info } = await matchPicture(image, context, detector, encoder, { against, layoutWeight: 0, maxFaces });
    const places = faces.map((face) => placeOf(face, image));
    const distances = layoutDistances(intendedPlaces(context), places, aspectOf(image));
    const sum = pairs.reduce((s, p) => s + 1 - (distances[p.reference * faces.length + p.generated] ?? 1), 0);
    return { value: people.count > 0 ? sum / people.count : 1, info };
  });
}

export default implementNode(declaration, {
  run: ({ face_detector, face_encoder, max_faces }) => ({ REWARD: layoutReward(face_detector, face_encoder, max_faces) }),
});
