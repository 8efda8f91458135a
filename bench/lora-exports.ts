// node bench/lora-exports.ts DIR && python bench/peer/lora_exports.py DIR (PyTorch, diffusers, peft, safetensors from PyPI)
// Writes a tiny transformer, a LoRA with alpha ≠ rank in every export format, and this program's velocities; the script loads them as other programs do.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomSource } from "../engine/base/random.ts";
import { writeLora } from "../engine/formats/lora-file.ts";
import { LORA_FORMATS } from "../engine/formats/lora-formats.ts";
import { readSafetensors, writeSafetensors } from "../engine/formats/safetensors.ts";
import { createRuntime } from "../engine/ort/runtime.ts";
import { f32, type Tensor } from "../engine/tensor/tensor.ts";
import { loadLora } from "../nodes/lora/load-lora.ts";
import { weightsOfBytes } from "../nodes/lora/weights-of-bytes.ts";
import { loadTransformer } from "../nodes/qwen/transformer/load-transformer.ts";
import { promptInput } from "../nodes/shared/diffusion/denoise-inputs.ts";
import { velocityGraph } from "../nodes/train/model/training-graphs.ts";
import { TINY_TRANSFORMER, tinyTransformer } from "../tools/tiny-transformer.ts";

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error("usage: node bench/lora-exports.ts DIR");
const sizes = { ...TINY_TRANSFORMER, layers: 2, zeroCond: false };
const rng = randomSource(1);
const normal = (...shape: number[]) => f32(shape, rng.normals(new Float32Array(shape.reduce((n, d) => n * d, 1))));

const { tensors } = tinyTransformer(1, sizes);
const inner = sizes.heads * sizes.headDim;
const config = {
  _class_name: "QwenImageTransformer2DModel",
  ...{ patch_size: 2, in_channels: 64, out_channels: 16, num_layers: sizes.layers, attention_head_dim: sizes.headDim },
  ...{ num_attention_heads: sizes.heads, joint_attention_dim: sizes.jointAttentionDim, axes_dims_rope: sizes.axes, zero_cond_t: false },
};
mkdirSync(join(directory, "transformer"), { recursive: true });
writeFileSync(join(directory, "transformer/config.json"), JSON.stringify(config));
const weights = writeSafetensors(tensors, { format: "pt", config: JSON.stringify(config) });
writeFileSync(join(directory, "transformer/diffusion_pytorch_model.safetensors"), weights);

const { model } = await loadTransformer(weightsOfBytes("transformer", weights));
// Ranks 2 and 3 with alphas 8 and 1: a program that loses alpha, or takes one rank for all, is far off.
const adapters = [...model.linears]
  .filter(([path]) => /^(transformer_blocks\.|img_in$|txt_in$|proj_out$|norm_out\.linear$)/.test(path))
  .map(([target, [out, in_]], k) => {
    const [rank, alpha] = k % 3 === 0 ? [3, 1] : [2, 8];
    const small = (t: Tensor<"float32">) =>
      f32(
        t.shape,
        t.data.map((x) => x * 0.05),
      );
    return { target, a: small(normal(rank, in_)), b: small(normal(out, rank)), scale: alpha / rank };
  });

const grid = { target: { h: 4, w: 6 }, references: [{ h: 3, w: 2 }] };
const shape = { batch: 1, ...grid, prompt: { text: [1, 7, sizes.jointAttentionDim] }, convention: "diffusers" } as const;
const inputs = { x: normal(1, 24, 64), references: normal(1, 6, 64), text: normal(1, 7, sizes.jointAttentionDim), sigma: f32([1], [0.6]) };
const compute = createRuntime({ device: "cpu", threads: 1 });
const velocity = async (of: typeof model): Promise<Tensor> => {
  const { text, ...rest } = inputs;
  const { v } = await compute.run(velocityGraph(of, shape), { ...rest, [promptInput("text")]: text });
  if (!v) throw new Error("no velocity");
  return v;
};
const results = new Map<string, Tensor>([...Object.entries(inputs), ["base", await velocity(model)]]);
for (const format of LORA_FORMATS) {
  const bytes = writeLora({ adapters }, format, "float32");
  writeFileSync(join(directory, `${format}.safetensors`), bytes);
  const back = await loadLora(weightsOfBytes(format, bytes), model.linears, 1);
  results.set(format, await velocity(model.withAdapters(back.adapters)));
  console.log(`${format}: ${readSafetensors(bytes).tensors.size} tensors, ${back.unmatched.length} unmatched here`);
}
writeFileSync(
  join(directory, "velocities.safetensors"),
  writeSafetensors(results, { layers: String(adapters.length), inner: String(inner) }),
);
await compute.dispose();
