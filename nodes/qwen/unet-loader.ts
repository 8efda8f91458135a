import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { loadTransformer } from "./transformer/load-transformer.ts";
import declaration from "./unet-loader.node.ts";

const STORED = { default: null, fp8_e4m3fn: "float8e4m3fn", fp8_e4m3fn_fast: "float8e4m3fn", fp8_e5m2: "float8e5m2" } as const;

export default implementNode(declaration, {
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
