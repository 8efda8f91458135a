import { implementNode } from "../../engine/node/define-node.ts";
import type { FaceDetector, Reward } from "../shared/contracts/modules.ts";
import { detectOnce } from "../shared/faces/detect-once.ts";
import { constantReward } from "./constant-reward.ts";
import declaration from "./count-reward.node.ts";

/**
 * 1 − |N − M| / max(N, M) for N faces found and M people asked for: 1 when the count is right, 0 when nobody is there. Counting
 * has no gradient: use it to gate other rewards and to log; it does not by itself teach a model to count.
 */
export function countReward(detector: FaceDetector, minSize: number): Reward {
  return constantReward(`count:${minSize}:${detector.id}`, "count", async (image, context) => {
    const found = (await detectOnce(context.compute, detector, image, { minSize })).length;
    const wanted = context.references?.faces.length ?? context.target?.faces.length ?? 0;
    const most = Math.max(found, wanted);
    return { value: most === 0 ? 1 : 1 - Math.abs(found - wanted) / most, info: { faces: found, people: wanted } };
  });
}

export default implementNode(declaration, {
  run: ({ face_detector, min_size }) => ({ REWARD: countReward(face_detector, min_size) }),
});
