import type { WeightEntry } from "../engine/node/context.ts";
import { sizeOf } from "../engine/tensor/shape.ts";

/** Headers only of qwen_image_edit_2511_bf16.safetensors: names and shapes as released, no bytes behind them. */
export function releasedHeaders(): Map<string, WeightEntry> {
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
