import { AppError } from "../../../engine/base/errors.ts";
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Value } from "../../../engine/ir/value.ts";
import { type LowRank, linear } from "../../../engine/nn/linear.ts";
import { modulatedLayerNorm } from "../../../engine/nn/modulated-layer-norm.ts";
import { rmsNorm } from "../../../engine/nn/rms-norm.ts";
import { timestepEmbedding } from "../../../engine/nn/timestep-embedding.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import type { DenoiseInputs } from "../../shared/contracts/diffusion.ts";
import type { Adapter } from "../../shared/contracts/modules.ts";
import { type BlockInputs, ditBlock, EPS, type Streams } from "./dit-block.ts";
import type { DitConfig } from "./dit-config.ts";
import { type DitTensors, linearParams, weightValue } from "./dit-weights.ts";
import { msropePositions, rotationTables } from "./positions.ts";

/** Added to the score of a padded text token. Large enough to vanish in softmax, small enough to survive being added to. */
const HIDDEN = -1e30;
/** Channels of the sinusoidal time embedding. */
const TIME_CHANNELS = 256;

/**
 * The velocity [B, N, 64] of the target tokens (diffusers `QwenImageTransformer2DModel`; ComfyUI's where the shape says so).
 * @throws AppError DENOISE_SHAPE when values and shape disagree
 */
export function buildDit(b: Builder, config: DitConfig, tensors: DitTensors, adapters: readonly Adapter[], inputs: DenoiseInputs): Value {
  const { shape } = inputs;
  const { text, mask } = checkInputs(config, inputs);
  const textLength = text.shape[1] ?? 0;
  const method = shape.referenceMethod ?? (config.zero_cond_t ? "index_timestep_zero" : "index");
  const targetTokens = shape.target.h * shape.target.w;
  const imageTokens = targetTokens + (inputs.references?.shape[1] ?? 0);
  // Made here for every adapter, even those on layers without effect, so that a trainer finds all its parameters by name.
  const onLayer = new Map<string, LowRank[]>();
  for (const a of adapters) onLayer.set(a.target, [...(onLayer.get(a.target) ?? []), lowRank(b, a)]);
  const apply = (path: string, x: Value) => linear(b, x, { ...linearParams(b, tensors, path), adapters: onLayer.get(path) ?? [] });

  const embed = (sigma: Value) =>
    apply(
      "time_text_embed.timestep_embedder.linear_2",
      b.silu(apply("time_text_embed.timestep_embedder.linear_1", timestepEmbedding(b, sigma, TIME_CHANNELS))),
    );
  const split = method === "index_timestep_zero" && imageTokens > targetTokens;
  const zero = b.expand(b.scalar(0), [shape.batch]);
  const conditioning = b.silu(embed(split ? b.concat([inputs.sigma, zero], 0) : inputs.sigma));
  const ofTarget = split ? b.slice(conditioning, 0, 0, shape.batch) : conditioning;

  const { image, textStart } = msropePositions(shape.target, shape.references, shape.convention, method);
  const textPositions = Array.from({ length: textLength }, (_, i) => [textStart + i, textStart + i, textStart + i] as const);
  const { cos, sin } = rotationTables([...textPositions, ...image], config.axes_dims_rope);
  const block: BlockInputs = {
    config,
    linear: apply,
    weight: (name) => weightValue(b, tensors, name),
    conditioning,
    groups: split ? [targetTokens, imageTokens - targetTokens] : [imageTokens],
    targetTokens,
    cos: b.constant(cos),
    sin: b.constant(sin),
    mask: mask ? scoreMask(b, mask, imageTokens) : null,
  };
  let streams: Streams = {
    image: apply("img_in", inputs.references ? b.concat([inputs.x, inputs.references], 1) : inputs.x),
    text: apply("txt_in", rmsNorm(b, text, weightValue(b, tensors, "txt_norm.weight"), EPS)),
  };
  for (let i = 0; i < config.num_layers; i++) {
    const path = `transformer_blocks.${i}`;
    const entering = streams;
    streams = b.scope(path, () => ditBlock(b, block, path, entering, i === config.num_layers - 1));
  }
  // Scale comes first here, unlike in the blocks (AdaLayerNormContinuous).
  const inner = config.num_attention_heads * config.attention_head_dim;
  const [scale = ofTarget, shift = ofTarget] = b.split(apply("norm_out.linear", ofTarget), [inner, inner], 1);
  return apply("proj_out", modulatedLayerNorm(b, streams.image, scale, shift, EPS));
}

function lowRank(b: Builder, { nameA, nameB, a, b: up, scale, outer, bias, dora }: Adapter): LowRank {
  return {
    a: b.weight(nameA, "float32", a.shape, { kind: "host", tensor: a }),
    b: b.weight(nameB, "float32", up.shape, { kind: "host", tensor: up }),
    scale,
    ...(outer && { outer: b.weight(outer.name, "float32", outer.values.shape, { kind: "host", tensor: outer.values }) }),
    ...(dora && {
      dora: {
        magnitude: b.weight(dora.name, "float32", dora.values.shape, { kind: "host", tensor: dora.values }),
        strength: dora.strength,
        norm: dora.norm,
      },
    }),
    ...(bias && {
      bias: b.mul(b.weight(bias.name, "float32", bias.values.shape, { kind: "host", tensor: bias.values }), b.scalar(bias.scale)),
    }),
  };
}

/** bool [B, M] → [B, 1, 1, M + image tokens]. */
function scoreMask(b: Builder, textMask: Value, imageTokens: number): Value {
  const [batch = 1, length = 0] = textMask.shape;
  const text = b.where(textMask, 0, b.scalar(HIDDEN));
  const image = b.constant(f32([batch, imageTokens], new Float32Array(batch * imageTokens)));
  return b.reshape(b.concat([text, image], 1), [batch, 1, 1, length + imageTokens]);
}

/** The prompt's inputs: `text` [B, M, joint_attention_dim], and bool `text_mask` [B, M] where padded. */
function checkInputs(config: DitConfig, { shape, x, references, sigma, prompt }: DenoiseInputs): { text: Value; mask: Value | undefined } {
  const n = shape.target.h * shape.target.w;
  const r = shape.references.reduce((sum, g) => sum + g.h * g.w, 0);
  const want = (what: string, value: Value | null | undefined, dims: readonly number[]): Value => {
    if (value?.shape.length === dims.length && dims.every((d, i) => d === value.shape[i])) return value;
    throw new AppError("DENOISE_SHAPE", `${what} must be [${dims}], got ${value ? `[${value.shape}]` : "nothing"}`);
  };
  const length = prompt.text?.shape[1] ?? 0;
  want("x", x, [shape.batch, n, config.in_channels]);
  if (r || references) want("references", references, [shape.batch, r, config.in_channels]);
  const text = want("text", prompt.text, [shape.batch, length, config.joint_attention_dim]);
  want("sigma", sigma, [shape.batch]);
  return { text, mask: prompt.text_mask && want("text_mask", prompt.text_mask, [shape.batch, length]) };
}
