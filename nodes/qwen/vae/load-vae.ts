// Opens the Qwen-Image VAE from either naming and makes its two modules.
import { z } from "zod";
import { AppError } from "../../../engine/base/errors.ts";
import type { Builder } from "../../../engine/ir/builder.ts";
import { reach } from "../../../engine/ir/graph.ts";
import type { Value } from "../../../engine/ir/value.ts";
import type { WeightFile } from "../../../engine/node/context.ts";
import { holding } from "../../../engine/node/holding.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { toFloat32 } from "../../../engine/tensor/convert.ts";
import { sizeOf } from "../../../engine/tensor/shape.ts";
import { f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import type { LatentStatistics } from "../../shared/contracts/data.ts";
import type { Vae } from "../../shared/contracts/modules.ts";

import { allFinite, weightsNotFinite } from "../../shared/finite.ts";

import { QWEN_STATISTICS } from "./statistics.ts";
import { vaeNames } from "./vae-names.ts";
import { buildDecoder, buildEncoder, type VaeLayout, vaeLayout } from "./vae-network.ts";

const Config = z.object({ latents_mean: z.array(z.number()).optional(), latents_std: z.array(z.number().positive()).optional() });

/**
 * Reads the weights that one still picture uses into host memory as float32 (178 MB at full size): of every causal 3-D
 * kernel only the last temporal slice is ever used, and that slice is strided in the file.
 * `config.json` beside the weights may override latents_mean and latents_std.
 * @throws AppError VAE_FAMILY, VAE_LAYOUT, VAE_TENSOR_MISSING, MODEL_NOT_FINITE, VAE_CONFIG
 */
export async function loadVae(file: WeightFile): Promise<Vae> {
  const { names, inFile } = vaeNames(file);
  const layout = vaeLayout(file.name, names.keys(), inFile, (name) => file.tensors.get(names.get(name) ?? "")?.shape);
  const statistics = await normalisation(file, layout.zDim);
  const weights = new Map<string, Tensor<"float32">>();
  for (const [name, stored] of names)
    if (/^(encoder|decoder|quant_conv|post_quant_conv)\b/.test(name) && !name.includes(".time_conv.")) {
      const tensor = lastFrame(name, await file.read(stored));
      if (!allFinite(tensor.data)) throw weightsNotFinite(file.name, stored);
      weights.set(name, tensor);
    }
  const weight = (b: Builder, name: string): Value => {
    const tensor = weights.get(name);
    if (!tensor)
      throw new AppError("VAE_TENSOR_MISSING", `${file.name} has no ${inFile(name)}`, {
        hint: "the file is incomplete: download it again",
      });
    return b.weight(`vae.${name}`, "float32", tensor.shape, { kind: "host", tensor });
  };
  const id = `vae:${file.fingerprint}`;
  const vae: Vae = {
    id,
    encode: {
      id: `${id}:encode`,
      build(b, image) {
        const [, c, h = 0, w = 0] = image.shape;
        if (c !== 3 || !h || !w || h % layout.ratio || w % layout.ratio)
          throw new AppError("VAE_SIZE", `the VAE takes [B,3,H,W] with H and W multiples of ${layout.ratio}, got [${image.shape}]`);
        return buildEncoder(b, layout, weight, image);
      },
    },
    decode: {
      id: `${id}:decode`,
      build(b, latent) {
        if (latent.shape.length !== 4 || latent.shape[1] !== layout.zDim || !sizeOf(latent.shape))
          throw new AppError("VAE_SIZE", `the VAE takes latents [B,${layout.zDim},h,w], got [${latent.shape}]`, {
            hint: "the latent comes from another model family",
          });
        return buildDecoder(b, layout, weight, latent);
      },
    },
    channels: layout.zDim,
    cell: layout.ratio,
    statistics,
  };
  checkWhole(file, layout, vae, [...weights.keys()]);
  return holding(vae, weights);
}

/** Builds both directions at the smallest size: every tensor must be there, fit, and have a place. */
function checkWhole(file: WeightFile, layout: VaeLayout, vae: Vae, loaded: readonly string[]): void {
  const b = newBuilder();
  const image = b.input("image", "float32", [1, 3, layout.ratio, layout.ratio]);
  try {
    const image2 = vae.decode.build(b, vae.encode.build(b, image));
    const used = new Set(reach(b.graph({ image: image2 })).weights.map((v) => (v.def.kind === "weight" ? v.def.name : "")));
    const unused = loaded.find((name) => !used.has(`vae.${name}`));
    if (unused) throw new AppError("VAE_LAYOUT", `${unused} has no place in the network`);
  } catch (cause) {
    if (cause instanceof AppError && cause.code === "VAE_TENSOR_MISSING") throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError("VAE_LAYOUT", `${file.name}: ${reason}`, {
      cause,
      hint: "the file is incomplete or not this VAE: download it again",
    });
  }
}

/** float32; [O,I,T,k,k] → its last temporal slice [O,I,k,k]; a gamma in any form → [1,C,1,1]. */
function lastFrame(name: string, stored: Tensor): Tensor<"float32"> {
  const data = toFloat32(stored);
  if (name.endsWith(".gamma")) return f32([1, data.length, 1, 1], data);
  const [o = 1, i = 1, t = 1, kh = 1, kw = 1] = stored.shape;
  if (stored.shape.length !== 5) return f32(stored.shape, data);
  const area = kh * kw;
  const out = new Float32Array(o * i * area);
  for (let row = 0; row < o * i; row++) out.set(data.subarray((row * t + t - 1) * area, (row + 1) * t * area), row * area);
  return f32([o, i, kh, kw], out);
}

async function normalisation(file: WeightFile, zDim: number): Promise<LatentStatistics> {
  const text = await file.text("config.json");
  let config: z.infer<typeof Config> = {};
  if (text !== undefined) {
    try {
      config = Config.parse(JSON.parse(text));
    } catch (cause) {
      throw new AppError("VAE_CONFIG", `config.json of ${file.name} is not a VAE configuration`, { cause });
    }
  }
  const mean = config.latents_mean ?? QWEN_STATISTICS.mean;
  const std = config.latents_std ?? QWEN_STATISTICS.std;
  if (mean.length !== zDim || std.length !== zDim)
    throw new AppError(
      "VAE_CONFIG",
      `${file.name} has ${zDim} latent channels, latents_mean and latents_std have ${mean.length} and ${std.length}`,
      {
        hint: "give latents_mean and latents_std of that length in a config.json beside the file",
      },
    );
  return { mean, std };
}
