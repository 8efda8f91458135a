import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { MODEL } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "UnetLoaderGGUF",
  version: "1.0.0",
  category: "bootleg",
  summary: "Opens a transformer from a GGUF file, as ComfyUI-GGUF names the node. UNETLoader opens these files too.",
  inputs: {
    unet_name: widget(z.string().min(1), {
      tooltip: "A .gguf file below the diffusion_models folder.",
      file: { kind: "model", folder: "diffusion_models" },
    }),
  },
  outputs: { MODEL },
  cache: "pure",
  isCheap: true,
});
