import { z } from "zod";
import type { Value } from "../../engine/ir/value.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { f32, type Tensor } from "../../engine/tensor/tensor.ts";
import type { FaceDetector, Reward } from "../shared/contracts/modules.ts";
import { facePixels } from "../shared/realism/face-pixels.ts";
import { buildWindow, windowIndices } from "../shared/realism/face-window.ts";
import { type FacesToJudge, facesToJudge } from "../shared/realism/faces-to-judge.ts";
import { averageOf, freshScorer, learnFromDrawn, type RefreshOptions } from "../shared/realism/scorer-learner.ts";
import { type RealismScorer, scorerShapes, scoreWindows } from "../shared/realism/scorer-net.ts";
import { constantOf } from "../shared/rewards/constant-of.ts";
import declaration from "./realism-reward.node.ts";

export interface ScorerRewardOptions extends FacesToJudge {
  readonly read: "log_odds" | "probability";
  readonly sigmaMax: number;
}

/** Before a weight's name, among the constants of a reward whose scorer learns. */
const WEIGHT = "weight.";

/** Window sides of the faces. */
const STRUCTURE = z.array(z.number());

/**
 * The mean over faces of a scorer's reading of their windows. Parts: both readings.
 * @param refresh how the scorer goes on learning while it is trained on; absent: it stays as it is
 */
export function scorerReward(
  scorer: RealismScorer,
  detector: FaceDetector,
  options: ScorerRewardOptions,
  refresh?: RefreshOptions,
): Reward {
  const id = `realism:${JSON.stringify(options)}:${scorer.id}:${detector.id}${refresh ? `:${JSON.stringify(refresh)}` : ""}`;
  if (!refresh) return rewardOf(id, scorer, detector, options);
  return {
    ...rewardOf(id, scorer, detector, options),
    learning: {
      fresh: (compute) => freshScorer(compute, scorer, refresh),
      withState: (state) => rewardOf(id, scorer, detector, options, averageOf(state, scorer)),
      learn: (compute, state, drawn, rng) => learnFromDrawn(compute, scorer, state, drawn, refresh, rng),
    },
  };
}

/** @param weights that are fed with each picture, as they are then; absent: the scorer's own, which are part of the graph */
function rewardOf(
  id: string,
  scorer: RealismScorer,
  detector: FaceDetector,
  options: ScorerRewardOptions,
  weights?: ReadonlyMap<string, Float32Array>,
): Reward {
  const shapes = scorerShapes(scorer);
  return {
    id,
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
      // Copies: the arrays change at the next step of the scorer.
      for (const [name, data] of weights ?? []) constants[`${WEIGHT}${name}`] = f32(shapes.get(name) ?? [], data.slice());
      return { structure: JSON.stringify(pixels.map((p) => p.window.side)), constants, info };
    },
    build(b, image, constants, structure) {
      const sides = STRUCTURE.parse(JSON.parse(structure));
      if (sides.length === 0) return { reward: b.scalar(0), parts: {} };
      const judge = weights ? { ...scorer, weight: (_: unknown, name: string) => constantOf(constants, `${WEIGHT}${name}`) } : scorer;
      const scores = sides.map((_, i) =>
        scoreWindows(b, judge, buildWindow(b, image, constantOf(constants, `${i}.rows`), constantOf(constants, `${i}.columns`))),
      );
      const mean = (values: readonly Value[]) => b.mean(b.concat(values, 0), [], false);
      const parts = { log_odds: mean(scores), probability: mean(scores.map((s) => b.sigmoid(s))) };
      return { reward: parts[options.read], parts };
    },
  };
}

export default implementNode(declaration, {
  run: ({ scorer, face_detector, read, sigma_max, min_size, max_faces, faces, ...i }) => ({
    REWARD: scorerReward(
      scorer,
      face_detector,
      { read, sigmaMax: sigma_max, minSize: min_size, maxFaces: max_faces, facesFrom: faces },
      i.refresh_every > 0
        ? { every: i.refresh_every, rate: i.refresh_rate, decay: i.refresh_decay, history: i.refresh_history }
        : undefined,
    ),
  }),
});
