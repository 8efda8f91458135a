import { z } from "zod";
import { declareNode, input, optional, widget } from "../../../engine/node/define-node.ts";
import { FACE_DETECTOR, METRICS, PREFERENCES, REALISM_SCORER } from "../../shared/contracts/sockets.ts";
import { DEGRADATIONS, parseDegradations } from "../../shared/realism/degradations.ts";
import { averageWidget, outputWidgets, scheduleWidgets } from "../pretrain/pretrain-widgets.ts";
import { count, real } from "../train-options.ts";

/** Why a list of degradations was refused. */
export const NOT_DEGRADATIONS = `hard negatives are names with commas between: ${DEGRADATIONS.join(", ")}; or nothing`;

export default declareNode({
  type: "TrainRealismReward",
  version: "1.0.0",
  category: "train",
  summary:
    "Trains a realism scorer on faces at native pixels: preferences (Bradley-Terry), real against generated (cross-entropy), and worsened versions of real faces, so that noise does not pass for texture.",
  inputs: {
    preferences_1: input(PREFERENCES),
    face_detector: optional(FACE_DETECTOR, "Finds the faces of pictures that do not say where theirs are."),
    steps: widget(count(1, 1_000_000, 600), { tooltip: "Updates" }),
    batch: widget(count(1, 256, 12), { tooltip: "Comparisons per update, four windows each" }),
    side: widget(count(24, 512, 48), {
      tooltip: "Side of the windows trained on, in native pixels; faces with less room are left out",
      step: 8,
    }),
    width: widget(count(1, 128, 8), { tooltip: "Channels of the first layer" }),
    hard_negatives: widget(z.string().max(500).default(DEGRADATIONS.join(", ")), {
      tooltip: `How real faces are worsened: ${DEGRADATIONS.join(", ")}. Without one of them the scorer can be fooled by it.`,
    }),
    cross_entropy: widget(real(0, 100, 0.5), { tooltip: "Weight of real against generated beside the preferences", step: 0.1 }),
    ...scheduleWidgets(0.004, 20),
    weight_decay: widget(real(0, 1, 0.01)),
    ema_decay: averageWidget(0.99),
    ...outputWidgets(100, "realism/scorer"),
  },
  outputs: { scorer: REALISM_SCORER, METRICS },
  cache: "seeded",
  stop: "finish",
  isOutput: true,
  variadic: { prefix: "preferences_", socket: PREFERENCES },
  check: ({ hard_negatives }) =>
    hard_negatives === undefined || parseDegradations(hard_negatives) ? [] : [{ input: "hard_negatives", message: NOT_DEGRADATIONS }],
});
