// The differentiable pieces of training, each a graph over one model or one reward: compiled once per shape, then fed.
import type { Builder } from "../../../engine/ir/builder.ts";
import { nameOf, reach } from "../../../engine/ir/graph.ts";
import type { Graph, Value } from "../../../engine/ir/value.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import type { DenoiseShape, GridSize, LatentSpace } from "../../shared/contracts/diffusion.ts";
import type { DiffusionModel, Reward, RewardObservation, Vae } from "../../shared/contracts/modules.ts";
import { denoiseInputs } from "../../shared/diffusion/denoise-inputs.ts";
import { denormaliseValue, tokensOf, tokenWidth } from "../../shared/diffusion/latent-space.ts";
import { unpackTokens } from "../../shared/diffusion/packing.ts";

/** Names of the weights a graph depends on. */
export function weightNames(graph: Graph): readonly string[] {
  return reach(graph).weights.map(nameOf);
}

/** x, references, prompt, sigma → v. Adapters are fed, so one session serves the whole run. */
export function velocityGraph(model: DiffusionModel, shape: DenoiseShape): Graph {
  const b = newBuilder();
  return b.graph({ v: model.build(b, denoiseInputs(b, model, shape)) });
}

/**
 * The loss whose gradient is one evaluation's share: Σ v·cotangent + weight·mean((v − target)²). The same graph serves
 * rewards (weight 0) and the flow-matching loss (cotangent 0). Outputs `loss`, `v`, `mse`.
 */
export function velocityLossGraph(model: DiffusionModel, shape: DenoiseShape): Graph {
  const b = newBuilder();
  const v = model.build(b, denoiseInputs(b, model, shape));
  const cotangent = b.input("cotangent", "float32", v.shape);
  const target = b.input("target", "float32", v.shape);
  const weight = b.input("weight", "float32", []);
  const error = b.sub(v, target);
  const mse = b.mean(b.mul(error, error), [], false);
  return b.graph({ loss: b.add(b.sum(b.mul(v, cotangent), [], false), b.mul(weight, mse)), v, mse });
}

/** What turns latents into pictures: a VAE, and the latent space of the diffusion model. */
export interface Painter {
  readonly vae: Vae;
  readonly space: LatentSpace;
}

function tokensInput(b: Builder, space: LatentSpace, grid: GridSize): Value {
  return b.input("x0", "float32", [1, tokensOf(grid), tokenWidth(space)]);
}

/** tokens [1,N,width] (normalised) → image [1,3,H,W] in 0..1, not clamped. */
function decodeTokens(b: Builder, { vae, space }: Painter, tokens: Value, grid: GridSize): Value {
  const raw = denormaliseValue(b, unpackTokens(b, tokens, grid, space.patch), vae.statistics);
  return b.mul(b.add(vae.decode.build(b, raw), 1), 0.5);
}

/** x0 tokens → `image` [1,3,H,W] in 0..1, and `loss`, its sum, where asked for, which gives something to differentiate. */
export function decodeGraph(painter: Painter, grid: GridSize, withLoss = false): Graph {
  const b = newBuilder();
  const image = decodeTokens(b, painter, tokensInput(b, painter.space, grid), grid);
  return b.graph({ image, ...(withLoss && { loss: b.sum(image, [], false) }) });
}

/** x0 tokens and a reward's constants → `loss` = −reward, and its parts as `part.<name>`. */
export function rewardLossGraph(painter: Painter, grid: GridSize, reward: Reward, observation: RewardObservation): Graph {
  const b = newBuilder();
  const image = decodeTokens(b, painter, tokensInput(b, painter.space, grid), grid);
  const constants = Object.fromEntries(
    Object.entries(observation.constants).map(([name, t]) => [name, b.input(`reward.${name}`, t.dtype, t.shape)]),
  );
  const built = reward.build(b, image, constants, observation.structure);
  const parts = Object.fromEntries(Object.entries(built.parts).map(([name, v]) => [`part.${name}`, v]));
  return b.graph({ loss: b.neg(built.reward), ...parts });
}
