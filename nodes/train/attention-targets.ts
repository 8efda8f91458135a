/** The attention projections of both streams: the targets of UMO and of most public Qwen-Image-Edit LoRAs. */
export const ATTENTION_TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"] as const;
