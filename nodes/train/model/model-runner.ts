// Evaluates a model and its backward with the current weights. One executable per shape, kept for the whole run.
import { LRUCache } from "lru-cache";
import type { Compute, Executable, Feeds, Results } from "../../../engine/ir/compute.ts";
import { expectDType, f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import type { GridSize } from "../../shared/contracts/diffusion.ts";
import type { DiffusionModel, Reward, RewardObservation, Vae } from "../../shared/contracts/modules.ts";
import { tokensOf, tokenWidth } from "../../shared/diffusion/latent-space.ts";
import type { PreparedPrompt } from "../../shared/diffusion/prepared-prompt.ts";
import { notFinite } from "../../shared/finite.ts";
import { decodeGraph, type Painter, rewardLossGraph, velocityGraph, velocityLossGraph, weightNames } from "./training-graphs.ts";

/** Backward of one model evaluation. `grads` are by trainable name. */
export interface VjpResult {
  readonly v: Float32Array;
  readonly mse: number;
  readonly grads: Map<string, Float32Array>;
  readonly dx: Float32Array | null;
}

export interface VjpRequest {
  readonly x: Float32Array;
  readonly sigma: number;
  /** ∂L/∂v of the reward part; null = none. */
  readonly cotangent: Float32Array | null;
  /** Flow-matching target and its weight; null = none. */
  readonly target: { readonly v: Float32Array; readonly weight: number } | null;
  /** Also return ∂L/∂x. */
  readonly withInput?: boolean;
}

/** Time that one kind of evaluation took. */
export interface Spent {
  runs: number;
  seconds: number;
  /** Seconds of the first run, which also allocates. */
  first: number;
}

export function addSpent(spent: Spent, seconds: number): void {
  if (spent.runs === 0) spent.first = seconds;
  spent.runs++;
  spent.seconds += seconds;
}

/** Seconds by kind of evaluation, and of making graphs ready. */
export interface Times {
  compileSeconds: number;
  readonly forward: Spent;
  readonly backward: Spent;
  readonly decode: Spent;
  readonly reward: Spent;
}

export interface RewardResult {
  readonly reward: number;
  readonly parts: Record<string, number>;
  /** ∂(−R)/∂x0, packed tokens. */
  readonly dx0: Float32Array;
}

/** Executables kept: one per model shape and per structure of the reward (face counts and sizes vary without end). */
const KEPT = 32;

export class ModelRunner {
  readonly #compute: Compute;
  readonly #model: DiffusionModel;
  readonly #vae: Vae;
  #params: ReadonlyMap<string, Float32Array>;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;
  readonly #executables = new LRUCache<string, Promise<Executable>>({ max: KEPT, dispose: (_, key) => void this.#bytes.delete(key) });
  readonly #bytes = new Map<string, number>();
  readonly #rewards = new Map<Reward, number>();
  readonly #now: () => number;
  readonly #start: ReadonlyMap<string, Float32Array> | undefined;
  /** Where a number first was not finite since somebody cleared this. */
  notFinite: string | undefined;
  /** Time of evaluations since the runner was made. */
  readonly times: Times = {
    compileSeconds: 0,
    forward: { runs: 0, seconds: 0, first: 0 },
    backward: { runs: 0, seconds: 0, first: 0 },
    decode: { runs: 0, seconds: 0, first: 0 },
    reward: { runs: 0, seconds: 0, first: 0 },
  };

  /**
   * @param params trainable weights, read at every call: the optimiser updates them in place.
   * @param now milliseconds, for `times`.
   * @param start the weights before training; without them, zeros
   */
  constructor(
    compute: Compute,
    model: DiffusionModel,
    vae: Vae,
    params: ReadonlyMap<string, Float32Array>,
    shapes: ReadonlyMap<string, readonly number[]>,
    now: () => number = () => 0,
    start?: ReadonlyMap<string, Float32Array>,
  ) {
    this.#now = now;
    this.#start = start;
    this.#compute = compute;
    this.#model = model;
    this.#vae = vae;
    this.#params = params;
    this.#shapes = shapes;
  }

  /** Bytes predicted for the executables kept: each keeps the memory it once needed. */
  get predictedBytes(): number {
    return [...this.#bytes.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /**
   * v = v_θ(x, σ | prompt). With "untrained" weights, of the model before training.
   */
  async velocity(
    prompt: PreparedPrompt,
    x: Float32Array,
    sigma: number,
    weights: "trained" | "untrained" = "trained",
  ): Promise<Float32Array> {
    const run = await this.#executable(`v|${JSON.stringify(prompt.shape)}`, () =>
      this.#compute.compile(velocityGraph(this.#model, prompt.shape), { fed: [...this.#params.keys()] }),
    );
    const v = expectDType(one(await this.#timed("forward", run, this.#feeds(prompt, x, sigma, weights)), "v"), "float32", "v");
    return this.#seen(v, () => `the model's velocity at σ ${sigma.toFixed(3)}`);
  }

  #seen(data: Float32Array, what: () => string): Float32Array {
    const bad = this.notFinite === undefined ? notFinite(data) : undefined;
    if (bad !== undefined) this.notFinite = `${what()} is ${bad}`;
    return data;
  }

  /** Gradients of Σ v·cotangent + weight·mean((v − target)²). */
  async vjp(prompt: PreparedPrompt, request: VjpRequest): Promise<VjpResult> {
    const withInput = request.withInput ?? false;
    const run = await this.#executable(`dv${withInput ? "x" : ""}|${JSON.stringify(prompt.shape)}`, () => {
      const graph = velocityLossGraph(this.#model, prompt.shape);
      const used = weightNames(graph).filter((name) => this.#params.has(name));
      return this.#compute.grad(graph, "loss", withInput ? [...used, "x"] : used, { fed: used });
    });
    const feeds = this.#feeds(prompt, request.x, request.sigma, "trained");
    const tokens = this.#tokens(prompt.shape.target);
    const none = new Float32Array(request.x.length);
    const results = await this.#timed("backward", run, {
      ...feeds,
      cotangent: f32(tokens, request.cotangent ?? none),
      target: f32(tokens, request.target?.v ?? none),
      weight: f32([], [request.target?.weight ?? 0]),
    });
    const get = (name: string) => expectDType(one(results, name), "float32", name);
    return {
      v: this.#seen(get("v"), () => `the model's velocity at σ ${request.sigma.toFixed(3)}`),
      mse: get("mse")[0] ?? 0,
      // A parameter the velocity does not depend on (the last block's text query) has gradient zero.
      grads: new Map(
        [...this.#params].map(([name, p]) => [name, results[`grad.${name}`] ? get(`grad.${name}`) : new Float32Array(p.length)]),
      ),
      dx: withInput ? get("grad.x") : null,
    };
  }

  /** x0 tokens → picture [1,H,W,3] clamped to 0..1. */
  async decode(grid: GridSize, x0: Float32Array): Promise<Tensor<"float32">> {
    const run = await this.#executable(`decode|${grid.h}x${grid.w}`, () => this.#compute.compile(decodeGraph(this.#painter, grid)));
    const image = one(await this.#timed("decode", run, { x0: f32(this.#tokens(grid), x0) }), "image");
    return toImage(
      f32(
        image.shape,
        this.#seen(expectDType(image, "float32", "image"), () => "the decoded picture"),
      ),
    );
  }

  /** Reward of the picture of x0 and its gradient, with the observation's constants. */
  async reward(grid: GridSize, x0: Float32Array, reward: Reward, observation: RewardObservation): Promise<RewardResult> {
    const key = `reward|${this.#numberOf(reward)}|${observation.structure}|${grid.h}x${grid.w}`;
    const run = await this.#executable(key, () =>
      this.#compute.grad(rewardLossGraph(this.#painter, grid, reward, observation), "loss", ["x0"]),
    );
    const constants = Object.fromEntries(Object.entries(observation.constants).map(([name, t]) => [`reward.${name}`, t]));
    const results = await this.#timed("reward", run, { x0: f32(this.#tokens(grid), x0), ...constants });
    const parts: Record<string, number> = {};
    for (const [name, t] of Object.entries(results)) if (name.startsWith("part.")) parts[name.slice(5)] = Number(t.data[0]);
    const value = -Number(one(results, "loss").data[0]);
    this.#seen(Float32Array.of(value), () => "the reward");
    return { reward: value, parts, dx0: this.#seen(expectDType(one(results, "grad.x0"), "float32", "dx0"), () => "the reward's gradient") };
  }

  /** Runs `work` with other numbers for the trainable weights. */
  async withParams<T>(params: ReadonlyMap<string, Float32Array>, work: () => Promise<T>): Promise<T> {
    const own = this.#params;
    this.#params = params;
    try {
      return await work();
    } finally {
      this.#params = own;
    }
  }

  get #painter(): Painter {
    return { vae: this.#vae, space: this.#model.latentSpace };
  }

  #tokens(grid: GridSize): readonly number[] {
    return [1, tokensOf(grid), tokenWidth(this.#model.latentSpace)];
  }

  #feeds(prompt: PreparedPrompt, x: Float32Array, sigma: number, weights: "trained" | "untrained"): Feeds {
    const params: Record<string, Tensor> = {};
    for (const [name, data] of this.#params)
      params[name] = f32(
        this.#shapes.get(name) ?? [data.length],
        weights === "untrained" ? (this.#start?.get(name) ?? new Float32Array(data.length)) : data,
      );
    return { ...prompt.feeds, x: f32(this.#tokens(prompt.shape.target), x), sigma: f32([1], [sigma]), ...params };
  }

  /** Rewards keyed by the object: two with the same id may build different graphs. */
  #numberOf(reward: Reward): number {
    const number = this.#rewards.get(reward) ?? this.#rewards.size;
    this.#rewards.set(reward, number);
    return number;
  }

  #executable(key: string, make: () => Promise<Executable>): Promise<Executable> {
    const known = this.#executables.get(key);
    if (known) return known;
    const made = this.#make(key, make);
    this.#executables.set(key, made);
    made.catch(() => this.#executables.delete(key));
    return made;
  }

  async #make(key: string, make: () => Promise<Executable>): Promise<Executable> {
    const started = this.#now();
    const executable = await make();
    this.times.compileSeconds += (this.#now() - started) / 1000;
    if (this.#executables.has(key)) this.#bytes.set(key, executable.predictedPeak.peak);
    return executable;
  }

  async #timed(kind: Exclude<keyof Times, "compileSeconds">, executable: Executable, feeds: Feeds): Promise<Results> {
    const started = this.#now();
    const results = await executable.run(feeds);
    addSpent(this.times[kind], (this.#now() - started) / 1000);
    return results;
  }
}

function one(results: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const t = results[name];
  if (!t) throw new Error(`the graph has no output ${name}`);
  return t;
}

/** NCHW [1,3,H,W] → IMAGE [1,H,W,3] in 0..1. */
function toImage({ shape, data }: Tensor<"float32">): Tensor<"float32"> {
  const [, , height = 0, width = 0] = shape;
  const out = new Float32Array(height * width * 3);
  const plane = height * width;
  for (let i = 0; i < plane; i++) for (let c = 0; c < 3; c++) out[i * 3 + c] = Math.min(1, Math.max(0, data[c * plane + i] ?? 0));
  return f32([1, height, width, 3], out);
}
