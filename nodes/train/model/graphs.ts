// The differentiable pieces of training, each a graph over one model or one reward: compiled once per shape, then fed.

import type { Builder } from "../../../engine/ir/builder.ts";
import { nameOf, reach } from "../../../engine/ir/graph.ts";
import type { Graph, Value } from "../../../engine/ir/value.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import type {
  DenoiseInputs,
  DenoiseShape,
  DiffusionModel,
  GridSize,
  Reward,
  RewardObservation,
  Vae,
} from "../../shared/contracts/modules.ts";
import { unpackTokens } from "../../shared/diffusion/packing.ts";

/** Channels of a packed token: 16 latent channels × 2×2 patch. */
const TOKEN = 64;

/** Number of tokens of a grid. */
export function tokensOf(grid: GridSize): number {
  return grid.h * grid.w;
}

function denoiseInputs(b: Builder, model: DiffusionModel, shape: DenoiseShape): DenoiseInputs {
  const n = tokensOf(shape.target);
  const r = shape.references.reduce((sum, g) => sum + tokensOf(g), 0);
  return {
    shape,
    x: b.input("x", "float32", [shape.batch, n, TOKEN]),
    references: r > 0 ? b.input("references", "float32", [shape.batch, r, TOKEN]) : null,
    text: b.input("text", "float32", [shape.batch, shape.textLength, model.jointAttentionDim]),
    sigma: b.input("sigma", "float32", [shape.batch]),
  };
}

/** Names of the weights a graph depends on. */
export function weightNames(graph: Graph): readonly string[] {
  return reach(graph).weights.map(nameOf);
}

/** x, references, text, sigma → v. Adapters are fed, so one session serves the whole run. */
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

/** tokens [1,N,64] (normalised) → image [1,3,H,W] in 0..1, not clamped. */
function decodeTokens(b: Builder, vae: Vae, tokens: Value, grid: GridSize): Value {
  const normalised = unpackTokens(b, tokens, grid);
  const perChannel = (xs: readonly number[]) => b.constant({ dtype: "float32", shape: [1, xs.length, 1, 1], data: Float32Array.from(xs) });
  const raw = b.add(b.mul(normalised, perChannel(vae.latentsStd)), perChannel(vae.latentsMean));
  return b.mul(b.add(vae.decode.build(b, raw), 1), 0.5);
}

/** x0 tokens → `image` [1,3,H,W] in 0..1, and `loss`, its sum, where asked for: something to differentiate. */
export function decodeGraph(vae: Vae, grid: GridSize, withLoss = false): Graph {
  const b = newBuilder();
  const tokens = b.input("x0", "float32", [1, tokensOf(grid), TOKEN]);
  const image = decodeTokens(b, vae, tokens, grid);
  return b.graph({ image, ...(withLoss && { loss: b.sum(image, [], false) }) });
}

/** x0 tokens and a reward's constants → `loss` = −reward, and its parts as `part.<name>`. */
export function rewardLossGraph(vae: Vae, grid: GridSize, reward: Reward, observation: RewardObservation): Graph {
  const b = newBuilder();
  const image = decodeTokens(b, vae, b.input("x0", "float32", [1, tokensOf(grid), TOKEN]), grid);
  const constants = Object.fromEntries(
    Object.entries(observation.constants).map(([name, t]) => [name, b.input(`reward.${name}`, t.dtype, t.shape)]),
  );
  const built = reward.build(b, image, constants, observation.structure);
  const parts = Object.fromEntries(Object.entries(built.parts).map(([name, v]) => [`part.${name}`, v]));
  return b.graph({ loss: b.neg(built.reward), ...parts });
}
