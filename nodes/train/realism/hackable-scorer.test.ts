import { expect, test } from "vitest";
import { randomSource } from "../../../engine/base/random.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { createRuntime } from "../../../engine/ort/runtime.ts";
import { expectDType, f32 } from "../../../engine/tensor/tensor.ts";
import { blobPreferences, portrait, smallScorer } from "../../../test/blob-portraits.ts";
import { type RealismScorer, scoreWindows } from "../../shared/realism/scorer-net.ts";
import { hackAlarm, type SampleHistory } from "../loop/hack-alarm.ts";
import { scoreOf } from "./evaluate-scorer.ts";

const runtime = createRuntime({ device: "cpu" });
const SIDE = 32;
const SAMPLES = 12;

/** A face as planes, and grain of its own. */
function sample(k: number): { readonly face: Float32Array; readonly grain: Float32Array } {
  const { data } = portrait(3000 + k, 0.06);
  const face = new Float32Array(3 * SIDE * SIDE);
  const noise = randomSource(k).normals(new Float32Array(SIDE * SIDE));
  for (let i = 0; i < face.length; i++) {
    const place = i % SIDE ** 2;
    face[i] = data[3 * ((4 + Math.floor(place / SIDE)) * 40 + 4 + (place % SIDE)) + Math.floor(i / SIDE ** 2)] ?? 0;
  }
  return { face, grain: face.map((_, i) => noise[i % SIDE ** 2] ?? 0) };
}

/** Trains the one weight of a model that adds grain, by the scorer's gradient, and measures both scorers along the way. */
async function optimise(trained: RealismScorer, watched: RealismScorer): Promise<SampleHistory[]> {
  const shape = [1, 3, SIDE, SIDE];
  const b = newBuilder();
  const strength = b.input("strength", "float32", [1]);
  const picture = b.add(b.input("face", "float32", shape), b.mul(b.input("grain", "float32", shape), strength));
  const net = await runtime.grad(b.graph({ score: b.sum(scoreWindows(b, trained, picture), [], false) }), "score", ["strength"]);
  const samples = Array.from({ length: SAMPLES }, (_, k) => sample(k));
  let a = 0.002;
  const history: SampleHistory[] = [];
  for (let step = 0; step <= 12; step++) {
    if (step % 4 === 0) {
      const rows = [];
      for (const { face, grain } of samples) {
        const planes = { side: SIDE, data: face.map((x, i) => x + a * (grain[i] ?? 0)) };
        rows.push({ reward: await scoreOf(runtime, trained, planes), watched: await scoreOf(runtime, watched, planes) });
      }
      history.push({ step, rows });
    }
    let slope = 0;
    for (const { face, grain } of samples) {
      const results = await net.run({ strength: f32([1], [a]), face: f32(shape, face), grain: f32(shape, grain) });
      const g = results["grad.strength"];
      slope += g ? (expectDType(g, "float32", "slope")[0] ?? 0) : 0;
    }
    a = Math.max(0, a + 0.003 * Math.sign(slope));
  }
  return history;
}

test("a scorer that never saw grain pays for grain; the one that did, which is only watched, falls, and the alarm goes off", async () => {
  const hackable = await smallScorer(runtime, { preferences_1: blobPreferences, hard_negatives: "blur, plastic", seed: 5 });
  const negatives = "blur, plastic, grey_grain, plastic_grain";
  const sound = await smallScorer(runtime, { preferences_1: blobPreferences, hard_negatives: negatives, seed: 2, width: 5, steps: 140 });
  const history = await optimise(hackable, sound);
  const mean = (at: number, name: "reward" | "watched") => (history[at]?.rows ?? []).reduce((s, row) => s + (row[name] ?? 0), 0) / SAMPLES;
  expect(mean(3, "reward")).toBeGreaterThan(mean(0, "reward") + 0.5);
  expect(mean(3, "watched")).toBeLessThan(mean(0, "watched") - 0.5);
  expect(hackAlarm(history)).toMatch(/the reward is being fooled/);
  // The sound scorer as the reward: its gradient asks for no grain, and there is nothing to warn of.
  expect(hackAlarm(await optimise(sound, hackable))).toBeUndefined();
});
