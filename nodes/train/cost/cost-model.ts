// What an update costs, counted from the graphs it runs before any of them is compiled.
import { predictPeak } from "../../../engine/autodiff/peak.ts";
import { runsWhole } from "../../../engine/autodiff/runs-whole.ts";
import { segmentedGrad } from "../../../engine/autodiff/segmented-grad.ts";
import { predictForwardPeak, predictTrainingPeak } from "../../../engine/autodiff/segmented-peak.ts";
import { segmentGraph } from "../../../engine/autodiff/segments.ts";
import { leavesNamed, withGradients } from "../../../engine/autodiff/with-gradients.ts";
import type { Compute } from "../../../engine/ir/compute.ts";
import { reach } from "../../../engine/ir/graph.ts";
import type { Graph } from "../../../engine/ir/value.ts";
import type { DenoiseShape, GridSize, Guidance } from "../../shared/contracts/diffusion.ts";
import type { DiffusionModel, Vae } from "../../shared/contracts/modules.ts";
import { decodeGraph, type Painter, velocityGraph, velocityLossGraph, weightNames } from "../model/training-graphs.ts";
import { windowSteps } from "../modes/rerefl.ts";
import type { ObjectiveOptions } from "../objective.ts";
import { flopsOf } from "./graph-flops.ts";

/** Evaluations of one example, on average where the mode draws a step. */
export interface Evaluations {
  /** Evaluations of the transformer, without gradient. */
  readonly forward: number;
  /** Evaluations of the transformer with its backward pass. */
  readonly backward: number;
  /** Pictures that are decoded for a reward, and once more with gradient. */
  readonly reward: number;
}

/** @param guidance null = none. @throws AppError TRAIN_WINDOW when a ReReFL window is empty. */
export function evaluationsOf(options: ObjectiveOptions, sigmas: readonly number[], guidance: Guidance | null): Evaluations {
  const T = sigmas.length - 1;
  const branches = 1 + (guidance?.branches.length ?? 0);
  const guided = guidance ? branches : 0;
  const pretrain = options.lambda > 0 ? 1 : 0;
  const anchors = options.anchorBeta > 0 ? 1 : 0;
  const k = Math.min(options.k, T);
  switch (options.mode) {
    case "rerefl": {
      const steps = windowSteps(sigmas, options);
      const mean = steps.reduce((sum, i) => sum + i, 0) / steps.length;
      return { forward: (mean + 1) * branches + anchors, backward: 1 + pretrain, reward: 1 };
    }
    case "draft":
    case "flowbp_sparse":
      return { forward: T * branches + k * (guided + anchors), backward: k + pretrain, reward: 1 };
    case "draft_lv": {
      const samples = 1 + options.k;
      return { forward: T * branches + samples * (branches + anchors), backward: samples + pretrain, reward: samples };
    }
    case "id_loss":
      return { forward: 1, backward: 1, reward: 1 };
    case "sft":
      return { forward: 0, backward: 1, reward: 0 };
  }
}

/** Evaluations of one picture that is sampled from noise, beside its decoding. @param guidance null = none */
export function evaluationsOfSample(steps: number, guidance: Guidance | null): Evaluations {
  return { forward: steps * (1 + (guidance?.branches.length ?? 0)), backward: 0, reward: 0 };
}

/** Cost of one graph. */
export interface GraphCost {
  readonly flops: number;
  readonly nodes: number;
  /** Bytes of weights and of results in flight. */
  readonly bytes: number;
  /** Whether it runs by segment, because it is too large to run whole. */
  readonly isSegmented: boolean;
}

/** Where a graph of a size runs whole, and how by segment. */
type Memory = Compute["memory"];

function forwardCost(graph: Graph, { wholeBytes, keptWeightBytes }: Memory): GraphCost {
  const predicted = predictPeak(graph);
  const isSegmented = !runsWhole(graph, predicted, wholeBytes);
  const bytes = isSegmented ? predictForwardPeak(segmentGraph(graph), keptWeightBytes).peak : predicted.peak;
  return { flops: flopsOf(graph), nodes: reach(graph).nodes.length, bytes, isSegmented };
}

/** When run by segment, each segment's forward is computed again in the backward pass. */
function backwardCost(graph: Graph, wrt: readonly string[], { wholeBytes, keptWeightBytes }: Memory): GraphCost {
  const whole = withGradients(graph, "loss", wrt);
  const predicted = predictPeak(whole);
  const cost = {
    flops: flopsOf(whole),
    nodes: reach(whole).nodes.length,
    bytes: predicted.peak,
    isSegmented: !runsWhole(whole, predicted, wholeBytes),
  };
  if (!cost.isSegmented) return cost;
  const { peak: bytes } = predictTrainingPeak(segmentedGrad(graph, "loss", leavesNamed(graph, wrt)), keptWeightBytes);
  return { ...cost, flops: cost.flops + flopsOf(graph), nodes: cost.nodes + reach(graph).nodes.length, bytes };
}

export interface ModelCosts {
  readonly forward: GraphCost;
  readonly backward: GraphCost;
  /** VAE decoder alone, and with its gradient: the reward's own graph is only known once it has seen a picture. */
  readonly decode: GraphCost;
  readonly decodeBackward: GraphCost;
}

/** What is trained on, and where. */
export interface Costed {
  readonly model: DiffusionModel;
  readonly vae: Vae;
  readonly shape: DenoiseShape;
  /** Names of the adapters' weights. */
  readonly trainable: ReadonlySet<string>;
  readonly memory: Memory;
}

export function modelCosts({ model, vae, shape, trainable, memory }: Costed): ModelCosts {
  const loss = velocityLossGraph(model, shape);
  return {
    forward: forwardCost(velocityGraph(model, shape), memory),
    backward: backwardCost(
      loss,
      weightNames(loss).filter((name) => trainable.has(name)),
      memory,
    ),
    ...decodeCosts({ vae, space: model.latentSpace }, shape.target, memory),
  };
}

function decodeCosts(painter: Painter, grid: GridSize, memory: Memory): Pick<ModelCosts, "decode" | "decodeBackward"> {
  return {
    decode: forwardCost(decodeGraph(painter, grid), memory),
    decodeBackward: backwardCost(decodeGraph(painter, grid, true), ["x0"], memory),
  };
}

/** Operations of one example. */
export function flopsPerExample(e: Evaluations, costs: ModelCosts): number {
  return e.forward * costs.forward.flops + e.backward * costs.backward.flops + e.reward * (costs.decode.flops + costs.decodeBackward.flops);
}
