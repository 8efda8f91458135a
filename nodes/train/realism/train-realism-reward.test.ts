import { expect, test } from "vitest";
import { withGradients } from "../../../engine/autodiff/with-gradients.ts";
import { randomSource } from "../../../engine/base/random.ts";
import { readSafetensors } from "../../../engine/formats/safetensors.ts";
import { inputName } from "../../../engine/onnx/emit.ts";
import { importOnnx } from "../../../engine/onnx/import.ts";
import { interpret } from "../../../engine/ops/interpret.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { createRuntime } from "../../../engine/ort/runtime.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { BLOB_SIZE, blobPreferences, portrait, SMALL_SCORER } from "../../../test/blob-portraits.ts";
import { fakeContext } from "../../../test/fake-context.ts";
import { memoryDirectory } from "../../../test/memory-directory.ts";
import { memoryWeights } from "../../../test/memory-weights.ts";
import { DEGRADATIONS } from "../../shared/realism/degradations.ts";
import { degrade } from "../../shared/realism/degrade.ts";
import { auc, pairAccuracy, temperatureOf, wilson } from "../../shared/realism/pair-statistics.ts";
import type { Preferences } from "../../shared/realism/preferences.ts";
import { ROLES, scorerLossGraph } from "../../shared/realism/scorer-loss.ts";
import { scorerOfFile, scorerShapes } from "../../shared/realism/scorer-net.ts";
import { scoreOf } from "./evaluate-scorer.ts";
import trainRealismReward from "./train-realism-reward.ts";

const preferences = blobPreferences;
const asked = SMALL_SCORER;
const runtime = createRuntime({ device: "cpu" });
function context() {
  const directory = memoryDirectory();
  return { ...fakeContext(runtime), runDirectory: async () => directory, directory };
}

test("a trained scorer orders held-out pairs and worsened faces, says how sure it is, and comes out as safetensors and ONNX", async () => {
  const ctx = context();
  const { scorer, METRICS } = await trainRealismReward.run(asked, ctx, {});
  const { values } = METRICS;
  expect(values.pairs).toBeGreaterThan(0.9);
  expect(values.auc).toBeGreaterThan(0.9);
  expect(values.pairs_low).toBeLessThan(values.pairs ?? 0);
  expect(values).toMatchObject({ train_pairs: 24, held_out_pairs: 12 });
  for (const kind of ["blur", "plastic"]) expect(values[`over_${kind}`], kind).toBeGreaterThan(0.9);

  const window = {
    data: randomSource(4)
      .normals(new Float32Array(3 * 24 * 24))
      .map((x) => 0.5 + 0.1 * x),
    side: 24,
  };
  const own = await scoreOf(runtime, scorer, window);
  const { tensors, metadata } = readSafetensors(ctx.saved.get("scorer.safetensors") ?? new Uint8Array());
  const loaded = scorerOfFile(memoryWeights(tensors, { metadata: Object.fromEntries(Object.entries(metadata)) }));
  expect(await scoreOf(runtime, loaded, window)).toBeCloseTo(own, 5);
  expect(loaded.temperature).toBe(scorer.temperature);

  const onnx = importOnnx(ctx.saved.get("scorer.onnx") ?? new Uint8Array());
  const b = newBuilder();
  const x = b.input("x", "float32", [1, 3, 24, 24]);
  const [output] = onnx.outputs;
  const built = onnx.build(b, { [inputName("windows")]: x })[output?.name ?? ""];
  if (!built) throw new Error("no output");
  const { y } = await runtime.run(b.graph({ y: built }), { x: f32([1, 3, 24, 24], window.data) });
  expect(Number(y?.data[0])).toBeCloseTo(own, 4);
});

test("stopped and continued it is the same, byte for byte", async () => {
  const short = { ...asked, steps: 12, checkpoint_every: 5 };
  const whole = context();
  await trainRealismReward.run(short, whole, {});
  const dies = context();
  dies.directory.beforeWrite = (_, file, line) => {
    if (file === "metrics.jsonl" && line?.includes('"step":8')) throw new Error("power cut");
  };
  await expect(Promise.resolve(trainRealismReward.run(short, dies, {}))).rejects.toThrow(/power cut/);
  dies.directory.beforeWrite = undefined;
  await trainRealismReward.run(short, dies, {});
  expect(dies.saved.get("scorer.safetensors")).toEqual(whole.saved.get("scorer.safetensors"));
  expect(dies.directory.files.get("metrics.jsonl")).toEqual(whole.directory.files.get("metrics.jsonl"));
});

test("what cannot be trained on is refused in words, and what is missing is said", async () => {
  await expect(Promise.resolve(trainRealismReward.run({ ...asked, side: 48 }, context(), {}))).rejects.toThrow(
    /no training pair has faces of 48 pixels/,
  );
  const bare: Preferences = {
    ...preferences,
    pair: async (split, index) => ({ ...(await preferences.pair(split, index)), win: { image: portrait(1, 0.1) } }),
  };
  await expect(Promise.resolve(trainRealismReward.run({ ...asked, preferences_1: bare }, context(), {}))).rejects.toThrow(
    /does not say where its faces are/,
  );
  const alone: Preferences = {
    ...preferences,
    heldOut: 0,
    pair: async (split, index) => ({ ...(await preferences.pair(split, index)), lose: null }),
  };
  await expect(
    Promise.resolve(trainRealismReward.run({ ...asked, preferences_1: alone, hard_negatives: "" }, context(), {})),
  ).rejects.toThrow(/nothing to compare/);
  const warned = context();
  await trainRealismReward.run({ ...asked, steps: 1, preferences_1: alone, hard_negatives: "blur" }, warned, {});
  expect(warned.logs.join("\n")).toMatch(/no pair is held out[\s\S]*noise will pass for texture/);
});

test("the loss and its gradients, against the formula and central differences in float64", () => {
  const [batch, side, width] = [1, 24, 2];
  const graph = scorerLossGraph({ batch, side, width, crossEntropy: 0.7 });
  const rng = randomSource(8);
  const draw = (shape: readonly number[], std: number) => ({
    shape,
    data: Float64Array.from({ length: shape.reduce((a, d) => a * d, 1) }, () => std * rng.normal()),
  });
  const windows = draw([ROLES * batch, 3, side, side], 0.2);
  const positive = (shape: readonly number[]) => ({ shape, data: draw(shape, 1).data.map(Math.abs) });
  const weights = { preference: positive([ROLES - 1, batch]), real: positive([1, batch]), fake: positive([ROLES - 1, batch]) };
  const params = Object.fromEntries(
    [...scorerShapes({ width })].map(([name, shape]) => [`scorer.${name}`, draw(shape, name.endsWith("bias") ? 0.1 : 0.4)]),
  );
  const feeds = { windows, ...weights, ...params };
  const here = interpret(graph, feeds);
  expect(Number(here.loss?.data[0])).toBeCloseTo(Number(here.preferences?.data[0]) + 0.7 * Number(here.cross_entropy?.data[0]), 5);
  for (const name of ["scorer.conv.0.weight", "scorer.conv.4.bias", "scorer.out.weight"]) {
    const slope = interpret(withGradients(graph, "loss", [name]), feeds)[`grad.${name}`]?.data ?? new Float64Array();
    const { shape, data } = params[name] ?? { shape: [], data: new Float64Array() };
    const direction = data.map(() => rng.normal());
    const at = (step: number) =>
      Number(interpret(graph, { ...feeds, [name]: { shape, data: data.map((x, i) => x + step * (direction[i] ?? 0)) } }).loss?.data[0]);
    const directional = slope.reduce((s, g, i) => s + g * (direction[i] ?? 0), 0);
    expect(Math.abs(directional - (at(1e-5) - at(-1e-5)) / 2e-5), name).toBeLessThan(1e-6 * Math.max(1, Math.abs(directional)));
  }
});

test("shares, areas and temperature, by hand", () => {
  expect(wilson(8, 10)).toMatchObject({ value: 0.8 });
  expect(wilson(8, 10).low).toBeCloseTo(0.4902, 3);
  expect(wilson(8, 10).high).toBeCloseTo(0.9433, 3);
  expect(
    pairAccuracy([
      { win: 1, lose: 0 },
      { win: 0, lose: 0 },
    ]).value,
  ).toBe(0.75);
  expect(auc([3, 2], [1, 2]).value).toBe(0.875);
  // Margins of ±2, 3 of 4 right, each with p = 5/6: σ(2/T) = (3·5/6 + 1/6)/4 = 2/3.
  expect(temperatureOf([2, 2, 2, -2])).toBeCloseTo(2 / Math.log(2), 4);
});

test("every degradation changes the picture, keeps its range, and follows from its seed", async () => {
  const { data } = portrait(3, 0.05);
  const planes = {
    side: BLOB_SIZE,
    data: Float32Array.from({ length: data.length }, (_, i) => data[3 * (i % BLOB_SIZE ** 2) + Math.floor(i / BLOB_SIZE ** 2)] ?? 0),
  };
  for (const kind of DEGRADATIONS) {
    const once = await degrade(kind, planes, 1, randomSource(1));
    expect(
      once.data.every((x) => x >= 0 && x <= 1),
      kind,
    ).toBe(true);
    expect(
      once.data.some((x, i) => Math.abs(x - (planes.data[i] ?? 0)) > 2e-3),
      kind,
    ).toBe(true);
    expect((await degrade(kind, planes, 1, randomSource(1))).data, kind).toEqual(once.data);
  }
});
