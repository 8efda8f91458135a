// The objectives of all training modes once more, plainly in float64, on the fake model: what gradients are checked against.
import type { RandomSource } from "../engine/base/random.ts";
import type { RefTensor } from "../engine/ops/define-op.ts";
import { interpret, toReference } from "../engine/ops/interpret.ts";
import { newBuilder } from "../engine/ops/table.ts";
import type { DiffusionModel } from "../nodes/shared/contracts/modules.ts";
import { shiftMu } from "../nodes/shared/diffusion/flow-match-sigmas.ts";
import { newAdapters } from "../nodes/train/loop/adapters.ts";
import { streamOf } from "../nodes/train/loop/data-order.ts";
import type { PreparedExample } from "../nodes/train/model/prepared-example.ts";
import { decodeGraph, velocityGraph } from "../nodes/train/model/training-graphs.ts";
import { lateBiased } from "../nodes/train/modes/draft.ts";
import { windowSteps } from "../nodes/train/modes/rerefl.ts";
import type { Mode, ObjectiveOptions } from "../nodes/train/objective.ts";
import { type FakeFamily, FLUX_LIKE, fakeModel, fakeReward, fakeVaeOf, IMAGE_SCALE, noise, OMNIGEN2_LIKE } from "./fake-diffusion.ts";
import { interpreterCompute } from "./interpreter-compute.ts";

export const T = 4;
export const SEED = 5;
export const compute = interpreterCompute();
const adapters = newAdapters(fakeModel(), ["to_q", "to_k"], 2, 3, 1);
export const modelOf = (family: FakeFamily) => fakeModel(adapters, family);
export type Params = ReadonlyMap<string, Float64Array>;

/** Trained adapters: B is not zero. */
export function startParams(): Map<string, Float32Array> {
  return new Map(
    adapters.flatMap(({ nameA, nameB, a, b }, i) => [[nameA, a.data.slice()] as const, [nameB, noise(50 + i, b.shape, 0.5).data] as const]),
  );
}
export const shapes = new Map(adapters.flatMap(({ nameA, nameB, a, b }) => [[nameA, a.shape] as const, [nameB, b.shape] as const]));

/** The objective's own arithmetic, in float64 and with nothing shared but the model's and the VAE's graphs. */
export class Plain {
  readonly theta0: Params;
  readonly sigmas: readonly number[];
  readonly example: PreparedExample;
  readonly options: ObjectiveOptions;
  readonly #family: FakeFamily;
  readonly #scale: number;
  readonly #model: DiffusionModel;
  readonly #states: Float64Array[] = [];
  readonly #frozen = new WeakMap<Float64Array, readonly Float64Array[]>();

  constructor(
    example: PreparedExample,
    options: ObjectiveOptions,
    params: ReadonlyMap<string, Float32Array>,
    family: FakeFamily,
    scale: number,
  ) {
    this.example = example;
    this.options = options;
    this.#family = family;
    this.#scale = scale;
    this.#model = modelOf(family);
    this.theta0 = new Map([...params].map(([name, p]) => [name, Float64Array.from(p)]));
    this.sigmas = this.#model.schedule.sigmas(T, example.target);
  }
  get length(): number {
    return this.example.x0.length;
  }
  get tokens(): readonly number[] {
    const { h, w } = this.example.target;
    return [1, h * w, this.length / (h * w)];
  }
  v(params: Params, x: Float64Array, sigma: number, prompt = this.example.conditional): Float64Array {
    const ref = (data: Float64Array, shape: readonly number[]): RefTensor => ({ dtype: "float32", shape, data });
    const feeds: Record<string, RefTensor> = { x: ref(x, this.tokens), sigma: ref(Float64Array.of(sigma), [1]) };
    for (const [name, t] of Object.entries(prompt.feeds)) feeds[name] = toReference(t);
    for (const [name, p] of params) feeds[name] = ref(p, shapes.get(name) ?? []);
    return interpret(velocityGraph(this.#model, prompt.shape), feeds).v?.data ?? new Float64Array();
  }
  /** Guided velocity with the parameters of the moment in the conditional branch only; norms and the other branches are constants. */
  guided(params: Params, x: Float64Array, sigma: number, xFrozen = x): Float64Array {
    const c = this.v(params, x, sigma);
    const s = this.#scale;
    if (s === 1 || this.#family === FLUX_LIKE) return c;
    const frozen =
      this.#frozen.get(xFrozen) ?? [this.example.conditional, ...this.example.branches].map((p) => this.v(this.theta0, xFrozen, sigma, p));
    this.#frozen.set(xFrozen, frozen);
    const [c0 = c, first = c, second = c] = frozen;
    if (this.#family === OMNIGEN2_LIKE)
      return c.map((z, k) => (second[k] ?? 0) + IMAGE_SCALE * ((first[k] ?? 0) - (second[k] ?? 0)) + s * (z - (first[k] ?? 0)));
    const out = new Float64Array(c.length);
    for (let token = 0; token < c.length; token += 64) {
      const at = (a: Float64Array, i: number) => a[token + i] ?? 0;
      const norm = (f: (i: number) => number) => Math.hypot(...Array.from({ length: 64 }, (_, i) => f(i)));
      const ratio = norm((i) => at(c0, i)) / norm((i) => at(first, i) + s * (at(c0, i) - at(first, i)));
      for (let i = 0; i < 64; i++) out[token + i] = ratio * (at(first, i) + s * (at(c, i) - at(first, i)));
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
    const grid = this.example.target;
    const { space } = this.#family;
    const graph = decodeGraph({ vae: fakeVaeOf(this.#family), space }, grid);
    const image = (x: Float64Array) => interpret(graph, { x0: { dtype: "float32", shape: this.tokens, data: x } }).image;
    const [H, W] = [grid.h * space.patch * space.cell, grid.w * space.patch * space.cell];
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
    const { target } = this.example;
    const shift = Math.exp(
      shiftMu(target.h * target.w, { baseSeqLen: 256, maxSeqLen: 8192, baseShift: 0.5, maxShift: 0.9, shiftTerminal: 0.02 }),
    );
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

export type Objective = (params: Params) => Promise<number>;

/** What each mode minimises, as its paper says, with the random numbers drawn in the trainer's order. */
export const OBJECTIVE: Readonly<Record<Mode, (p: Plain) => Objective>> = {
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
    const states = p.rollout(rng, T);
    const x0 = states[T] ?? new Float64Array();
    const sigma = p.sigmas[T - 1] ?? 0;
    const again = Array.from({ length: p.options.k }, () => noised(x0, Float64Array.from(rng.normals(new Float32Array(p.length))), sigma));
    let sum = 0;
    for (const x of [states[T - 1] ?? x0, ...again]) {
      const at = (q: Params) => plus(x, -sigma, p.guided(q, x, sigma));
      const boost = p.options.sigmaRescaleCap > 0 ? Math.min(p.options.sigmaRescaleCap, 1 / sigma) : 1;
      sum += (boost * (await p.minusReward(at(params), at(p.theta0))) + p.anchor(params, x, sigma)) / (1 + p.options.k);
    }
    return sum + p.pretrain(params, rng);
  },
  flowbp_sparse: (p) => async (params) => {
    const rng = streamOf(SEED, 1);
    const states = p.rollout(rng, T);
    const end = states[T] ?? new Float64Array();
    let x = end;
    let anchor = 0;
    const steps = lateBiased(T, p.options.k, () => rng.uniform());
    for (const i of steps) {
      const [state = end, sigma] = [states[i], p.sigmas[i] ?? 0];
      anchor += p.anchor(params, state, sigma) / steps.length;
      // Straight-through: the value is the rollout's, the gradient that of Σ Δσ·v over the chosen steps.
      const dSigma = (p.sigmas[i + 1] ?? 0) - sigma;
      x = plus(plus(x, dSigma, p.guided(params, state, sigma)), -dSigma, p.guided(p.theta0, state, sigma));
    }
    return (await p.minusReward(x, end)) + anchor + p.pretrain(params, rng);
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
