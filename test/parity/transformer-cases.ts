import { z } from "zod";
import type { Compute } from "../../engine/ir/compute.ts";
import type { WeightFile } from "../../engine/node/context.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import { toFloat32 } from "../../engine/tensor/convert.ts";
import { f32, type Tensor, tensor } from "../../engine/tensor/tensor.ts";
import type { DenoiseShape } from "../../nodes/shared/contracts/diffusion.ts";
import type { DiffusionModel } from "../../nodes/shared/contracts/modules.ts";

const Cases = z.array(
  z.object({
    name: z.string(),
    img_shapes: z.array(z.tuple([z.literal(1), z.int(), z.int()])).min(1),
    txt_len: z.int(),
    timestep: z.number(),
    mask_len: z.int().nullable(),
    batch: z.int(),
  }),
);
export type TransformerCase = z.infer<typeof Cases>[number];

/** What the `_io` file says about the tiny transformer and its cases. */
export function describeCases(io: WeightFile): { readonly config: object; readonly cases: readonly TransformerCase[] } {
  return {
    config: z.looseObject({}).parse(JSON.parse(io.metadata.config ?? "{}")),
    cases: Cases.parse(JSON.parse(io.metadata.cases ?? "[]")),
  };
}

/** The velocity of the target tokens for one case. */
export async function runCase(
  compute: Compute,
  model: DiffusionModel,
  io: WeightFile,
  of: TransformerCase,
  options: Pick<DenoiseShape, "referenceMethod"> = {},
): Promise<Tensor | undefined> {
  const [target = { h: 0, w: 0 }, ...references] = of.img_shapes.map(([, h, w]) => ({ h, w }));
  const n = target.h * target.w;
  const hidden = await io.read(`${of.name}.hidden_states`);
  const text = await io.read(`${of.name}.encoder_hidden_states`);
  const mask = of.mask_len === null ? undefined : await io.read(`${of.name}.mask`);
  const shape: DenoiseShape = {
    ...options,
    batch: of.batch,
    target,
    references,
    prompt: { text: text.shape },
    convention: "diffusers",
  };
  const b = newBuilder();
  const all = b.input("hidden", "float32", hidden.shape);
  const v = model.build(b, {
    shape,
    x: b.slice(all, 1, 0, n),
    references: references.length ? b.slice(all, 1, n, hidden.shape[1] ?? n) : null,
    sigma: b.input("sigma", "float32", [of.batch]),
    prompt: {
      text: b.input("text", "float32", text.shape),
      ...(mask ? { text_mask: b.input("mask", "bool", mask.shape) } : {}),
    },
  });
  const { v: result } = await compute.run(b.graph({ v }), {
    hidden,
    text,
    sigma: f32([of.batch], new Float32Array(of.batch).fill(of.timestep)),
    ...(mask ? { mask: tensor("bool", mask.shape, Uint8Array.from(mask.data, Number)) } : {}),
  });
  return result;
}

/** The first `n` tokens of [B, S, C]: upstream returns the references' rows too, which mean nothing. */
export function firstTokens(t: Tensor, n: number): Tensor<"float32"> {
  const [batch = 0, tokens = 0, channels = 0] = t.shape;
  const data = toFloat32(t);
  const out = new Float32Array(batch * n * channels);
  for (let i = 0; i < batch; i++) out.set(data.subarray(i * tokens * channels, (i * tokens + n) * channels), i * n * channels);
  return f32([batch, n, channels], out);
}

/** Tokens of the picture being made. */
export function targetTokens({ img_shapes }: TransformerCase): number {
  const [[, h, w] = [1, 0, 0]] = img_shapes;
  return h * w;
}
