import { AppError } from "../../../engine/base/errors.ts";
import { sha256 } from "../../../engine/base/hash.ts";
import { writeSafetensors } from "../../../engine/formats/safetensors.ts";
import { implementNode } from "../../../engine/node/define-node.ts";
import { emitOnnx } from "../../../engine/onnx/emit.ts";
import { newBuilder, opRow } from "../../../engine/ops/table.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { parseDegradations } from "../../shared/realism/degradations.ts";
import type { Share } from "../../shared/realism/pair-statistics.ts";
import type { Preferences } from "../../shared/realism/preferences.ts";
import { batchOfPairs } from "../../shared/realism/scorer-batch.ts";
import { scorerLossGraph } from "../../shared/realism/scorer-loss.ts";
import {
  initialScorer,
  type RealismScorer,
  SCORER_FORMAT,
  scorerOfArrays,
  scorerShapes,
  scoreWindows,
} from "../../shared/realism/scorer-net.ts";
import { exampleAt, streamOf } from "../loop/data-order.ts";
import { freshState, trainLoop } from "../loop/train-loop.ts";
import { gradientsOf } from "../pretrain/trained-weights.ts";
import { evaluateScorer } from "./evaluate-scorer.ts";
import { facePairs } from "./face-windows.ts";
import declaration, { NOT_DEGRADATIONS } from "./train-realism-reward.node.ts";

export default implementNode(declaration, {
  async run({ preferences_1, face_detector, ...i }, ctx, extra) {
    const kinds = parseDegradations(i.hard_negatives);
    if (!kinds) throw new AppError("REALISM_DEGRADATIONS", NOT_DEGRADATIONS);
    const sets = [preferences_1, ...Object.values(extra).filter(isPreferences)];
    const train = await facePairs(ctx, sets, "train", face_detector, i.side);
    const heldOut = await facePairs(ctx, sets, "heldOut", face_detector, i.side);
    if (train.length === 0)
      throw new AppError("REALISM_EMPTY", `no training pair has faces of ${i.side} pixels or more`, {
        hint: "lower side, or give larger pictures",
      });
    if (kinds.length === 0 && train.every((pair) => !pair.lose))
      throw new AppError("REALISM_EMPTY", "there is nothing to compare with: no worse pictures and no hard negatives");
    if (heldOut.length === 0) ctx.log("warn", "no pair is held out: how good the scorer is stays unknown, and it is not calibrated");
    const grainless = kinds.length > 0 && !kinds.includes("grey_grain") && !kinds.includes("plastic_grain");
    if (grainless || kinds.length === 0) ctx.log("warn", "no grain among the hard negatives: noise will pass for texture");

    const shape = { width: i.width };
    const params = initialScorer(shape, i.seed);
    const state = freshState(params, scorerShapes(shape), i.ema_decay > 0);
    const { checkpoint_every, prefix, ...settings } = i;
    const fingerprint = sha256(JSON.stringify([declaration.version, sets.map((s) => s.id), face_detector?.id, settings]));
    const directory = `realism-${fingerprint.slice(0, 12)}`;
    const dir = await ctx.runDirectory(directory);
    ctx.show({ training: [{ directory, updates: i.steps }] });
    const names = [...params.keys()].map((name) => `scorer.${name}`);
    const net = await ctx.compute.grad(
      scorerLossGraph({ ...shape, batch: i.batch, side: i.side, crossEntropy: i.cross_entropy }),
      "loss",
      names,
      { fed: names },
    );
    const finished = await trainLoop(
      ctx,
      dir,
      state,
      {
        steps: i.steps,
        accumulate: 1,
        lr: i.learning_rate,
        schedule: i.lr_schedule,
        warmup: i.warmup,
        maxGradNorm: i.max_grad_norm,
        adam: { weightDecay: i.weight_decay },
        emaDecay: i.ema_decay,
        checkpointEvery: checkpoint_every,
        fingerprint,
      },
      {
        async micro(_, step) {
          const rng = streamOf(i.seed, 9, step);
          const chosen = Array.from({ length: i.batch }, (_, k) => train[exampleAt(i.seed, train.length, step * i.batch + k)]);
          const feeds = await batchOfPairs(
            chosen.filter((p) => p !== undefined),
            kinds,
            i.side,
            rng,
          );
          const weights = Object.fromEntries(
            [...params].map(([name, data]) => [`scorer.${name}`, f32(state.shapes.get(name) ?? [], data)]),
          );
          const results = await net.run({ ...weights, ...feeds });
          const grads = new Map([...gradientsOf(results, names)].map(([name, g]) => [name.slice("scorer.".length), g]));
          const scalar = (name: string) => Number(results[name]?.data[0]);
          return {
            grads,
            logs: { loss: scalar("loss"), loss_preference: scalar("preferences"), loss_cross_entropy: scalar("cross_entropy") },
          };
        },
      },
    );
    if (!finished)
      throw new AppError("CANCELLED", `stopped after update ${state.adam.step} of ${i.steps}; the checkpoint is in ${dir.path}`, {
        hint: "run the same command again to continue",
      });

    const arrays = state.ema ?? state.params;
    const about = { id: `scorer:${fingerprint}:${i.steps}`, name: prefix, side: i.side, ...shape };
    const raw = scorerOfArrays({ ...about, temperature: 1 }, arrays);
    const evaluation = await evaluateScorer(ctx.compute, raw, heldOut, i.seed);
    const scorer = scorerOfArrays({ ...about, temperature: heldOut.length > 0 ? evaluation.temperature : 1 }, arrays);
    const numbers = {
      ...(evaluation.pairs && spread("pairs", evaluation.pairs)),
      ...(evaluation.auc && spread("auc", evaluation.auc)),
      ...Object.fromEntries(
        heldOut.length > 0 ? Object.entries(evaluation.degradations).map(([kind, share]) => [`over_${kind}`, share.value]) : [],
      ),
      temperature: scorer.temperature,
      train_pairs: train.length,
      held_out_pairs: heldOut.length,
    };
    const metadata = {
      format: SCORER_FORMAT,
      width: String(i.width),
      side: String(i.side),
      temperature: String(scorer.temperature),
      about: JSON.stringify({ ...settings, ...numbers }),
    };
    const tensors = new Map([...arrays].map(([name, data]) => [name, f32(state.shapes.get(name) ?? [data.length], data)]));
    await ctx.saveAs(`${prefix}.safetensors`, writeSafetensors(tensors, metadata));
    await ctx.saveAs(`${prefix}.onnx`, onnxOf(scorer, arrays));
    ctx.score("scorer", numbers);
    return { scorer, METRICS: { values: numbers, details: evaluation } };
  },
});

function spread(name: string, { value, low, high }: Share): Record<string, number> {
  return { [name]: value, [`${name}_low`]: low, [`${name}_high`]: high };
}

/** `windows` [1, 3, side, side] in 0..1 → `log_odds` [1], for other tools. */
function onnxOf(scorer: RealismScorer, arrays: ReadonlyMap<string, Float32Array>): Uint8Array {
  const b = newBuilder();
  const constants = {
    ...scorer,
    weight: (_: unknown, name: string, shape: readonly number[]) => b.constant(f32(shape, arrays.get(name) ?? [])),
  };
  const log_odds = scoreWindows(b, constants, b.input("windows", "float32", [1, 3, scorer.side, scorer.side]));
  return emitOnnx(b.graph({ log_odds }), opRow).model;
}

function isPreferences(x: unknown): x is Preferences {
  return typeof x === "object" && x !== null && "pair" in x && "heldOut" in x;
}
