import { randomSource } from "../engine/base/random.ts";
import { writeLora } from "../engine/formats/lora-file.ts";
import { f32 } from "../engine/tensor/tensor.ts";
import { TINY_TRANSFORMER, type TinyTransformerSizes } from "./tiny-transformer.ts";

const RANK = 4;

/** A random rank-4 LoRA on the image stream's attention, as ComfyUI reads it. */
export function tinyLora(seed: number, sizes: TinyTransformerSizes = TINY_TRANSFORMER): Uint8Array {
  const rng = randomSource(seed);
  const width = sizes.heads * sizes.headDim;
  const matrix = (rows: number, columns: number, std: number) =>
    f32(
      [rows, columns],
      rng.normals(new Float32Array(rows * columns)).map((x) => x * std),
    );
  const adapters = Array.from({ length: sizes.layers }, (_, i) =>
    ["to_q", "to_k", "to_v", "to_out.0"].map((layer) => {
      const target = `transformer_blocks.${i}.attn.${layer}`;
      return {
        target,
        nameA: `${target}.A`,
        nameB: `${target}.B`,
        a: matrix(RANK, width, 1 / Math.sqrt(width)),
        b: matrix(width, RANK, 0.3),
        scale: 1,
      };
    }),
  ).flat();
  return writeLora({ adapters }, "comfyui", "bfloat16");
}
