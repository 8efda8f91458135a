import { z } from "zod";
import { declareNode, optional, widget } from "../../engine/node/define-node.ts";
import { DATASET, FACE_DETECTOR, FACE_ENCODER } from "../shared/contracts/sockets.ts";

const side = z.int().min(64).max(4096).multipleOf(16);

export default declareNode({
  type: "FolderDataset",
  version: "2.0.0",
  category: "data",
  summary:
    "Your own training pairs, in the layout of Who's Who, ai-toolkit, musubi-tuner, DiffSynth or diffusers; faces are found and assigned.",
  inputs: {
    detector: optional(FACE_DETECTOR, "Without it no faces are looked for: for plain edit LoRAs by SFT"),
    encoder: optional(FACE_ENCODER, "Tells who is who; needed beside the detector"),
    manifest: widget(z.string().min(1).max(1024), {
      tooltip:
        'A list: JSON Lines of { "id", "prompt", "target", "references": [...], "people": [...], "split" }, musubi\'s TOML or JSONL, DiffSynth\'s CSV or JSON, diffusers\' metadata.jsonl. Or a folder: targets with captions, and a folder per control slot',
      file: { kind: "input", holds: "dataset" },
    }),
    width: widget(side.default(1024), { tooltip: "Targets have about width × height pixels" }),
    height: widget(side.default(1024)),
    reference_size: widget(side.default(512), { tooltip: "References have about this² pixels" }),
    held_out: widget(z.int().min(0).max(100_000).default(0), {
      tooltip: "How many entries are not trained on. Counts only when no entry is marked held_out",
    }),
    target_fit: widget(z.enum(["buckets", "cut"]).default("buckets"), {
      tooltip: "buckets: each target keeps about its aspect. cut: all are cut to width × height round their centre",
    }),
    reference_fit: widget(z.enum(["keep", "face", "square"]).default("keep"), {
      tooltip: "keep: the whole picture in its aspect. face: a square round the face. square: the square at the centre",
    }),
    background: widget(
      z
        .string()
        .regex(/^#[0-9a-fA-F]{6}$/)
        .default("#ffffff"),
      { tooltip: "Colour behind pictures with transparency" },
    ),
    split_by: widget(z.enum(["people", "pictures", "nothing"]).default("people"), {
      tooltip: "What held-out entries share with no training entry; training entries that would are left out, and it is said which",
    }),
    on_problem: widget(z.enum(["stop", "leave_out"]).default("stop"), {
      tooltip: "When an entry cannot be used: list all problems and end, or leave it out and say so",
    }),
    controls: widget(z.string().max(1024).default(""), {
      tooltip: "Of a folder: names of its control folders in order, separated by commas; empty: control, control_2 … are found",
    }),
    default_prompt: widget(z.string().max(20_000).default(""), { tooltip: "For pictures without a caption; empty: these are a problem" }),
  },
  outputs: { dataset: DATASET },
  // Pictures may change while the manifest stays.
  cache: "never",
});
