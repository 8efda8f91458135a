import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";
import { defineNode, widget } from "../../engine/node/define-node.ts";
import { MODEL } from "../shared/contracts/sockets.ts";
import { loadTransformer } from "./transformer/load-transformer.ts";

const STORED = { default: null, fp8_e4m3fn: "float8e4m3fn", fp8_e4m3fn_fast: "float8e4m3fn", fp8_e5m2: "float8e5m2" } as const;

export default defineNode({
  type: "UNETLoader",
  version: "1.0.0",
  category: "advanced/loaders",
  summary: "Opens a Qwen-Image-Edit, -2509 or -2511 transformer from a ComfyUI file or a diffusers folder.",
  inputs: {
    unet_name: widget(z.string().min(1), {
      tooltip: "A .safetensors file, or a diffusers folder, below the diffusion_models folder.",
      file: { kind: "model", folder: "diffusion_models" },
    }),
    weight_dtype: widget(z.enum(["default", "fp8_e4m3fn", "fp8_e4m3fn_fast", "fp8_e5m2"]).default("default"), {
      tooltip: "default: weights are used as they are stored. The others ask for a file that is stored so.",
    }),
  },
  outputs: { MODEL },
  cache: "pure",
  isCheap: true,
  async run({ unet_name, weight_dtype }, ctx) {
    const file = await ctx.models.open("diffusion_models", unet_name);
    const { model, unused } = await loadTransformer(file);
    const wanted = STORED[weight_dtype];
    const other = [...file.tensors.values()].find((t) => t.name.endsWith(".to_q.weight") && t.dtype !== wanted);
    if (wanted && other)
      throw new AppError("MODEL_DTYPE", `${unet_name} stores ${other.dtype}: weights are not rounded to ${weight_dtype} while loading`, {
        hint: "choose weight_dtype default, or a file that was saved in fp8",
      });
    if (unused.length)
      ctx.log("warn", `${unet_name}: ${unused.length} tensors have no place in the model: ${unused.slice(0, 5).join(", ")}`);
    return { MODEL: model };
  },
});
