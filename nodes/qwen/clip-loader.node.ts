import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { CLIP } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "CLIPLoader",
  version: "1.0.0",
  category: "loaders",
  summary: "Opens the text encoder of Qwen-Image-Edit (Qwen2.5-VL with its vision tower) and its tokenizer.",
  inputs: {
    clip_name: widget(z.string().min(1), {
      tooltip: "A .safetensors file, or a diffusers folder, below the text_encoders model folder.",
      file: { kind: "model", folder: "text_encoders" },
    }),
    type: widget(z.enum(["qwen_image", "stable_diffusion"]).default("qwen_image"), {
      tooltip: "ComfyUI's name for what the encoder serves. The file decides: it must be Qwen2.5-VL.",
    }),
    device: widget(z.enum(["default", "cpu"]).default("default"), {
      tooltip: "For files of ComfyUI only: the run's device computes either way.",
    }),
  },
  outputs: { CLIP },
  cache: "pure",
  isCheap: true,
});
