// Every mode's gradient against central differences of its objective.
import { expect, test } from "vitest";
import { AppError } from "../../../engine/base/errors.ts";
import {
  type FakeFamily,
  FLUX_LIKE,
  fakeClip,
  fakeExample,
  fakeReward,
  fakeVaeOf,
  OMNIGEN2_LIKE,
  QWEN_LIKE,
  skippedReward,
} from "../../../test/fake-diffusion.ts";
import {
  compute,
  modelOf,
  OBJECTIVE,
  type Objective,
  type Params,
  Plain,
  SEED,
  shapes,
  startParams,
  T,
} from "../../../test/plain-objective.ts";
import type { Reward } from "../../shared/contracts/modules.ts";
import { streamOf } from "../loop/data-order.ts";
import type { MicroResult } from "../loop/train-loop.ts";
import { ModelRunner } from "../model/model-runner.ts";
import { prepareExample } from "../model/prepared-example.ts";
import type { Mode, ObjectiveOptions, Situation } from "../objective.ts";
import { draft, draftLv, flowbpSparse, lateBiased } from "./draft.ts";
import { idLoss } from "./id-loss.ts";
import { rerefl, windowSteps } from "./rerefl.ts";
import { sft } from "./sft.ts";

const base: ObjectiveOptions = {
  mode: "rerefl",
  lambda: 0,
  rewardWeight: 1.5,
  steps: T,
  window: [1, 3],
  sigmaRange: [0, 1],
  sigmaRescaleCap: 0,
  k: 1,
  anchorBeta: 0,
};

interface World {
  readonly family: FakeFamily;
  readonly scale: number;
}
const PLAIN: World = { family: QWEN_LIKE, scale: 1 };

async function situation(
  options: ObjectiveOptions,
  reward: Reward | null = fakeReward,
  { family, scale }: World = PLAIN,
): Promise<Situation & { params: Map<string, Float32Array> }> {
  const params = startParams();
  const [model, vae] = [modelOf(family), fakeVaeOf(family)];
  const encoding = { guidanceScale: scale, negativePrompt: "pp", visionSize: 32 };
  const example = await prepareExample(compute, { model, vae, clip: fakeClip }, fakeExample(0), encoding);
  return {
    compute,
    runner: new ModelRunner(compute, model, vae, params, shapes),
    example,
    reward,
    guard: null,
    watched: null,
    schedule: model.schedule,
    sigmas: model.schedule.sigmas(T, example.target),
    guidance: model.guidance(scale),
    options,
    rng: streamOf(SEED, 1),
    params,
  };
}

const RUN: Readonly<Record<Mode, (s: Situation) => Promise<MicroResult>>> = {
  rerefl,
  sft,
  draft,
  draft_lv: draftLv,
  flowbp_sparse: flowbpSparse,
  id_loss: idLoss,
};

async function differences(objective: Objective, theta0: Params): Promise<Map<string, number[]>> {
  const h = 1e-4;
  const grads = new Map<string, number[]>();
  for (const [name, p] of theta0) {
    const g: number[] = [];
    for (let i = 0; i < p.length; i++) {
      const at = (dx: number) =>
        objective(
          new Map(theta0).set(
            name,
            p.map((z, j) => (j === i ? z + dx : z)),
          ),
        );
      g.push(((await at(h)) - (await at(-h))) / (2 * h));
    }
    grads.set(name, g);
  }
  return grads;
}

const guided: World = { family: QWEN_LIKE, scale: 3.5 };
const flux: World = { family: FLUX_LIKE, scale: 1 };
const omnigen2: World = { family: OMNIGEN2_LIKE, scale: 2.5 };
const cases: readonly (readonly [string, Partial<ObjectiveOptions>, World])[] = [
  ["sft", { mode: "sft", lambda: 0.7 }, PLAIN],
  ["rerefl", {}, PLAIN],
  ["rerefl with the pretrain loss", { lambda: 1 }, PLAIN],
  ["rerefl, guided", {}, guided],
  ["rerefl, σ rescale and anchor", { sigmaRescaleCap: 5, anchorBeta: 0.8, sigmaRange: [0.1, 0.9] }, PLAIN],
  ["draft 1", { mode: "draft", k: 1, lambda: 0.3 }, PLAIN],
  ["draft 2", { mode: "draft", k: 2 }, PLAIN],
  ["draft 3, guided and anchored", { mode: "draft", k: 3, anchorBeta: 0.6 }, guided],
  ["draft over everything", { mode: "draft", k: 9 }, PLAIN],
  ["draft_lv", { mode: "draft_lv", k: 2, lambda: 0.3 }, PLAIN],
  ["draft_lv, guided", { mode: "draft_lv", k: 3 }, guided],
  ["draft_lv, σ rescale and anchor", { mode: "draft_lv", k: 1, sigmaRescaleCap: 1.2, anchorBeta: 0.6 }, PLAIN],
  ["flowbp_sparse", { mode: "flowbp_sparse", k: 3 }, PLAIN],
  ["flowbp_sparse, anchored", { mode: "flowbp_sparse", k: 2, anchorBeta: 0.6 }, PLAIN],
  ["flowbp_sparse, guided", { mode: "flowbp_sparse", k: 2, lambda: 0.3 }, guided],
  ["id_loss", { mode: "id_loss", lambda: 0.5, sigmaRange: [0.2, 0.7] }, PLAIN],
  ["id_loss without the pretrain loss", { mode: "id_loss", sigmaRange: [0.2, 0.7], sigmaRescaleCap: 3 }, PLAIN],
  ["sft on a model with a pooled vector and distilled guidance", { mode: "sft", lambda: 0.7 }, flux],
  ["rerefl on a model with a pooled vector and distilled guidance", { lambda: 1, anchorBeta: 0.5 }, flux],
  ["draft on a model with a pooled vector and distilled guidance", { mode: "draft", k: 2 }, flux],
  ["rerefl on a model with two guidances", { lambda: 0.5 }, omnigen2],
  ["draft 3 on a model with two guidances", { mode: "draft", k: 3 }, omnigen2],
  ["flowbp_sparse on a model with two guidances", { mode: "flowbp_sparse", k: 2 }, omnigen2],
];

test.each(cases)("%s: gradient is that of the objective", async (_, changes, world) => {
  const options = { ...base, ...changes };
  const s = await situation(options, fakeReward, world);
  const { grads } = await RUN[options.mode](s);
  const plain = new Plain(s.example, options, s.params, world.family, world.scale);
  const expected = await differences(OBJECTIVE[options.mode](plain), plain.theta0);
  const size = Math.sqrt([...expected.values()].flat().reduce((sum, g) => sum + g * g, 0));
  expect(size).toBeGreaterThan(1e-6);
  for (const [name, g] of expected) {
    const error = Math.hypot(...g.map((x, i) => x - (grads?.get(name)?.[i] ?? Number.NaN)));
    expect(error / size, name).toBeLessThan(2e-4);
  }
});

test("a skipped picture gives no reward gradient and says so", async () => {
  const alone = await rerefl(await situation(base, skippedReward));
  expect(alone).toMatchObject({ grads: null, logs: { reward_skipped: 1 } });
  expect(alone.logs.reward).toBeUndefined();
  const s = await situation({ ...base, lambda: 2 }, skippedReward);
  const both = await rerefl(s);
  const reference = await situation({ ...base, mode: "sft", lambda: 2 });
  const steps = windowSteps(reference.sigmas, base);
  // The same position in the random numbers: a step and a rollout's noise were drawn before.
  reference.rng.below(steps.length);
  reference.rng.normals(new Float32Array(reference.example.x0.length));
  expect(both.grads).toEqual((await sft(reference)).grads);
});

test("numbers in the log", async () => {
  const { logs } = await rerefl(await situation({ ...base, lambda: 1, anchorBeta: 1 }));
  expect(Object.keys(logs).sort()).toEqual(
    [
      "anchor",
      "grad_norm.pretrain",
      "grad_norm.reward",
      "loss_pretrain",
      "reward",
      "reward.raw",
      "reward_skipped",
      "reward_slope",
      "sigma",
    ].sort(),
  );
  // gain = 10 + the mean of the picture, so the raw part is about a tenth of the reward.
  expect((logs.reward ?? 0) / (logs["reward.raw"] ?? 1)).toBeGreaterThan(10);
});

test("the window: steps counted from the end, cut by σ, and a table when nothing is left", () => {
  const sigmas = [1, 0.8, 0.5, 0.2, 0.02, 0];
  expect(windowSteps(sigmas, { window: [1, 2], sigmaRange: [0, 1] })).toEqual([3, 4]);
  expect(windowSteps(sigmas, { window: [1, 5], sigmaRange: [0.1, 0.8] })).toEqual([1, 2, 3]);
  expect(windowSteps(sigmas, { window: [4, 9], sigmaRange: [0, 1] })).toEqual([0, 1]);
  expect(() => windowSteps(sigmas, { window: [1, 1], sigmaRange: [0.1, 1] })).toThrow(
    expect.objectContaining({ code: "TRAIN_WINDOW", hint: expect.stringContaining("t=5: 1.000, t=4: 0.800") }),
  );
});

test("a mean over several samples is logged as one; gradients of both parts by their own size", async () => {
  const options = { ...base, mode: "draft_lv", k: 2, lambda: 0.5 } as const;
  const { logs, grads } = await draftLv(await situation(options));
  const one = await draftLv(await situation({ ...options, lambda: 0 }));
  const length = (of: MicroResult["grads"]) =>
    Math.sqrt([...(of ?? new Map<string, Float32Array>())].flatMap(([, g]) => [...g]).reduce((s, x) => s + x * x, 0));
  expect(logs["grad_norm.reward"]).toBeCloseTo(length(one.grads), 5);
  const pretrain = new Map([...(grads ?? [])].map(([name, g]) => [name, g.map((x, i) => x - (one.grads?.get(name)?.[i] ?? 0))]));
  expect(logs["grad_norm.pretrain"]).toBeCloseTo(length(pretrain), 4);
  expect(one.logs).not.toHaveProperty("loss_pretrain");
  // The reward is the mean of three pictures', not their sum: about as large as of one.
  const single = await rerefl(await situation({ ...base, window: [1, 1] }));
  expect(Math.abs((logs.reward ?? 0) / (single.logs.reward ?? 1))).toBeLessThan(2);
  expect(logs.reward_skipped).toBe(0);
});

test("steps by weight (i + 1)²: where each share of the whole begins", () => {
  // 1, 4, 9 and 16 of 30.
  const first = (share: number) => lateBiased(4, 1, () => share)[0];
  expect([0, 0.99 / 30, 1 / 30, 4.99 / 30, 5 / 30, 13.99 / 30, 14 / 30, 29.9 / 30].map(first)).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  // A share of all, which rounding could make of the largest number below 1, is still the last.
  expect(first(1)).toBe(3);
  // Of the rest: without the last 1, 4 and 9 of 14.
  const shares = [29 / 30, 4.99 / 14, 0];
  expect(lateBiased(4, 3, () => shares.shift() ?? 0)).toEqual([0, 1, 3]);
  expect(lateBiased(4, 0, () => 0)).toEqual([]);
});

test("the window's table names the last two dozen steps", () => {
  const sigmas = Array.from({ length: 31 }, (_, i) => 1 - i / 30);
  const hint = (steps: number) => {
    try {
      windowSteps(sigmas.slice(30 - steps), { window: [steps + 1, steps + 1], sigmaRange: [0, 1] });
    } catch (error) {
      return error instanceof AppError ? error.hint : undefined;
    }
    return undefined;
  };
  expect(hint(24)).toMatch(/^the steps' σ are t=24: 0\.800, /);
  expect(hint(25)).toMatch(/^the steps' σ are …, t=24: 0\.800, .*t=1: 0\.033$/);
  expect(windowSteps([1, 0.5, 0], { window: [1, 2], sigmaRange: [0.5, 1] })).toEqual([0, 1]);
});

test("late-biased steps are distinct, sorted, and likelier late", () => {
  const rng = streamOf(3);
  const counts = [0, 0, 0, 0];
  for (let n = 0; n < 4000; n++) {
    const steps = lateBiased(4, 1, () => rng.uniform());
    for (const i of steps) counts[i] = (counts[i] ?? 0) + 1;
  }
  // P(i) = (i+1)²/30.
  for (const [i, n] of counts.entries()) expect(n / 4000).toBeCloseTo((i + 1) ** 2 / 30, 1);
  expect(lateBiased(3, 9, () => rng.uniform())).toEqual([0, 1, 2]);
});
