import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { PREFERENCES } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "PreferenceDataset",
  version: "1.0.0",
  category: "realism",
  summary:
    "Comparisons by people: a JSON Lines file that names the better and the worse picture (`graph prefer` writes one, and the editor, where two runs are compared).",
  inputs: {
    manifest: widget(z.string().min(1).max(1024), {
      tooltip:
        'One { "image_win": "a.png", "image_lose": "b.png" } per line, with "prompt", "weight", "source" and "split" ("train" or "held_out") where wanted; file names are relative to its folder.',
      file: { kind: "input" },
    }),
    held_out: widget(z.number().min(0).max(0.9).default(0.25), {
      tooltip: "Share of the sources that is not trained on. Comparisons of one source, or that share a picture, stay together.",
      step: 0.05,
    }),
  },
  outputs: { preferences: PREFERENCES },
  // Pictures may change while the manifest stays.
  cache: "never",
});
