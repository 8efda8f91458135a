// Every mode's gradient against central differences of its objective, which is written down here once more in float64.
import { expect, test } from "vitest";
import type { RandomSource } from "../../../engine/base/random.ts";
import type { RefTensor } from "../../../engine/ops/define-op.ts";
import { interpret, toReference } from "../../../engine/ops/interpret.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { fakeClip, fakeExample, fakeModel, fakeReward, fakeVae, noise, skippedReward } from "../../../test/fake-diffusion.ts";
import { interpreterCompute } from "../../../test/interpreter-compute.ts";
import { shiftMu } from "../../shared/flow-match-sigmas.ts";
import type { Reward } from "../../shared/modules.ts";
import { newAdapters } from "../adapters.ts";
import { streamOf } from "../data-order.ts";
import { decodeGraph, velocityGraph } from "../graphs.ts";
import { ModelRunner } from "../model-runner.ts";
import type { Mode, ObjectiveOptions, Situation } from "../objective.ts";
import { type PreparedExample, prepareExample } from "../prepared-example.ts";
import type { MicroResult } from "../train-loop.ts";
import { trainingSigmas } from "../training-sigmas.ts";
import { draft, draftLv, flowbpSparse, lateBiased } from "./draft.ts";
import { idLoss } from "./id-loss.ts";
import { rerefl, windowSteps } from "./rerefl.ts";
import { sft } from "./sft.ts";

const T = 4;
const SEED = 5;
const compute = interpreterCompute();
const adapters = newAdapters(fakeModel(), ["to_q", "to_k"], 2, 3, 1);
const model = fakeModel().withAdapters(adapters);
type Params = ReadonlyMap<string, Float64Array>;

/** Trained adapters: B is not zero. */
function startParams(): Map<string, Float32Array> {
  return new Map(
    adapters.flatMap(({ nameA, nameB, a, b }, i) => [[nameA, a.data.slice()] as const, [nameB, noise(50 + i, b.shape, 0.5).data] as const]),
  );
}
const shapes = new Map(adapters.flatMap(({ nameA, nameB, a, b }) => [[nameA, a.shape] as const, [nameB, b.shape] as const]));

const base: ObjectiveOptions = {
  mode: "rerefl",
  lambda: 0,
  rewardWeight: 1.5,
  steps: T,
  window: [1, 3],
  sigmaRange: [0, 1],
  trueCfgScale: 1,
  sigmaRescaleCap: 0,
  k: 1,
  anchorBeta: 0,
};

async function situation(
  options: ObjectiveOptions,
  reward: Reward | null = fakeReward,
): Promise<Situation & { params: Map<string, Float32Array> }> {
  const params = startParams();
  const example = await prepareExample(compute, fakeVae, fakeClip, fakeExample(0), { negativePrompt: "pp" });
  const runner = new ModelRunner(compute, model, fakeVae, params, shapes);
  return { compute, runner, example, reward, sigmas: trainingSigmas(T, example.shape.target), options, rng: streamOf(SEED, 1), params };
}

/** The objective's own arithmetic, in float64 and with nothing shared but the model's and the VAE's graphs. */
class Plain {
  readonly theta0: Params;
  readonly sigmas: readonly number[];
  readonly example: PreparedExample;
  readonly options: ObjectiveOptions;
  readonly #states: Float64Array[] = [];
  readonly #frozen = new WeakMap<Float64Array, { readonly c: Float64Array; readonly u: Float64Array }>();

  constructor(example: PreparedExample, options: ObjectiveOptions, params: ReadonlyMap<string, Float32Array>) {
    this.example = example;
    this.options = options;
    this.theta0 = new Map([...params].map(([name, p]) => [name, Float64Array.from(p)]));
    this.sigmas = trainingSigmas(T, example.shape.target);
  }
  get length(): number {
    return this.example.x0.length;
  }
  v(params: Params, x: Float64Array, sigma: number, text = this.example.text): Float64Array {
    const ref = (data: Float64Array, shape: readonly number[]): RefTensor => ({ dtype: "float32", shape, data });
    const feeds: Record<string, RefTensor> = {
      x: ref(x, [1, x.length / 64, 64]),
      sigma: ref(Float64Array.of(sigma), [1]),
      text: toReference(text),
    };
    if (this.example.references) feeds.references = toReference(this.example.references);
    for (const [name, p] of params) feeds[name] = ref(p, shapes.get(name) ?? []);
    const shape = { ...this.example.shape, textLength: text.shape[1] ?? 0 };
    return interpret(velocityGraph(model, shape), feeds).v?.data ?? new Float64Array();
  }
  /** Guided velocity with the parameters of the moment in the conditional branch only; norms and the other branch are constants. */
  guided(params: Params, x: Float64Array, sigma: number, xFrozen = x): Float64Array {
    const c = this.v(params, x, sigma);
    const s = this.options.trueCfgScale;
    const { negative } = this.example;
    if (s === 1 || !negative) return c;
    const known = this.#frozen.get(xFrozen);
    const { c: c0, u: u0 } = known ?? { c: this.v(this.theta0, xFrozen, sigma), u: this.v(this.theta0, xFrozen, sigma, negative) };
    this.#frozen.set(xFrozen, { c: c0, u: u0 });
    const out = new Float64Array(c.length);
    for (let token = 0; token < c.length; token += 64) {
      const at = (a: Float64Array, i: number) => a[token + i] ?? 0;
      const norm = (f: (i: number) => number) => Math.hypot(...Array.from({ length: 64 }, (_, i) => f(i)));
      const ratio = norm((i) => at(c0, i)) / norm((i) => at(u0, i) + s * (at(c0, i) - at(u0, i)));
      for (let i = 0; i < 64; i++) out[token + i] = ratio * (at(u0, i) + s * (at(c, i) - at(u0, i)));
    }
    return out;
  }
  /** States of the rollout with the starting parameters. */
  rollout(rng: RandomSource, end: number): Float64Array[] {
    // float32 as the trainer draws them; drawn again each time, for what is drawn after them.
    const start = Float64Array.from(rng.normals(new Float32Array(this.length)));
    if (this.#states.length === 0) this.#states.push(start);
    for (let i = this.#states.length - 1; i < end; i++) {
      const x = this.#states[i] ?? start;
      this.#states.push(plus(x, (this.sigmas[i + 1] ?? 0) - (this.sigmas[i] ?? 0), this.guided(this.theta0, x, this.sigmas[i] ?? 0)));
    }
    return this.#states.slice(0, end + 1);
  }
  /** −w·reward of a finished x0; the constants are those of the picture `seen`. */
  async minusReward(x0: Float64Array, seen: Float64Array): Promise<number> {
    const grid = this.example.shape.target;
    const image = (x: Float64Array) =>
      interpret(decodeGraph(fakeVae, grid), { x0: { dtype: "float32", shape: [1, grid.h * grid.w, 64], data: x } }).image;
    const [H, W] = [grid.h * 16, grid.w * 16];
    const flat = image(seen)?.data ?? new Float64Array();
    const hwc = new Float32Array(flat.length);
    for (let i = 0; i < H * W; i++) for (let c = 0; c < 3; c++) hwc[i * 3 + c] = Math.min(1, Math.max(0, flat[c * H * W + i] ?? 0));
    const { constants } = await fakeReward.observe(
      { dtype: "float32", shape: [1, H, W, 3], data: hwc },
      { compute, references: null, target: null },
    );
    const b = newBuilder();
    const values = Object.fromEntries(Object.entries(constants).map(([name, t]) => [name, b.constant(t)]));
    const built = fakeReward.build(b, b.input("image", "float32", [1, 3, H, W]), values, "one");
    const shown = image(x0);
    if (!shown) throw new Error("no picture");
    return -this.options.rewardWeight * (interpret(b.graph({ r: built.reward }), { image: shown }).r?.data[0] ?? 0);
  }
  pretrain(params: Params, rng: RandomSource): number {
    const { target } = this.example.shape;
    const shift = Math.exp(shiftMu(target.h * target.w));
    const u = 1 / (1 + Math.exp(-rng.normal()));
    const sigma = shift / (shift + (1 / u - 1));
    return this.options.lambda * this.matching(params, sigma, rng);
  }
  matching(params: Params, sigma: number, rng: RandomSource): number {
    const x0 = Float64Array.from(this.example.x0);
    const eps = Float64Array.from(rng.normals(new Float32Array(this.length)));
    return meanSquare(
      this.v(params, noised(x0, eps, sigma), sigma),
      eps.map((e, i) => e - (x0[i] ?? 0)),
    );
  }
  anchor(params: Params, x: Float64Array, sigma: number): number {
    const off = new Map([...params].map(([name, p]) => [name, new Float64Array(p.length)]));
    const x0 = x;
    return this.options.anchorBeta * meanSquare(this.v(params, x, sigma), this.v(off, x0, sigma));
  }
}

const plus = (x: Float64Array, by: number, v: Float64Array) => x.map((z, i) => z + by * (v[i] ?? 0));
const noised = (x0: Float64Array, eps: Float64Array, sigma: number) => x0.map((z, i) => (1 - sigma) * z + sigma * (eps[i] ?? 0));
const meanSquare = (a: Float64Array, c: Float64Array) => a.reduce((sum, z, i) => sum + (z - (c[i] ?? 0)) ** 2, 0) / a.length;

type Objective = (params: Params) => Promise<number>;

const RUN: Readonly<Record<Mode, (s: Situation) => Promise<MicroResult>>> = {
  rerefl,
  sft,
  draft,
  draft_lv: draftLv,
  flowbp_sparse: flowbpSparse,
  id_loss: idLoss,
};

/** What each mode minimises, as its paper says, with the random numbers drawn in the trainer's order. */
const OBJECTIVE: Readonly<Record<Mode, (p: Plain) => Objective>> = {
  sft: (p) => async (params) => p.pretrain(params, streamOf(SEED, 1)),
  rerefl: (p) => async (params) => {
    const rng = streamOf(SEED, 1);
    const steps = windowSteps(p.sigmas, p.options);
    const i = steps[rng.below(steps.length)] ?? 0;
    const sigma = p.sigmas[i] ?? 0;
    const x = p.rollout(rng, i).at(-1) ?? new Float64Array();
    const at = (q: Params) => plus(x, -sigma, p.guided(q, x, sigma));
    // The boost scales the reward's gradient, not its value: the difference is measured from the start.
    const boost = p.options.sigmaRescaleCap > 0 ? Math.min(p.options.sigmaRescaleCap, 1 / sigma) : 1;
    const reward = boost * (await p.minusReward(at(params), at(p.theta0)));
    return reward + p.anchor(params, x, sigma) + p.pretrain(params, rng);
  },
  draft: (p) => async (params) => {
    const rng = streamOf(SEED, 1);
    const states = p.rollout(rng, T);
    const from = Math.max(0, T - p.options.k);
    let x = states[from] ?? new Float64Array();
    let anchor = 0;
    for (let i = from; i < T; i++) {
      const sigma = p.sigmas[i] ?? 0;
      // v_0 is a constant of the state that was reached, as the trainer sees it.
      if (p.options.anchorBeta > 0) {
        const off = new Map([...params].map(([name, q]) => [name, new Float64Array(q.length)]));
        const v0 = p.v(off, states[i] ?? new Float64Array(), sigma);
        anchor += (p.options.anchorBeta / (T - from)) * meanSquare(p.v(params, x, sigma), v0);
      }
      x = plus(x, (p.sigmas[i + 1] ?? 0) - sigma, p.guided(params, x, sigma, states[i]));
    }
    return (await p.minusReward(x, states[T] ?? x)) + anchor + p.pretrain(params, rng);
  },
  draft_lv: (p) => async (params) => {
    const rng = streamOf(SEED, 1);
    const x0 = p.rollout(rng, T).at(-1) ?? new Float64Array();
    const sigma = p.sigmas[T - 1] ?? 0;
    let sum = 0;
    for (let k = 0; k < p.options.k; k++) {
      const x = noised(x0, Float64Array.from(rng.normals(new Float32Array(p.length))), sigma);
      const at = (q: Params) => plus(x, -sigma, p.guided(q, x, sigma));
      sum += (await p.minusReward(at(params), at(p.theta0))) / p.options.k;
    }
    return sum + p.pretrain(params, rng);
  },
  flowbp_sparse: (p) => async (params) => {
    const rng = streamOf(SEED, 1);
    const states = p.rollout(rng, T);
    const end = states[T] ?? new Float64Array();
    let x = end;
    for (const i of lateBiased(T, p.options.k, () => rng.uniform())) {
      const [state = end, sigma] = [states[i], p.sigmas[i] ?? 0];
      // Straight-through: the value is the rollout's, the gradient that of Σ Δσ·v over the chosen steps.
      const dSigma = (p.sigmas[i + 1] ?? 0) - sigma;
      x = plus(plus(x, dSigma, p.guided(params, state, sigma)), -dSigma, p.guided(p.theta0, state, sigma));
    }
    return (await p.minusReward(x, end)) + p.pretrain(params, rng);
  },
  id_loss: (p) => async (params) => {
    const rng = streamOf(SEED, 1);
    const [low, high] = p.options.sigmaRange;
    const sigma = low + (high - low) * rng.uniform();
    const x0 = Float64Array.from(p.example.x0);
    const eps = Float64Array.from(rng.normals(new Float32Array(p.length)));
    const x = noised(x0, eps, sigma);
    const at = (q: Params) => plus(x, -sigma, p.v(q, x, sigma));
    const matching = meanSquare(
      p.v(params, x, sigma),
      eps.map((e, i) => e - (x0[i] ?? 0)),
    );
    const boost = p.options.sigmaRescaleCap > 0 ? Math.min(p.options.sigmaRescaleCap, 1 / sigma) : 1;
    return boost * (await p.minusReward(at(params), at(p.theta0))) + p.options.lambda * matching;
  },
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

const guided = { trueCfgScale: 3.5 };
const cases: readonly (readonly [string, Partial<ObjectiveOptions>])[] = [
  ["sft", { mode: "sft", lambda: 0.7 }],
  ["rerefl", {}],
  ["rerefl with the pretrain loss", { lambda: 1 }],
  ["rerefl, guided", guided],
  ["rerefl, σ rescale and anchor", { sigmaRescaleCap: 5, anchorBeta: 0.8, sigmaRange: [0.1, 0.9] }],
  ["draft 1", { mode: "draft", k: 1, lambda: 0.3 }],
  ["draft 2", { mode: "draft", k: 2 }],
  ["draft 3, guided and anchored", { mode: "draft", k: 3, ...guided, anchorBeta: 0.6 }],
  ["draft over everything", { mode: "draft", k: 9 }],
  ["draft_lv", { mode: "draft_lv", k: 2, lambda: 0.3 }],
  ["draft_lv, guided", { mode: "draft_lv", k: 3, ...guided }],
  ["flowbp_sparse", { mode: "flowbp_sparse", k: 3 }],
  ["flowbp_sparse, guided", { mode: "flowbp_sparse", k: 2, lambda: 0.3, ...guided }],
  ["id_loss", { mode: "id_loss", lambda: 0.5, sigmaRange: [0.2, 0.7] }],
  ["id_loss without the pretrain loss", { mode: "id_loss", sigmaRange: [0.2, 0.7], sigmaRescaleCap: 3 }],
];

test.each(cases)("%s: gradient is that of the objective", async (_, changes) => {
  const options = { ...base, ...changes };
  const s = await situation(options);
  const { grads } = await RUN[options.mode](s);
  const plain = new Plain(s.example, options, s.params);
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
  // The same place in the random numbers: a step and a rollout's noise were drawn before.
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
