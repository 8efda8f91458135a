import { afterAll, expect, test } from "vitest";
import { randomSource } from "../../../engine/base/random.ts";
import type { Compute, Feeds } from "../../../engine/ir/compute.ts";
import { createRuntime } from "../../../engine/ort/runtime.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { fakeFace } from "../../../test/fake-faces.ts";
import type { Face } from "../contracts/data.ts";
import { averageOf, freshScorer, learnFromDrawn } from "./scorer-learner.ts";
import { initialScorer, scorerOfArrays, scorerShapes } from "./scorer-net.ts";

const runtime = createRuntime({ device: "cpu", threads: 1 });
afterAll(() => runtime.dispose());
const about = { id: "s", name: "s", side: 24, width: 1, temperature: 1 };
const arrays = initialScorer(about, 3);
const scorer = scorerOfArrays(about, arrays);
const options = { every: 1, rate: 0.01, decay: 0.75, history: 3 };
const [SIZE, AREA] = [40, 3 * 24 * 24];
const flat = (value: number, size = SIZE) => f32([1, size, size, 3], new Float32Array(3 * size * size).fill(value));
const drawn = (value: number, real = 0.9, faces: readonly Face[] = [fakeFace(20, 20, 24)]) => ({
  image: flat(value),
  context: { compute: runtime, references: null, target: { image: flat(real), faces } },
});
const learn = (state: Map<string, Float32Array>, pictures: Parameters<typeof learnFromDrawn>[3], o = options, compute: Compute = runtime) =>
  learnFromDrawn(compute, scorer, state, pictures, o, randomSource(1));
const counts = (state: ReadonlyMap<string, Float32Array>) => [...(state.get("counts") ?? [])];
const names = [...scorerShapes(about).keys()];

test("it begins with the scorer's own numbers, without moments and without history", async () => {
  const state = await freshScorer(runtime, scorer, options);
  expect(averageOf(state, scorer)).toEqual(arrays);
  for (const name of names) {
    expect(state.get(`weight.${name}`)).toEqual(arrays.get(name));
    for (const part of ["m", "v"]) expect(state.get(`${part}.${name}`)).toEqual(new Float32Array(arrays.get(name)?.length ?? -1));
  }
  for (const part of ["drawn", "real"]) expect(state.get(`history.${part}`)).toEqual(new Float32Array(3 * AREA));
  expect(counts(state)).toEqual([0, 0, 0]);
  // The average is an array of the state, so that whoever reads it sees what is learned.
  expect(averageOf(state, scorer).get("out.bias")).toBe(state.get("average.out.bias"));
});

test("a step moves the weights, by no more than AdamW's rate, and the average by its share of that", async () => {
  const state = await freshScorer(runtime, scorer, options);
  const logs = await learn(state, [drawn(0.2)]);
  expect(logs).toEqual({ "refresh.loss": expect.any(Number), "refresh.left_out": 0 });
  expect(counts(state)).toEqual([1, 1, 1]);
  let moved = 0;
  for (const name of names) {
    const [before, weight, average] = [arrays.get(name), state.get(`weight.${name}`), state.get(`average.${name}`)];
    weight?.forEach((w, i) => {
      const [b = Number.NaN, a = Number.NaN] = [before?.[i], average?.[i]];
      expect(Math.abs(w - b)).toBeLessThan(0.0102);
      expect(a).toBeCloseTo(0.75 * b + 0.25 * w, 6);
      if (w !== b) moved++;
    });
  }
  expect(moved).toBeGreaterThan(10);
  expect(names.some((name) => state.get(`m.${name}`)?.some((x) => x !== 0))).toBe(true);
  await learn(state, [drawn(0.2)]);
  expect(counts(state)).toEqual([2, 2, 2]);
});

test("steps are made at every so many updates, and at none without a face", async () => {
  const state = await freshScorer(runtime, scorer, options);
  const steps: boolean[] = [];
  for (let k = 0; k < 6; k++) steps.push("refresh.loss" in (await learn(state, [drawn(0.2)], { ...options, every: 3 })));
  expect(steps).toEqual([false, false, true, false, false, true]);
  expect(counts(state)).toEqual([6, 2, 6]);
  // A step that is due and not made is no silence.
  expect(await learn(state, [])).toEqual({ "refresh.left_out": 1 });
  const other = { ...drawn(0.2), image: flat(0.2, 48) };
  const blind = { ...drawn(0.2), context: { ...drawn(0.2).context, target: null } };
  const small = drawn(0.2, 0.9, [fakeFace(20, 20, 20)]);
  for (const nothing of [other, blind, small, drawn(0.2, 0.9, [])])
    expect(await learn(state, [nothing])).toEqual({ "refresh.left_out": 1 });
  expect(counts(state)).toEqual([11, 2, 6]);
});

/** What the loss was fed, beside what the runtime makes of it. */
function watching(seen: Feeds[], spoil = false): Compute {
  return {
    ...runtime,
    async grad(...asked) {
      const ready = await runtime.grad(...asked);
      return {
        ...ready,
        async run(feeds) {
          seen.push(feeds);
          const results = await ready.run(feeds);
          return spoil ? { ...results, loss: f32([], [Number.NaN]) } : results;
        },
      };
    },
  };
}
/** Means of the windows of a role, rounded to a tenth: who they are of. */
const windowsOf = (feeds: Feeds | undefined, role: number) =>
  Array.from({ length: 8 }, (_, k) => {
    const part = Array.from(
      (feeds?.windows?.data ?? new Float32Array()).subarray((role * 8 + k) * AREA, (role * 8 + k + 1) * AREA),
      Number,
    );
    return Math.round((10 * part.reduce((s, x) => s + x, 0)) / AREA) / 10;
  });

test("half of the worse faces are this update's, half those kept from before; the better are the true ones at the same places", async () => {
  const state = await freshScorer(runtime, scorer, options);
  const seen: Feeds[] = [];
  // At first there are none from before.
  await learn(state, [drawn(0.2)], options, watching(seen));
  expect(windowsOf(seen[0], 1)).toEqual(new Array(8).fill(0.2));
  expect(windowsOf(seen[0], 0)).toEqual(new Array(8).fill(0.9));
  await learn(state, [drawn(0.5, 0.8)], options, watching(seen));
  expect(windowsOf(seen[1], 1)).toEqual([0.5, 0.2, 0.5, 0.2, 0.5, 0.2, 0.5, 0.2]);
  expect(windowsOf(seen[1], 0)).toEqual([0.8, 0.9, 0.8, 0.9, 0.8, 0.9, 0.8, 0.9]);
  // All are labelled: the true ones count as real and the drawn ones as generated.
  expect([...(seen[1]?.real?.data ?? [])]).toEqual(new Array(8).fill(1));
  expect(Array.from(seen[1]?.fake?.data ?? [], Number).slice(0, 8)).toEqual(new Array(8).fill(1));
});

test("the history takes the newest in place of the oldest, several of one update too", async () => {
  const state = await freshScorer(runtime, scorer, options);
  const never = { ...options, every: 99 };
  const kept = (part: string) => [0, 1, 2].map((k) => Math.round(10 * (state.get(`history.${part}`)?.[k * AREA] ?? -1)) / 10);
  await learn(state, [drawn(0.1), drawn(0.2)], never);
  expect(kept("drawn")).toEqual([0.1, 0.2, 0]);
  await learn(state, [drawn(0.3, 0.7), drawn(0.4, 0.6)], never);
  expect([kept("drawn"), kept("real")]).toEqual([
    [0.4, 0.2, 0.3],
    [0.6, 0.9, 0.7],
  ]);
  expect(counts(state)).toEqual([2, 0, 4]);
});

test("a step whose numbers are not finite is left out aloud, and nothing of the scorer changes", async () => {
  const state = await freshScorer(runtime, scorer, options);
  expect(await learn(state, [drawn(0.2)], options, watching([], true))).toEqual({ "refresh.left_out": 1 });
  expect(averageOf(state, scorer)).toEqual(arrays);
  expect(counts(state)).toEqual([1, 0, 1]);
});
