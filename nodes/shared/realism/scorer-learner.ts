// A scorer that goes on learning while a model is trained on it: what the run draws is worse than what it should have drawn.
import type { RandomSource } from "../../../engine/base/random.ts";
import type { Compute } from "../../../engine/ir/compute.ts";
import { adamWStep, clipGradNorm, emaStep } from "../../../engine/nn/adamw.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { expectDType, f32 } from "../../../engine/tensor/tensor.ts";
import type { DrawnPicture } from "../contracts/modules.ts";
import { DEGRADATIONS } from "./degradations.ts";
import type { Planes } from "./degrade.ts";
import { facePixels, windowPixels } from "./face-pixels.ts";
import { batchOfPairs, type FacePair } from "./scorer-batch.ts";
import { scorerLossGraph } from "./scorer-loss.ts";
import { type RealismScorer, scorerShapes } from "./scorer-net.ts";

export interface RefreshOptions {
  /** Updates of the training between steps of the scorer. */
  readonly every: number;
  readonly rate: number;
  /** Of the running average of the weights, which is what the reward reads. */
  readonly decay: number;
  /** Windows of earlier updates that are kept. */
  readonly history: number;
}

type State = ReadonlyMap<string, Float32Array>;

/** Comparisons per step of the scorer. */
const BATCH = 8;
/** λ of the cross-entropy, as TrainRealismReward's default. */
const CROSS_ENTROPY = 0.5;
/** Parts of the state: weights, their moments, their average, and the drawn windows with what should have been there. */
const PARTS = ["weight", "m", "v", "average"] as const;

/**
 * The state at the start: weights and average of the scorer as it is, moments 0, no history. `counts`: updates seen, steps made, windows put into the
 * history so far.
 */
export async function freshScorer(
  compute: Compute,
  scorer: RealismScorer,
  { history }: RefreshOptions,
): Promise<Map<string, Float32Array>> {
  const b = newBuilder();
  const shapes = scorerShapes(scorer);
  const values = await compute.run(
    b.graph(Object.fromEntries([...shapes].map(([name, shape]) => [name, b.add(scorer.weight(b, name, shape), 0)]))),
    {},
  );
  const state = new Map<string, Float32Array>();
  for (const name of shapes.keys()) {
    const value = values[name];
    const data = value ? expectDType(value, "float32", name) : new Float32Array();
    for (const part of PARTS) state.set(`${part}.${name}`, part === "m" || part === "v" ? new Float32Array(data.length) : data.slice());
  }
  const area = 3 * scorer.side * scorer.side;
  state.set("history.drawn", new Float32Array(history * area)).set("history.real", new Float32Array(history * area));
  return state.set("counts", new Float32Array(3));
}

/** The weights that the reward reads: arrays of the state itself. */
export function averageOf(state: State, scorer: RealismScorer): Map<string, Float32Array> {
  return partOf(state, scorer, "average");
}

/**
 * Puts the update's faces into the history, and every so often makes one AdamW step: half of the worse faces are this update's, half the
 * history's; the better ones are the true pictures at the same places, which are worsened too, so that nothing is unlearned.
 * @param windows faces of a picture, `drawn` beside `real`. @returns `refresh.loss` when a step was made, `refresh.left_out` 1 when it was due and was not
 */
export async function learnFromDrawn(
  compute: Compute,
  scorer: RealismScorer,
  state: State,
  drawn: readonly DrawnPicture[],
  options: RefreshOptions,
  rng: RandomSource,
): Promise<Record<string, number>> {
  const counts = state.get("counts") ?? new Float32Array(3);
  const [seen = 0, steps = 0, put = 0] = counts;
  const now = drawn.flatMap((picture) => facesOf(picture, scorer.side, rng));
  const before = historyOf(state, scorer.side, Math.min(put, options.history));
  remember(state, now, put, options.history);
  counts.set([seen + 1, steps, put + now.length]);
  const all = before.length > 0 ? before : now;
  if ((seen + 1) % options.every !== 0) return {};
  if (now.length === 0) return { "refresh.left_out": 1 };
  const pairs = Array.from({ length: BATCH }, (_, k) => {
    const from = k % 2 === 0 ? now : all;
    return from[rng.below(from.length)];
  }).filter((pair) => pair !== undefined);
  const { side, width } = scorer;
  const shapes = scorerShapes(scorer);
  const names = [...shapes.keys()].map((name) => `scorer.${name}`);
  const net = await compute.grad(scorerLossGraph({ batch: BATCH, side, width, crossEntropy: CROSS_ENTROPY }), "loss", names, {
    fed: names,
  });
  const weights = partOf(state, scorer, "weight");
  const feeds = Object.fromEntries([...weights].map(([name, data]) => [`scorer.${name}`, f32(shapes.get(name) ?? [], data)]));
  const results = await net.run({ ...feeds, ...(await batchOfPairs(pairs, DEGRADATIONS, side, rng)) });
  const grads = new Map(
    [...shapes.keys()].map((name) => {
      const g = results[`grad.scorer.${name}`];
      return [name, g ? expectDType(g, "float32", name).slice() : new Float32Array()] as const;
    }),
  );
  const loss = Number(results.loss?.data[0]);
  // A step that is not finite would spoil the scorer for good: it is left out, and the log says so.
  const norm = clipGradNorm(grads, 1);
  if (!Number.isFinite(loss) || !Number.isFinite(norm)) return { "refresh.left_out": 1 };
  adamWStep(weights, grads, { step: steps, m: partOf(state, scorer, "m"), v: partOf(state, scorer, "v") }, options.rate);
  emaStep(averageOf(state, scorer), weights, options.decay);
  counts[1] = steps + 1;
  return { "refresh.loss": loss, "refresh.left_out": 0 };
}

function partOf(state: State, scorer: RealismScorer, part: (typeof PARTS)[number]): Map<string, Float32Array> {
  return new Map([...scorerShapes(scorer).keys()].map((name) => [name, state.get(`${part}.${name}`) ?? new Float32Array()]));
}

/** Faces of a drawn picture and of the true one at the same places, as windows of `side` pixels. Without a true picture there are none. */
function facesOf({ image, context: { target } }: DrawnPicture, side: number, rng: RandomSource): FacePair[] {
  if (!target || target.image.shape.join() !== image.shape.join()) return [];
  return facePixels(image, target.faces, side).flatMap(({ window }) => {
    if (window.side < side) return [];
    const inner = { x: window.x + rng.below(window.side - side + 1), y: window.y + rng.below(window.side - side + 1), side };
    const planes = (of: typeof image): Planes => ({ data: windowPixels(of, inner).data.map((x) => Math.min(1, Math.max(0, x))), side });
    return [{ win: planes(target.image), lose: planes(image), weight: 1, labelled: true }];
  });
}

function historyOf(state: State, side: number, count: number): FacePair[] {
  const area = 3 * side * side;
  const planes = (name: string, k: number): Planes => ({
    data: (state.get(name) ?? new Float32Array()).slice(k * area, (k + 1) * area),
    side,
  });
  return Array.from({ length: count }, (_, k) => ({
    win: planes("history.real", k),
    lose: planes("history.drawn", k),
    weight: 1,
    labelled: true,
  }));
}

/** The newest replace the oldest. */
function remember(state: State, faces: readonly FacePair[], put: number, history: number): void {
  for (const [k, { win, lose }] of faces.entries()) {
    const at = ((put + k) % history) * win.data.length;
    state.get("history.real")?.set(win.data, at);
    if (lose) state.get("history.drawn")?.set(lose.data, at);
  }
}
