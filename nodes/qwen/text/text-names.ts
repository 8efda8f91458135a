// The namings of Qwen2.5-VL's tensors, and the encoders that are not it.
import { AppError } from "../../../engine/base/errors.ts";
import type { WeightFile } from "../../../engine/node/context.ts";

/** Tensors that identify another encoder. The first that matches names it. */
const OTHERS: readonly (readonly [what: string, ...tensors: string[]])[] = [
  [
    "Qwen3-VL",
    "model.visual.deepstack_merger_list.0.norm.weight",
    "visual.deepstack_merger_list.0.norm.weight",
    "model.visual.pos_embed.weight",
  ],
  ["Qwen2-VL", "visual.blocks.0.mlp.fc1.weight", "model.visual.blocks.0.mlp.fc1.weight"],
  ["Qwen2.5-Omni", "thinker.model.embed_tokens.weight"],
  ["Qwen3", "model.layers.0.self_attn.q_norm.weight", "model.language_model.layers.0.self_attn.q_norm.weight"],
  ["Gemma", "model.layers.0.pre_feedforward_layernorm.weight"],
  ["CLIP", "text_model.embeddings.token_embedding.weight", "transformer.text_model.embeddings.token_embedding.weight"],
  ["OpenCLIP", "transformer.resblocks.0.attn.in_proj_weight", "model.transformer.resblocks.0.attn.in_proj_weight"],
  ["T5", "encoder.block.0.layer.0.SelfAttention.q.weight", "shared.weight"],
  ["BERT", "bert.embeddings.word_embeddings.weight", "embeddings.word_embeddings.weight"],
  ["a language model as llama.cpp names it (GGUF)", "blk.0.attn_q.weight"],
  ["a Qwen-Image transformer", "txt_norm.weight", "model.diffusion_model.txt_norm.weight"],
  ["a VAE", "decoder.conv_in.weight", "decoder.conv1.weight"],
];

const PREFIXES = [
  { visual: "model.visual.", language: "model.language_model." },
  { visual: "visual.", language: "model." },
];

/**
 * Tensor names by the single-file name (`model.layers.0.…`, `visual.blocks.0.…`), whether the file has those or the names
 * transformers ≥ 4.52 saves (`model.language_model.…`, `model.visual.…`). `lm_head` is left out: nothing uses it.
 * @throws AppError TEXT_FAMILY when the file holds something else, saying what where it can
 */
export function textNames(file: WeightFile): ReadonlyMap<string, string> {
  // More than one tensor has each mark, so that an incomplete file is still recognised.
  const has = (start: string, end: string): boolean => [...file.tensors.keys()].some((n) => n.startsWith(start) && n.endsWith(end));
  const prefix = PREFIXES.find((p) => has(`${p.language}layers.`, ".self_attn.q_proj.weight"));
  const other = OTHERS.find(([, ...tensors]) => tensors.some((t) => file.tensors.has(t)));
  const whole = prefix && has(`${prefix.language}layers.`, ".self_attn.k_proj.bias");
  if (other || !prefix || !whole || !has(`${prefix.visual}blocks.`, ".mlp.gate_proj.weight")) {
    const what =
      other?.[0] ??
      (whole ? "Qwen2.5 without a vision tower" : prefix ? "another language model" : "not a text encoder this program knows");
    throw new AppError("TEXT_FAMILY", `${file.name} is ${what}; Qwen2.5-VL is wanted`, {
      hint: "use qwen_2.5_vl_7b.safetensors or its fp8_scaled form (ComfyUI), or the text_encoder folder of a Qwen-Image-Edit repository",
    });
  }
  const names = new Map<string, string>();
  for (const name of file.tensors.keys())
    if (name.startsWith(prefix.visual)) names.set(`visual.${name.slice(prefix.visual.length)}`, name);
    else if (name.startsWith(prefix.language)) names.set(`model.${name.slice(prefix.language.length)}`, name);
  return names;
}
