import { z } from "zod";

/** See FileKind of the graph's catalogue. */
export const fileKind = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("input") }),
  z.object({ kind: z.literal("model"), folder: z.string() }),
]);

export const modelInfo = z.object({
  /** `diffusion_models`, `vae` … */
  folder: z.string(),
  /** What a widget holds. */
  name: z.string(),
  bytes: z.number(),
  /** Why it can't be used: a link that leads nowhere, say. */
  problem: z.string().optional(),
});

export const modelList = z.object({
  models: z.array(modelInfo),
  /** The folders searched, in order: where a missing model may be put. */
  roots: z.array(z.string()),
});

const tensorPort = z.object({
  name: z.string(),
  dtype: z.string(),
  /** A number, or the name of a free dimension. */
  shape: z.array(z.union([z.number(), z.string()])),
});

/** What is inside a model file. Read in the compute process. */
export const modelDetail = z.object({
  info: modelInfo,
  format: z.enum(["safetensors", "gguf", "onnx", "json"]),
  /** safetensors `__metadata__`, ONNX metadata_props; the texts at the top of a JSON file. */
  metadata: z.record(z.string(), z.string()),
  parameters: z.number(),
  /** For an .onnx file, in the order of ApplyOnnx's `input_1 …`, `output_1 …`. Empty for weights. */
  inputs: z.array(tensorPort),
  outputs: z.array(tensorPort),
});
export type ModelDetail = z.infer<typeof modelDetail>;
