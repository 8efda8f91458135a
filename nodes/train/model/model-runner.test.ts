import { expect, test } from "vitest";
import type { Compute } from "../../../engine/ir/compute.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { fakeClip, fakeExample, fakeModel, fakeReward, fakeVae, noise, QWEN_LIKE } from "../../../test/fake-diffusion.ts";
import { compute, modelOf, shapes, startParams } from "../../../test/plain-objective.ts";
import type { Vae } from "../../shared/contracts/modules.ts";
import { ExampleStore } from "./example-store.ts";
import { addSpent, ModelRunner } from "./model-runner.ts";
import { prepareExample } from "./prepared-example.ts";
import { decodeGraph, velocityGraph, weightNames } from "./training-graphs.ts";

const model = modelOf(QWEN_LIKE);
const options = { guidanceScale: 1, negativePrompt: "", visionSize: 32 };
const example = await prepareExample(compute, { model, vae: fakeVae, clip: fakeClip }, fakeExample(0), options);
const { conditional, target } = example;
const x = noise(9, [example.x0.length]).data;
const runnerOf = (params = startParams(), start?: ReadonlyMap<string, Float32Array>) =>
  new ModelRunner(compute, model, fakeVae, params, shapes, undefined, start);
const close = (a: Float32Array, b: Float32Array) => Math.max(...a.map((v, i) => Math.abs(v - (b[i] ?? Number.NaN))));

test("the velocity is that of the weights of now: changed in place, exchanged for a while, or as before the training", async () => {
  const params = startParams();
  const runner = runnerOf(params, startParams());
  const first = await runner.velocity(conditional, x, 0.5);
  for (const p of params.values()) p.fill(0);
  const zero = await runner.velocity(conditional, x, 0.5);
  expect(close(zero, first)).toBeGreaterThan(1e-3);
  expect(close(await runner.velocity(conditional, x, 0.5, "untrained"), first)).toBe(0);
  expect(await runner.withParams(startParams(), () => runner.velocity(conditional, x, 0.5))).toEqual(first);
  expect(await runner.velocity(conditional, x, 0.5)).toEqual(zero);
  await expect(runner.withParams(startParams(), () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await runner.velocity(conditional, x, 0.5)).toEqual(zero);
  // Without weights from before the training these are 0.
  expect(await runnerOf().velocity(conditional, x, 0.5, "untrained")).toEqual(zero);
});

test("gradients of Σ v·cotangent + w·mean((v − target)²), in the weights and in x", async () => {
  const params = startParams();
  const runner = runnerOf(params);
  const [cotangent, v] = [noise(3, [x.length]).data, noise(4, [x.length]).data];
  const request = { x, sigma: 0.4, cotangent, target: { v, weight: 0.7 } };
  const loss = async (at: Float32Array) => {
    const out = await runner.velocity(conditional, at, 0.4);
    return out.reduce((s, z, i) => s + z * (cotangent[i] ?? 0) + (0.7 * (z - (v[i] ?? 0)) ** 2) / x.length, 0);
  };
  const both = await runner.vjp(conditional, { ...request, withInput: true });
  expect(both.v).toEqual(await runner.velocity(conditional, x, 0.4));
  expect(both.mse).toBeCloseTo(both.v.reduce((s, z, i) => s + (z - (v[i] ?? 0)) ** 2, 0) / x.length, 5);
  for (const at of [0, 40, 77]) {
    const moved = (by: number) => loss(x.map((z, i) => (i === at ? z + by : z)));
    expect(both.dx?.[at]).toBeCloseTo(((await moved(1e-2)) - (await moved(-1e-2))) / 2e-2, 2);
  }
  for (const [name, p] of params) {
    const own = p[1] ?? 0;
    const moved = async (by: number) => {
      p[1] = own + by;
      const value = await loss(x);
      p[1] = own;
      return value;
    };
    expect(both.grads.get(name)?.[1], name).toBeCloseTo(((await moved(1e-2)) - (await moved(-1e-2))) / 2e-2, 1);
  }
  expect((await runner.vjp(conditional, request)).dx).toBeNull();
  // Nothing to follow and nothing to come near: no gradient at all.
  const idle = await runner.vjp(conditional, { x, sigma: 0.4, cotangent: null, target: null });
  for (const g of idle.grads.values()) expect(g.every((z) => z === 0)).toBe(true);
});

test("a weight that the velocity does not depend on has a gradient of 0", async () => {
  const params = new Map(startParams()).set("other", new Float32Array(3));
  const { grads } = await new ModelRunner(compute, model, fakeVae, params, shapes).vjp(conditional, {
    x,
    sigma: 1,
    cotangent: x,
    target: null,
  });
  expect(grads.get("other")).toEqual(new Float32Array(3));
  expect(weightNames(velocityGraph(model, conditional.shape))).not.toContain("other");
});

test("pictures come as rows of colours, clamped", async () => {
  const bright: Vae = { ...fakeVae, decode: { id: "bright", build: (b, z) => b.mul(fakeVae.decode.build(b, z), 3) } };
  const runner = new ModelRunner(compute, model, bright, new Map(), new Map());
  const { shape, data } = await runner.decode(target, x);
  const planes = (await compute.run(decodeGraph({ vae: bright, space: model.latentSpace }, target), { x0: f32([1, 2, 64], x) })).image;
  expect(shape).toEqual([1, 16, 32, 3]);
  expect([Math.min(...data), Math.max(...data)]).toEqual([0, 1]);
  data.forEach((value, i) => {
    const [pixel, c] = [Math.floor(i / 3), i % 3];
    expect(value).toBeCloseTo(Math.min(1, Math.max(0, Number(planes?.data[c * 512 + pixel]))), 6);
  });
});

test("the first number that is not finite is remembered with what it was, until somebody clears it", async () => {
  const runner = runnerOf();
  const nan = x.map((z, i) => (i === 5 ? Number.NaN : z));
  await runner.velocity(conditional, x, 0.5);
  expect(runner.notFinite).toBeUndefined();
  await runner.velocity(conditional, nan, 0.25);
  expect(runner.notFinite).toMatch(/^the model's velocity at σ 0\.250 is NaN at \d+$/);
  await runner.decode(target, nan);
  expect(runner.notFinite).toMatch(/velocity/);
  runner.notFinite = undefined;
  await runner.decode(target, nan);
  expect(runner.notFinite).toMatch(/^the decoded picture is NaN/);
  runner.notFinite = undefined;
  await runner.vjp(conditional, { x: nan, sigma: 1, cotangent: null, target: null });
  expect(runner.notFinite).toMatch(/velocity at σ 1\.000/);
  runner.notFinite = undefined;
  const seen = await fakeReward.observe(fakeExample(0).target, { compute, references: null, target: null });
  await runner.reward(target, nan, fakeReward, seen);
  expect(runner.notFinite).toBe("the reward is NaN at 0");
});

test("seconds and runs of each kind, and of making graphs ready; memory of what is kept", async () => {
  let clock = 0;
  const timed: Compute = {
    ...compute,
    async compile(...asked) {
      clock += 1000;
      const ready = await compute.compile(...asked);
      return { ...ready, predictedPeak: { weights: 0, activations: 0, peak: 70 }, run: (feeds) => later(250, ready.run(feeds)) };
    },
    async grad(...asked) {
      clock += 3000;
      const ready = await compute.grad(...asked);
      return { ...ready, predictedPeak: { weights: 0, activations: 0, peak: 500 }, run: (feeds) => later(500, ready.run(feeds)) };
    },
  };
  const later = <T>(ms: number, result: Promise<T>) => {
    clock += ms;
    return result;
  };
  const runner = new ModelRunner(timed, model, fakeVae, startParams(), shapes, () => clock);
  for (let k = 0; k < 3; k++) await runner.velocity(conditional, x, 0.5);
  await runner.vjp(conditional, { x, sigma: 1, cotangent: null, target: null });
  await runner.decode(target, x);
  const seen = await fakeReward.observe(fakeExample(0).target, { compute, references: null, target: null });
  const { reward, parts } = await runner.reward(target, x, fakeReward, seen);
  expect(runner.times).toEqual({
    compileSeconds: 1 + 3 + 1 + 3,
    forward: { runs: 3, seconds: 0.75, first: 0.25 },
    backward: { runs: 1, seconds: 0.5, first: 0.5 },
    decode: { runs: 1, seconds: 0.25, first: 0.25 },
    reward: { runs: 1, seconds: 0.5, first: 0.5 },
  });
  expect(runner.predictedBytes).toBe(70 + 500 + 70 + 500);
  expect(reward / (parts.raw ?? 1)).toBeGreaterThan(10);
  // Another reward of the same name and structure is another graph, the same one is not.
  await runner.reward(target, x, { ...fakeReward }, seen);
  await runner.reward(target, x, fakeReward, seen);
  expect(runner.times.compileSeconds).toBe(8 + 3);
  const spent = { runs: 0, seconds: 0, first: 0 };
  for (const seconds of [3, 1, 2]) addSpent(spent, seconds);
  expect(spent).toEqual({ runs: 3, seconds: 6, first: 3 });
});

test("a graph that could not be made ready is tried again", async () => {
  let calls = 0;
  const flaky: Compute = {
    ...compute,
    compile: (...asked) => (calls++ === 0 ? Promise.reject(new Error("out of memory")) : compute.compile(...asked)),
  };
  const runner = new ModelRunner(flaky, model, fakeVae, startParams(), shapes);
  await expect(runner.velocity(conditional, x, 0.5)).rejects.toThrow("out of memory");
  expect(await runner.velocity(conditional, x, 0.5)).toHaveLength(x.length);
  expect(calls).toBe(2);
});

test("an encoded example counts its latents, pictures and prompts, what is shared once; and is timed", async () => {
  let clock = 0;
  const dataset = {
    id: "d",
    train: 1,
    heldOut: 1,
    example: async () => {
      clock += 400;
      return fakeExample(0);
    },
  };
  const sized = async (guidanceScale: number) => {
    const store = new ExampleStore(
      compute,
      { model: fakeModel(), vae: fakeVae, clip: fakeClip, dataset },
      { ...options, guidanceScale },
      { now: () => clock },
    );
    await store.get("train", 0);
    await store.get("train", 0);
    expect(store.times).toEqual({ runs: 1, seconds: 0.4, first: 0.4 });
    await store.get("heldOut", 0);
    expect(store.times).toEqual({ runs: 2, seconds: 0.8, first: 0.4 });
    return store.bytes / 2;
  };
  // Target 16 × 32 and reference 16 × 16 of three colours, two tokens and one of 64, text [2, 2].
  const plain = 4 * (3 * (512 + 256) + 128 + 64 + 4);
  expect(await sized(1)).toBe(plain);
  // A guided one has a negative prompt besides; the reference's tokens, packed for each, are its own.
  expect(await sized(4)).toBe(plain + 4 * (64 + 4));
});
