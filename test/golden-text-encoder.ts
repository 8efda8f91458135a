// What te_tiny_io.safetensors says about its encoder, in the terms of the loader.
import { z } from "zod";
import type { WeightFile } from "../engine/node/context.ts";
import type { HfConfig } from "../nodes/qwen/text/text-encoder-config.ts";
import type { PatchGrid } from "../nodes/qwen/text/vision/windows.ts";

const Config = z.object({
  vision: z.object({ heads: z.number(), fullatt: z.array(z.number()), window: z.number() }),
  text: z.object({ heads: z.number(), mrope_section: z.array(z.number()), theta: z.number(), eps: z.number() }),
});
const Layout = z.array(z.union([z.number(), z.string().regex(/^IMG\d+$/)]));
const Grids = z.array(z.tuple([z.number(), z.number()]));

export interface GoldenTextEncoder {
  readonly config: HfConfig;
  readonly grids: readonly PatchGrid[];
  /** A token id, or the index of a picture. */
  readonly layout: readonly ({ readonly id: number } | { readonly image: number })[];
}

/** Reads the metadata. @throws ZodError when it is not of that form */
export function goldenTextEncoder(io: WeightFile): GoldenTextEncoder {
  const json = (key: string): unknown => JSON.parse(io.metadata[key] ?? "null");
  const { vision, text } = Config.parse(json("config"));
  return {
    config: {
      num_attention_heads: text.heads,
      rms_norm_eps: text.eps,
      rope_theta: text.theta,
      rope_scaling: { mrope_section: text.mrope_section },
      vision_config: { num_heads: vision.heads, fullatt_block_indexes: vision.fullatt, window_size: vision.window },
    },
    grids: Grids.parse(json("grids")).map(([h, w]) => ({ h, w })),
    layout: Layout.parse(json("token_layout")).map((x) => (typeof x === "number" ? { id: x } : { image: Number(x.slice(3)) })),
  };
}
