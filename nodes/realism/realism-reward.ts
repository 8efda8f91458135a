import { z } from "zod";
import type { Value } from "../../engine/ir/value.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import type { Tensor } from "../../engine/tensor/tensor.ts";
import type { FaceDetector, Reward } from "../shared/contracts/modules.ts";
import { facePixels } from "../shared/realism/face-pixels.ts";
import { buildWindow, windowIndices } from "../shared/realism/face-window.ts";
import { type FacesToJudge, facesToJudge } from "../shared/realism/faces-to-judge.ts";
import { type RealismScorer, scoreWindows } from "../shared/realism/scorer-net.ts";
import { constantOf } from "../shared/rewards/constant-of.ts";
import declaration from "./realism-reward.node.ts";

export interface ScorerRewardOptions extends FacesToJudge {
  readonly read: "log_odds" | "probability";
  readonly sigmaMax: number;
}

/** Window sides of the faces. */
const STRUCTURE = z.array(z.number());

/** The mean over faces of a scorer's reading of their windows. Parts: both readings. */
export function scorerReward(scorer: RealismScorer, detector: FaceDetector, options: ScorerRewardOptions): Reward {
  return {
    id: `realism:${JSON.stringify(options)}:${scorer.id}:${detector.id}`,
    name: "realism",
    async observe(image, context) {
      const { sigma = 0 } = context;
      if (sigma > options.sigmaMax) return { structure: "[]", constants: {}, info: { sigma, active: 0 } };
      const pixels = facePixels(image, await facesToJudge(image, context, detector, options), options.minSize).slice(0, options.maxFaces);
      const info = { sigma, active: 1, faces: pixels.length };
      if (pixels.length === 0)
        return { skip: `no face of at least ${options.minSize} pixels was found`, structure: "", constants: {}, info };
      const constants: Record<string, Tensor> = {};
      pixels.forEach(({ window }, i) => {
        const { rows, columns } = windowIndices(window);
        Object.assign(constants, { [`${i}.rows`]: rows, [`${i}.columns`]: columns });
      });
      return { structure: JSON.stringify(pixels.map((p) => p.window.side)), constants, info };
    },
    build(b, image, constants, structure) {
      const sides = STRUCTURE.parse(JSON.parse(structure));
      if (sides.length === 0) return { reward: b.scalar(0), parts: {} };
      const scores = sides.map((_, i) =>
        scoreWindows(b, scorer, buildWindow(b, image, constantOf(constants, `${i}.rows`), constantOf(constants, `${i}.columns`))),
      );
      const mean = (values: readonly Value[]) => b.mean(b.concat(values, 0), [], false);
      const parts = { log_odds: mean(scores), probability: mean(scores.map((s) => b.sigmoid(s))) };
      return { reward: parts[options.read], parts };
    },
  };
}

export default implementNode(declaration, {
  run: ({ scorer, face_detector, read, sigma_max, min_size, max_faces, faces }) => ({
    REWARD: scorerReward(scorer, face_detector, { read, sigmaMax: sigma_max, minSize: min_size, maxFaces: max_faces, facesFrom: faces }),
  }),
});
