import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { DATASET, FACE_DETECTOR, FACE_ENCODER } from "../shared/contracts/sockets.ts";

const side = z.int().min(64).max(4096).multipleOf(16);

export default declareNode({
  type: "FolderDataset",
  version: "1.0.0",
  category: "data",
  summary: "Your own training pairs: a manifest names prompt, target and one reference per person; faces are found and assigned.",
  inputs: {
    detector: input(FACE_DETECTOR),
    encoder: input(FACE_ENCODER),
    manifest: widget(z.string().min(1).max(1024), {
      tooltip:
        'JSON Lines or a JSON array of { "id", "prompt", "target": "a.jpg", "references": ["x.jpg", "y.jpg"], "split": "train" or "held_out" (optional) }; file names are relative to its folder.',
      file: { kind: "input" },
    }),
    width: widget(side.default(1024), { tooltip: "Targets are cut to this size round their centre" }),
    height: widget(side.default(1024)),
    reference_size: widget(side.default(512), { tooltip: "Side of the square references" }),
    held_out: widget(z.int().min(0).max(100_000).default(0), {
      tooltip: "The last entries that are not trained on. Counts only when no entry is marked held_out.",
    }),
  },
  outputs: { dataset: DATASET },
  // Pictures may change while the manifest stays.
  cache: "never",
});
