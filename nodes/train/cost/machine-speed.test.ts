import { expect, test } from "vitest";
import type { Compute, Executable } from "../../../engine/ir/compute.ts";
import { fakeContext } from "../../../test/fake-context.ts";
import { fakeExample, fakeReward, skippedReward } from "../../../test/fake-diffusion.ts";
import { interpreterCompute } from "../../../test/interpreter-compute.ts";
import type { Reward } from "../../shared/contracts/modules.ts";
import { Throughput } from "../pretrain/throughput.ts";
import { flopsOf } from "./graph-flops.ts";
import { machineSpeed } from "./machine-speed.ts";
import { rewardSeconds } from "./reward-seconds.ts";

/** A machine on which the runs of each compiled graph take these milliseconds, one after the other. */
function machine(milliseconds: readonly (readonly number[])[]) {
  let clock = 0;
  const flops: number[] = [];
  const left = milliseconds.map((each) => [...each]);
  const compute: Compute = {
    ...interpreterCompute(),
    compile: async (graph): Promise<Executable> => {
      const own = left[flops.length] ?? [];
      flops.push(flopsOf(graph));
      return {
        strategy: "whole",
        predictedPeak: { weights: 0, activations: 0, peak: 0 },
        run: async () => {
          clock += own.shift() ?? 0;
          return {};
        },
      };
    },
  };
  const pass = (ms: number) => {
    clock += ms;
  };
  return { ...fakeContext(), compute, now: () => clock, flops, pass };
}

test("the quickest of three runs counts, after one that warms up; products by their operations, small nodes by their number", async () => {
  const ctx = machine([
    [9000, 100, 80, 90],
    [9000, 70, 64, 51.2],
  ]);
  const { flops, matrixFlops, secondsPerNode } = await machineSpeed(ctx);
  // Eight products of 512³, and one sum that is next to nothing.
  expect(matrixFlops / ((2 * 512 ** 3 * 8) / 0.08)).toBeCloseTo(1, 9);
  expect((ctx.flops[0] ?? 0) / (2 * 512 ** 3 * 8)).toBeCloseTo(1, 3);
  expect(flops / matrixFlops).toBeCloseTo(0.6, 9);
  expect(secondsPerNode).toBeCloseTo(0.0512 / 256, 12);
});

test("a clock that stands still gives finite numbers", async () => {
  const { flops, secondsPerNode } = await machineSpeed(machine([]));
  expect([Number.isFinite(flops), secondsPerNode > 0]).toEqual([true, true]);
});

test("a reward is timed from the second time on, looking and gradient", async () => {
  let clock = 0;
  const compute = interpreterCompute();
  const slow: Reward = {
    ...fakeReward,
    async observe(...asked) {
      clock += 500;
      return fakeReward.observe(...asked);
    },
  };
  const timed: Compute = {
    ...compute,
    grad: async (...asked) => {
      const executable = await compute.grad(...asked);
      clock += 90_000;
      return {
        ...executable,
        run: async (feeds) => {
          clock += 1250;
          return executable.run(feeds);
        },
      };
    },
  };
  const ctx = { compute: timed, now: () => clock };
  expect(await rewardSeconds(ctx, slow, fakeExample(0))).toBe(1.75);
  expect(await rewardSeconds(ctx, skippedReward, fakeExample(0))).toBe(0);
});

test("every fifty updates: examples a second, the speed in the networks as part of the machine's, and the time outside them", async () => {
  // 8 products of 512³ in 1 s: 2.147 GFLOP/s.
  const ctx = machine([[0, 1000, 1000, 1000]]);
  const throughput = await Throughput.of(ctx);
  const updates = (n: number) => {
    for (let k = 0; k < n; k++) {
      ctx.pass(200);
      throughput.add(4, 0.16e9, 150);
    }
  };
  updates(49);
  expect(ctx.logs).toEqual([]);
  updates(1);
  // 200 examples in 10 s, of which 7.5 s in the networks: 8 GFLOP.
  expect(ctx.logs).toEqual([
    "info: 20.0 examples a second; 1.07 GFLOP/s in the networks, 50 % of this machine's matrix products; 25 % of the time outside them",
  ]);
  ctx.pass(10_000);
  updates(50);
  expect(ctx.logs[1]).toBe(
    "info: 10.0 examples a second; 1.07 GFLOP/s in the networks, 50 % of this machine's matrix products; 63 % of the time outside them",
  );
});
