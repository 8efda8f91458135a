import { expect, test } from "vitest";
import { reach } from "../../engine/ir/graph.ts";
import type { WeightEntry } from "../../engine/node/context.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import { sizeOf } from "../../engine/tensor/shape.ts";
import { memoryWeights } from "../../test/memory-weights.ts";
import { loadTransformer } from "./dit-model.ts";

/** Headers only of qwen_image_edit_2511_bf16.safetensors: names and shapes as released, no bytes behind them. */
function releasedHeaders(): Map<string, WeightEntry> {
  const entries = new Map<string, WeightEntry>();
  let offset = 0;
  const add = (name: string, shape: readonly number[]) => {
    const length = 2 * sizeOf(shape);
    entries.set(name, { name, dtype: "bfloat16", shape, source: { kind: "file", path: "released", offset, length } });
    offset += length;
  };
  const linear = (path: string, out: number, width: number) => {
    add(`${path}.weight`, [out, width]);
    add(`${path}.bias`, [out]);
  };
  const inner = 3072;
  linear("time_text_embed.timestep_embedder.linear_1", inner, 256);
  linear("time_text_embed.timestep_embedder.linear_2", inner, inner);
  add("txt_norm.weight", [3584]);
  linear("img_in", inner, 64);
  linear("txt_in", inner, 3584);
  for (let i = 0; i < 60; i++) {
    const block = `transformer_blocks.${i}`;
    for (const layer of ["to_q", "to_k", "to_v", "add_q_proj", "add_k_proj", "add_v_proj", "to_out.0", "to_add_out"])
      linear(`${block}.attn.${layer}`, inner, inner);
    for (const layer of ["norm_q", "norm_k", "norm_added_q", "norm_added_k"]) add(`${block}.attn.${layer}.weight`, [128]);
    for (const stream of ["img", "txt"]) {
      linear(`${block}.${stream}_mod.1`, 6 * inner, inner);
      linear(`${block}.${stream}_mlp.net.0.proj`, 4 * inner, inner);
      linear(`${block}.${stream}_mlp.net.2`, inner, 4 * inner);
    }
  }
  linear("norm_out.linear", 2 * inner, inner);
  linear("proj_out", 64, inner);
  return entries;
}

test("the released architecture loads from its headers and builds at 1024² with two references", async () => {
  const tensors = releasedHeaders();
  expect([...tensors.values()].reduce((n, t) => n + sizeOf(t.shape), 0)).toBe(20_430_401_088);
  const { model, config, unused } = await loadTransformer({ ...memoryWeights(new Map()), tensors });
  expect(config).toEqual({
    num_layers: 60,
    num_attention_heads: 24,
    attention_head_dim: 128,
    joint_attention_dim: 3584,
    in_channels: 64,
    axes_dims_rope: [16, 56, 56],
    zero_cond_t: false,
  });
  expect(unused).toEqual([]);
  const b = newBuilder();
  const v = model.build(b, {
    shape: {
      batch: 1,
      target: { h: 64, w: 64 },
      references: [
        { h: 64, w: 64 },
        { h: 42, w: 98 },
      ],
      textLength: 620,
      positions: "comfyui",
    },
    x: b.input("x", "float32", [1, 4096, 64]),
    references: b.input("references", "float32", [1, 4096 + 4116, 64]),
    text: b.input("text", "float32", [1, 620, 3584]),
    sigma: b.input("sigma", "float32", [1]),
  });
  expect(v.shape).toEqual([1, 4096, 64]);
  // Every tensor but the last block's dead text branch: its output and MLP.
  expect(reach(b.graph({ v })).weights.length).toBe(1933 - 6);
});
