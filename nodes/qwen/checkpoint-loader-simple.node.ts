import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { CLIP, MODEL, VAE } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "CheckpointLoaderSimple",
  version: "1.0.0",
  category: "loaders",
  summary:
    "Opens a checkpoint that holds transformer, text encoder and VAE of Qwen-Image in one file. A part that it lacks is an error where it is used.",
  inputs: {
    ckpt_name: widget(z.string().min(1), {
      tooltip: "A .safetensors file below the checkpoints model folder.",
      file: { kind: "model", folder: "checkpoints" },
    }),
  },
  outputs: { MODEL, CLIP, VAE },
  cache: "pure",
  isCheap: true,
});
