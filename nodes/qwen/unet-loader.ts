import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { castWeights } from "./transformer/cast-weights.ts";
import { isAuxiliary } from "./transformer/dit-weights.ts";
import { loadTransformer } from "./transformer/load-transformer.ts";
import declaration from "./unet-loader.node.ts";

const STORED = { default: null, fp8_e4m3fn: "float8e4m3fn", fp8_e4m3fn_fast: "float8e4m3fn", fp8_e5m2: "float8e5m2" } as const;

export default implementNode(declaration, {
  async run({ unet_name, weight_dtype }, ctx) {
    const file = await ctx.models.open("diffusion_models", unet_name);
    const wanted = STORED[weight_dtype];
    const other = wanted && [...file.tensors.values()].find((t) => t.name.endsWith(".to_q.weight") && t.dtype !== wanted);
    if (other && (other.dtype === "int8" || [...file.tensors.keys()].some(isAuxiliary)))
      throw new AppError(
        "MODEL_DTYPE",
        `${unet_name} is quantised already (${other.dtype} with scales): it is not rounded to ${weight_dtype}`,
        {
          hint: "choose weight_dtype default",
        },
      );
    if (other) ctx.log("info", `${unet_name}: weights are rounded to ${weight_dtype}, in memory`);
    const { model, unused } = await loadTransformer(other ? await castWeights(file, wanted) : file);
    if (unused.length)
      ctx.log("warn", `${unet_name}: ${unused.length} tensors have no place in the model: ${unused.slice(0, 5).join(", ")}`);
    return { MODEL: model };
  },
});
