import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { IMAGE, LATENT, VAE } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "VAEDecodeTiled",
  version: "1.0.0",
  category: "latent",
  summary: "Decodes raw latents tile by tile, for pictures that do not fit into memory; blends as diffusers does.",
  inputs: {
    samples: input(LATENT),
    vae: input(VAE),
    tile_size: widget(z.number().int().min(64).max(4096).default(512), { tooltip: "Side of a tile in pixels.", step: 64 }),
    overlap: widget(z.number().int().min(0).max(4096).default(64), { tooltip: "Pixels shared by neighbouring tiles.", step: 32 }),
    temporal_size: widget(z.number().int().min(8).max(4096).default(64), { tooltip: "For video only: without effect here.", step: 4 }),
    temporal_overlap: widget(z.number().int().min(4).max(4096).default(8), { tooltip: "For video only: without effect here.", step: 4 }),
  },
  outputs: { IMAGE },
  cache: "pure",
  check: ({ tile_size, overlap }) =>
    tile_size !== undefined && overlap !== undefined && overlap >= tile_size
      ? [
          {
            input: "overlap",
            message: `overlap ${overlap} must be below tile_size ${tile_size}`,
            hint: "an eighth to a quarter of the tile is usual",
          },
        ]
      : [],
});
