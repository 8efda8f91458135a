import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { DATASET, FACE_DETECTOR, FACE_ENCODER } from "../shared/contracts/sockets.ts";

const side = z.int().min(64).max(4096).multipleOf(16);

export default declareNode({
  type: "ClipsDataset",
  version: "2.0.0",
  category: "data",
  summary:
    "Training pairs from clips: faces are followed from frame to frame and sorted into people, and each person's reference comes from another clip. Rejects are told with reasons.",
  inputs: {
    detector: input(FACE_DETECTOR),
    encoder: input(FACE_ENCODER),
    folder: widget(z.string().min(1).max(1024), {
      tooltip: "A folder per clip, with its frames (`graph frames` makes them from videos); a picture beside them is a clip of its own",
      file: { kind: "input", holds: "dataset" },
    }),
    width: widget(side.default(1024), { tooltip: "Targets have about width × height pixels" }),
    height: widget(side.default(1024)),
    reference_size: widget(side.default(512), { tooltip: "Side of the references: squares round the face" }),
    prompt: widget(z.string().min(1).max(20_000).default("The people of the pictures together."), {
      tooltip: "Of targets without a caption beside them (NAME.txt)",
      multiline: true,
    }),
    held_out: widget(z.int().min(0).max(100_000).default(0), { tooltip: "Pairs of people who are not trained on" }),
    min_similarity: widget(z.number().min(-1).max(1).default(-1), {
      tooltip: "Cosine of a reference to its face in the target, beside the threshold of accept",
      step: 0.01,
    }),
    max_similarity: widget(z.number().min(-1).max(1).default(0.97), { tooltip: "Above it a reference counts as a copy", step: 0.01 }),
    min_face: widget(z.int().min(8).max(2048).default(48), { tooltip: "Side of a face, in pixels" }),
    min_sharpness: widget(z.number().min(0).max(1e5).default(30), {
      tooltip: "Variance of the Laplacian of the face at 112²: about 500 for sharp photographs, below 30 for blurred ones",
    }),
    duplicates: widget(z.int().min(-1).max(64).default(3), {
      tooltip: "Bits of 64 in which pictures of a clip may differ and count as the same; -1 = off",
    }),
    per_track: widget(z.int().min(1).max(1000).default(3), {
      tooltip: "Targets of one scene that show the same face: the sharpest and most frontal ones",
    }),
    accept: widget(z.enum(["encoder", "custom"]).default("encoder"), {
      tooltip: "Which threshold makes two faces one person: the encoder's own, or the one below",
    }),
    threshold: widget(z.number().min(-1).max(10).default(0.5), {
      tooltip: "For accept = custom: a smallest cosine, or a largest distance, as the encoder compares",
      step: 0.01,
    }),
    max_people: widget(z.int().min(1).max(16).default(3), { tooltip: "In one target" }),
  },
  outputs: { dataset: DATASET },
  // Pictures may change while the folder's name stays.
  cache: "never",
});
