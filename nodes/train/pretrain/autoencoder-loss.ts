// The VAE's loss: pictures through a slightly noisy latent, whose moments are held near those that samplers expect.

import type { Graph } from "../../../engine/ir/value.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import type { Vae } from "../../shared/contracts/modules.ts";
import { denormaliseValue, normaliseValue } from "../../shared/diffusion/latent-space.ts";

export interface AutoencoderLoss {
  /** Pictures per evaluation, and their size. */
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  /** Weight of the moments' distance from those of a unit normal. */
  readonly momentWeight: number;
}

/**
 * Inputs `image` [B,3,H,W] in -1..1 and `noise` [B,C,H/cell,W/cell] (added to the normalised latent). Outputs
 * `loss` = mean|x̂ − x| + 2·mean(x̂ − x)² + momentWeight·mean_c(μ_c² + (m_c − 1)²), with μ and m the first and second moment of
 * channel c of the normalised latent, and `mse` for pictures in 0..1.
 */
export function autoencoderLossGraph(vae: Vae, { batch, height, width, momentWeight }: AutoencoderLoss): Graph {
  const b = newBuilder();
  const image = b.input("image", "float32", [batch, 3, height, width]);
  const normalised = normaliseValue(b, vae.encode.build(b, image), vae.statistics);
  const first = b.mean(normalised, [0, 2, 3]);
  const second = b.sub(b.mean(b.mul(normalised, normalised), [0, 2, 3]), 1);
  const moments = b.mean(b.add(b.mul(first, first), b.mul(second, second)), [], false);
  const noisy = b.add(normalised, b.input("noise", "float32", normalised.shape));
  const error = b.sub(vae.decode.build(b, denormaliseValue(b, noisy, vae.statistics)), image);
  const mse = b.mean(b.mul(error, error), [], false);
  const loss = b.add(b.add(b.mean(b.abs(error), [], false), b.mul(mse, 2)), b.mul(moments, momentWeight));
  return b.graph({ loss, mse: b.mul(mse, 0.25), moments });
}
