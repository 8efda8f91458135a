import { createHash } from "node:crypto";
import { AppError } from "../../../engine/base/errors.ts";
import { reach } from "../../../engine/ir/graph.ts";
import type { WeightFile } from "../../../engine/node/context.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import type { LatentSpace, ModelSampling, PostCfg } from "../../shared/contracts/diffusion.ts";
import type { Adapter, DiffusionModel } from "../../shared/contracts/modules.ts";
import { flowMatchSchedule } from "../../shared/diffusion/flow-match-sigmas.ts";
import { trueCfgGuidance } from "../../shared/diffusion/guidance.ts";
import { modelSampling } from "../../shared/diffusion/model-sampling.ts";
import { allFinite, findNotFinite } from "../../shared/finite.ts";
import { QWEN_SCHEDULER } from "../sampling/scheduler-config.ts";
import { QWEN_STATISTICS } from "../vae/statistics.ts";
import { buildDit } from "./build-dit.ts";
import { type DitConfig, inferConfig } from "./dit-config.ts";
import { checkQuantization, type DitTensors, isAuxiliary, linearsOf, tensorsUnder, unusedTensors } from "./dit-weights.ts";
import { type EditPipeline, knownPipeline } from "./edit-pipeline.ts";
import { promptInputs } from "./prompt-inputs.ts";
import { transformerPrefix } from "./transformer-prefix.ts";

export interface LoadedTransformer {
  readonly model: DiffusionModel;
  readonly config: DitConfig;
  /** How its prompts are made. */
  readonly pipeline: EditPipeline;
  /** Tensors of the file that the network has no place for. */
  readonly unused: readonly string[];
}

/**
 * Opens a Qwen-Image(-Edit, -2509, -2511) transformer: diffusers or ComfyUI naming; float32, float16, bfloat16, or fp8 plain
 * and scaled. Nothing is read but headers and markers: weights stay in the file.
 * @throws AppError MODEL_FAMILY, MODEL_CONFIG, MODEL_QUANTIZATION, MODEL_TENSOR_MISSING, MODEL_LAYOUT
 */
export async function loadTransformer(file: WeightFile, options: LoadOptions = {}): Promise<LoadedTransformer> {
  const tensors = tensorsUnder(file, transformerPrefix(file));
  const shapeOf = (name: string) => tensors.get(name)?.shape ?? [];
  const config = await inferConfig(file, new Set(tensors.keys()), shapeOf);
  await checkQuantization(file, tensors);
  const pipeline = options.pipeline ?? knownPipeline(file, config.zero_cond_t, options.modelIndex) ?? "edit_plus";
  const source: Source = {
    config,
    pipeline,
    tensors,
    identity: `qwen-image-edit:${file.fingerprint}:${JSON.stringify(config)}:${pipeline}`,
    linears: linearsOf(tensors),
    latentSpace: latentSpace(config.in_channels / PATCH ** 2),
    file,
  };
  const model = patched(source, { adapters: [], sampling: modelSampling() });
  return { model, config, pipeline, unused: unusedTensors(tensors, checkWhole(file, source, model)) };
}

export interface LoadOptions {
  /** Default: by marker, repository and name; else edit_plus. */
  readonly pipeline?: EditPipeline;
  /** Text of the repository's model_index.json. */
  readonly modelIndex?: string;
}

interface Source {
  readonly pipeline: EditPipeline;
  readonly file: WeightFile;
  readonly config: DitConfig;
  readonly tensors: DitTensors;
  readonly identity: string;
  readonly linears: ReadonlyMap<string, readonly [number, number]>;
  readonly latentSpace: LatentSpace;
}

/** Latent cells per token, on each side. */
const PATCH = 2;

/** Statistics of the released VAE when the widths agree; tests have narrower models. */
function latentSpace(channels: number): LatentSpace {
  const unit = { mean: new Array<number>(channels).fill(0), std: new Array<number>(channels).fill(1) };
  return { channels, cell: 8, patch: PATCH, statistics: channels === QWEN_STATISTICS.mean.length ? QWEN_STATISTICS : unit };
}

interface Patches {
  readonly adapters: readonly Adapter[];
  readonly sampling: ModelSampling;
  readonly postCfg?: PostCfg;
}

function patched(source: Source, patches: Patches): DiffusionModel {
  const { config, tensors, linears, file } = source;
  const names = patches.adapters.map((a) => [
    a.target,
    a.nameA,
    a.nameB,
    a.scale,
    a.a.shape,
    a.b.shape,
    a.outer && [a.outer.name, a.outer.values.shape],
    a.bias && [a.bias.name, a.bias.scale],
    a.dora && [a.dora.name, a.dora.strength, a.dora.norm],
  ]);
  const marks = JSON.stringify([source.identity, names, patches.sampling.id, patches.postCfg?.id]);
  return {
    id: `dit:${createHash("sha256").update(marks).digest("hex").slice(0, 24)}`,
    family: "qwen-image-edit",
    latentSpace: source.latentSpace,
    prompt: promptInputs(config.joint_attention_dim, source.pipeline),
    schedule: flowMatchSchedule(QWEN_SCHEDULER),
    guidance: (scale) => trueCfgGuidance(scale, config.in_channels),
    linears,
    ...patches,
    async findNotFinite() {
      const adapter = patches.adapters.find(({ a, b, scale }) => !Number.isFinite(scale) || !allFinite(a.data) || !allFinite(b.data));
      if (adapter) return `the adapter on ${adapter.target}`;
      const tensor = await findNotFinite(file);
      return tensor && `${file.name}: ${tensor}`;
    },
    build: (b, inputs) => buildDit(b, config, tensors, patches.adapters, inputs),
    withAdapters(adapters) {
      for (const a of adapters) checkAdapter(a, linears);
      return patched(source, { ...patches, adapters: [...patches.adapters, ...adapters] });
    },
    withSampling: (patch) => patched(source, { ...patches, ...patch }),
  };
}

function checkAdapter({ target, a, b, outer, dora }: Adapter, linears: Source["linears"]): void {
  const linear = linears.get(target);
  if (!linear) throw new AppError("LORA_TARGET", `the model has no Linear named ${target}`);
  const [out, width] = linear;
  const [rank = 0, columns = 0] = a.shape;
  const [p = 1, q = 1] = outer?.values.shape ?? [];
  const isMatrices = a.shape.length === 2 && b.shape.length === 2;
  if (rank < 1 || !isMatrices || columns * q !== width || (b.shape[0] ?? 0) * p !== out || b.shape[1] !== rank)
    throw new AppError("LORA_SHAPE", `${target} is [${out}, ${width}]: A [${a.shape}] and B [${b.shape}] do not fit it`, {
      hint: "the LoRA was made for a model of another size",
    });
  const [rows = 0, lengths = 0] = dora?.values.shape ?? [out, 1];
  if (!(rows === out && lengths === 1) && !(rows === 1 && lengths === width))
    throw new AppError("LORA_SHAPE", `${target} is [${out}, ${width}]: DoRA's lengths [${dora?.values.shape}] do not fit it`, {
      hint: "the LoRA was made for a model of another size",
    });
}

/** Builds the network at the smallest size: every tensor must be there and fit. Returns the names it uses. */
function checkWhole(file: WeightFile, { config, tensors }: Source, model: DiffusionModel): Set<string> {
  const b = newBuilder();
  const one = { h: 1, w: 1 };
  const used = new Set<string>();
  try {
    const v = model.build(b, {
      shape: { batch: 1, target: one, references: [], prompt: model.prompt.shapes(1), convention: "diffusers" },
      x: b.input("x", "float32", [1, 1, config.in_channels]),
      references: null,
      sigma: b.input("sigma", "float32", [1]),
      prompt: { text: b.input("text", "float32", [1, 1, config.joint_attention_dim]) },
    });
    if (v.shape[2] !== config.in_channels)
      throw new AppError("MODEL_LAYOUT", `proj_out gives ${v.shape[2]} channels for ${config.in_channels}`);
    for (const { def } of reach(b.graph({ v })).weights) if (def.kind === "weight") used.add(def.name.slice("dit.".length));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError(
      cause instanceof AppError && cause.code.startsWith("MODEL_") ? cause.code : "MODEL_LAYOUT",
      `${file.name}: ${reason}`,
      {
        cause,
        hint: "the file is incomplete or not this model: download it again",
      },
    );
  }
  const last = `transformer_blocks.${config.num_layers - 1}.`;
  for (const name of tensors.keys()) {
    const own = /^transformer_blocks\.0\.(.*)/.exec(name)?.[1];
    if (own !== undefined && !isAuxiliary(name) && !tensors.has(last + own))
      throw new AppError("MODEL_TENSOR_MISSING", `${file.name}: the transformer has no ${last}${own}`, {
        hint: "the file is incomplete: download it again",
      });
  }
  // The last block's text branch has tensors in every file, but no effect.
  const dead = new RegExp(`^transformer_blocks\\.${config.num_layers - 1}\\.(attn\\.to_add_out|txt_mlp)\\b`);
  for (const name of tensors.keys()) if (dead.test(name)) used.add(name);
  return used;
}
