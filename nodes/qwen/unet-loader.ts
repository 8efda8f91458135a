import { AppError } from "../../engine/base/errors.ts";
import type { Models, NodeContext } from "../../engine/node/context.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import type { DiffusionModel } from "../shared/contracts/modules.ts";
import { castWeights } from "./transformer/cast-weights.ts";
import { isAuxiliary } from "./transformer/dit-weights.ts";
import type { EditPipeline } from "./transformer/edit-pipeline.ts";
import { loadTransformer } from "./transformer/load-transformer.ts";
import declaration from "./unet-loader.node.ts";

const STORED = { default: null, fp8_e4m3fn: "float8e4m3fn", fp8_e4m3fn_fast: "float8e4m3fn", fp8_e5m2: "float8e5m2" } as const;

export default implementNode(declaration, {
  run: async (widgets, ctx) => ({ MODEL: await openModel(widgets, ctx) }),
});

interface ModelWidgets {
  readonly unet_name: string;
  readonly weight_dtype: keyof typeof STORED;
  readonly pipeline: "auto" | EditPipeline;
}

/** Opens a transformer, and says in the log what of it is not used. @throws AppError MODEL_* */
export async function openModel({ unet_name, weight_dtype, pipeline }: ModelWidgets, ctx: NodeContext): Promise<DiffusionModel> {
  const file = await ctx.models.open("diffusion_models", unet_name);
  const wanted = STORED[weight_dtype];
  const packed = [...file.tensors.values()].find(({ source }) => source.kind === "file" && source.packing !== undefined);
  if (wanted && packed)
    throw new AppError("MODEL_DTYPE", `${unet_name} is quantised already (GGUF): it is not rounded to ${weight_dtype}`, {
      hint: "choose weight_dtype default",
    });
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
  const modelIndex = await repositoryIndex(ctx.models, unet_name);
  const { model, unused, ...found } = await loadTransformer(other ? await castWeights(file, wanted) : file, {
    ...(pipeline !== "auto" && { pipeline }),
    ...(modelIndex !== undefined && { modelIndex }),
  });
  if (pipeline === "auto" && found.pipeline === "edit")
    ctx.log(
      "info",
      `${unet_name}: trained and evaluated as the original Qwen-Image-Edit, with one picture (pipeline: edit_plus for another model)`,
    );
  if (unused.length) ctx.log("warn", `${unet_name}: ${unused.length} tensors have no place in the model: ${unused.slice(0, 5).join(", ")}`);
  return model;
}

/** model_index.json of the diffusers repository that a transformer's folder lies in. */
async function repositoryIndex(models: Models, name: string): Promise<string | undefined> {
  const folder = /^(.*)\/transformer(?:\/|$)/.exec(name)?.[1];
  if (folder === undefined) return undefined;
  try {
    return new TextDecoder().decode((await models.bytes("diffusion_models", `${folder}/model_index.json`)).bytes);
  } catch (error) {
    if (error instanceof AppError && error.code === "MODEL_NOT_FOUND") return undefined;
    throw error;
  }
}
