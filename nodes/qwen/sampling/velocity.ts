import { AppError } from "../../../engine/base/errors.ts";
import type { Compute } from "../../../engine/ir/compute.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { expectDType, f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import type { Conditioning } from "../../shared/contracts/data.ts";
import type { DenoiseShape, DiffusionModel, GridSize } from "../../shared/contracts/modules.ts";
import { packLatent } from "../../shared/diffusion/packing.ts";
import { normaliseLatent, padToEven } from "./latent-space.ts";

/** Evaluates the transformer for one prompt: packed tokens [N·64] and σ → velocity [N·64]. */
export type Velocity = (tokens: Float32Array, sigma: number) => Promise<Float32Array>;

const TOKEN = 64;

/**
 * Compiles the model for one prompt and target size. References are normalised and packed here, once.
 * @throws AppError CONDITIONING_WIDTH, REFERENCE_BATCH
 */
export async function velocityFor(
  compute: Compute,
  model: DiffusionModel,
  conditioning: Conditioning,
  target: GridSize,
  positions: DenoiseShape["positions"],
): Promise<Velocity> {
  const { embeds, referenceMethod } = conditioning;
  const [count = 0, textLength = 0, width = 0] = embeds.shape;
  if (embeds.shape.length !== 3 || count !== 1 || textLength < 1 || width !== model.jointAttentionDim)
    throw new AppError("CONDITIONING_WIDTH", `the prompt is [${embeds.shape}], the model reads [1, M, ${model.jointAttentionDim}]`, {
      hint: "load the text encoder that belongs to this model",
    });
  const packed = conditioning.referenceLatents.map(packReference);
  const shape: DenoiseShape = {
    batch: 1,
    target,
    references: packed.map(({ grid }) => grid),
    textLength,
    positions,
    ...(referenceMethod === undefined ? {} : { referenceMethod }),
  };
  const references = concatTokens(packed.map(({ tokens }) => tokens));
  const b = newBuilder();
  const tokens = [1, target.h * target.w, TOKEN];
  const v = model.build(b, {
    shape,
    x: b.input("x", "float32", tokens),
    references: references ? b.input("references", "float32", references.shape) : null,
    text: b.input("text", "float32", embeds.shape),
    sigma: b.input("sigma", "float32", [1]),
  });
  // Adapters are fed rather than baked in: a LoRA of a gigabyte does not fit into a graph.
  const fed = model.adapters.flatMap((a) => [a.nameA, a.nameB]);
  const executable = await compute.compile(b.graph({ v }), { fed });
  return async (x, sigma) => {
    const results = await executable.run({
      x: f32(tokens, x),
      text: embeds,
      sigma: f32([1], [sigma]),
      ...(references ? { references } : {}),
    });
    if (!results.v) throw new AppError("DENOISE_RUN", "the transformer gave no velocity");
    return expectDType(results.v, "float32", "the velocity");
  };
}

function packReference(latent: Tensor<"float32">): { readonly grid: GridSize; readonly tokens: Tensor<"float32"> } {
  if (latent.shape[0] !== 1)
    throw new AppError("REFERENCE_BATCH", `a reference latent is [${latent.shape}]: a prompt takes pictures one by one`, {
      hint: "split the batch and add each picture with its own ReferenceLatent",
    });
  const even = padToEven(normaliseLatent(latent));
  const [, , h = 0, w = 0] = even.shape;
  return { grid: { h: h / 2, w: w / 2 }, tokens: packLatent(even) };
}

function concatTokens(parts: readonly Tensor<"float32">[]): Tensor<"float32"> | null {
  if (!parts.length) return null;
  const data = new Float32Array(parts.reduce((n, p) => n + p.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return f32([1, data.length / TOKEN, TOKEN], data);
}
