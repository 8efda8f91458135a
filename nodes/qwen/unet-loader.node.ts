import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { MODEL } from "../shared/contracts/sockets.ts";
import { EDIT_PIPELINES } from "./transformer/edit-pipeline.ts";

export default declareNode({
  type: "UNETLoader",
  version: "1.2.0",
  category: "advanced/loaders",
  summary: "Opens a Qwen-Image-Edit, -2509 or -2511 transformer from a ComfyUI file or a diffusers folder.",
  inputs: {
    unet_name: widget(z.string().min(1), {
      tooltip: "A .safetensors or .gguf file, or a diffusers folder, below the diffusion_models folder.",
      file: { kind: "model", folder: "diffusion_models" },
    }),
    weight_dtype: widget(z.enum(["default", "fp8_e4m3fn", "fp8_e4m3fn_fast", "fp8_e5m2"]).default("default"), {
      tooltip:
        "default: weights are used as they are stored. The others round them to fp8 when they are loaded, unless the file has them so.",
    }),
    pipeline: widget(z.enum(["auto", ...EDIT_PIPELINES]).default("auto"), {
      ours: true,
      tooltip:
        "How training and evaluation make prompts. edit: the original Qwen-Image-Edit, one picture. edit_plus: 2509 and 2511. auto: by the file's marker, repository or name",
    }),
  },
  outputs: { MODEL },
  cache: "pure",
  isCheap: true,
});
