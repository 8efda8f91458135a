import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { FaceDetector, FaceEncoder, Reward } from "../shared/contracts/modules.ts";
import { constantOf } from "../shared/rewards/constant-of.ts";
import declaration from "./copy-paste-reward.node.ts";
import { matchPicture } from "./matched-faces.ts";

/** −mean over matched people of M_CP = (θ(g,t) − θ(g,r)) / max(θ(t,r), 1e-6) (`nodes/shared/metrics/copy-paste-values.ts`). No face: skipped. @throws AppError REWARD_* */
export function copyPasteReward(detector: FaceDetector, encoder: FaceEncoder, minSize: number): Reward {
  return {
    id: `copy_paste:${minSize}:${detector.id}:${encoder.id}`,
    name: "copy_paste",
    async observe(image, context) {
      const options = { layoutWeight: 0, minSize };
      const { faces, people, values, pairs } = await matchPicture(image, context, detector, encoder, { ...options, against: "refs" });
      const info = { faces: faces.length, people: people.count };
      if (pairs.length === 0) return { skip: "no face was found", structure: "", constants: {}, info };
      const target = await matchPicture(image, context, detector, encoder, { ...options, against: "target" });
      if (target.people.count !== people.count)
        throw new AppError("REWARD_TARGET", `the target shows ${target.people.count} faces, but there are ${people.count} references`, {
          hint: "face k of the target must be the person of reference k",
        });
      const angle = (cosine: number | undefined) => Math.acos(Math.min(1, Math.max(-1, cosine ?? 0)));
      const found = pairs.map(({ reference: k, generated: j }) => {
        const at = k * faces.length + j;
        let between = 0;
        for (let d = 0; d < encoder.dim; d++)
          between += (people.rows[k * encoder.dim + d] ?? 0) * (target.people.rows[k * encoder.dim + d] ?? 0);
        const gap = angle(target.values[at]) - angle(values[at]);
        return Math.min(1, Math.max(-1, gap / Math.max(angle(between), 1e-6)));
      });
      const value = -found.reduce((s, v) => s + v, 0) / found.length;
      return { structure: "constant", constants: { value: f32([], [value]) }, info };
    },
    build: (_b, _image, constants) => ({ reward: constantOf(constants, "value"), parts: {} }),
  };
}

export default implementNode(declaration, {
  run: ({ face_detector, face_encoder, min_size }) => ({ REWARD: copyPasteReward(face_detector, face_encoder, min_size) }),
});
