import { afterAll, expect, test } from "vitest";
import type { NodeContext } from "../../engine/node/context.ts";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { torchRandn } from "../../engine/tensor/torch-random.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { memoryWeights } from "../../test/memory-weights.ts";
import { relativeError } from "../../test/relative-error.ts";
import { tinyTransformer } from "../../tools/tiny-transformer.ts";
import qwenImageEditSampler from "../qwen/qwen-image-edit-sampler.ts";
import { loadTransformer } from "../qwen/transformer/load-transformer.ts";
import type { Conditioning, Latent } from "../shared/contracts/data.ts";
import type { DiffusionModel } from "../shared/contracts/modules.ts";
import { cfgNorm } from "../shared/diffusion/guidance.ts";
import { denormaliseLatent, withStatistics } from "../shared/diffusion/latent-space.ts";
import basicGuider from "./basic-guider.ts";
import basicScheduler from "./basic-scheduler.ts";
import cfgGuider from "./cfg-guider.ts";
import disableNoise from "./disable-noise.ts";
import ksampler from "./ksampler.ts";
import ksamplerSelect from "./ksampler-select.ts";
import latentCut from "./latent-cut.ts";
import manualSigmas from "./manual-sigmas.ts";
import randomNoise from "./random-noise.ts";
import samplerCustomAdvanced from "./sampler-custom-advanced.ts";
import { SAMPLERS } from "./sampling/sampler-names.ts";
import { SCHEDULERS } from "./sampling/schedulers.ts";
import setLatentNoiseMask from "./set-latent-noise-mask.ts";

const compute = createRuntime({ device: "cpu", threads: 1 });
afterAll(() => compute.dispose());
const sizes = { layers: 2, heads: 2, headDim: 16, jointAttentionDim: 24, axes: [4, 6, 6] as const, zeroCond: false };
const { tensors, metadata } = tinyTransformer(5, sizes);
const { model } = await loadTransformer(memoryWeights(tensors, { metadata }));

const randn = (shape: readonly number[], seed: number) =>
  f32(
    shape,
    torchRandn(
      seed,
      shape.reduce((a, d) => a * d, 1),
    ),
  );
const prompt = (seed: number, length: number, ...references: Latent[]): Conditioning => ({
  embeds: randn([1, length, 24], seed),
  referenceLatents: references,
});
const reference = denormaliseLatent(model.latentSpace, randn([1, 16, 4, 6], 3));
const [positive, negative] = [prompt(1, 7, reference), prompt(2, 5, reference)];

/** Counts how often the model is built for a prompt of each length. */
function counting(of: DiffusionModel): { readonly model: DiffusionModel; readonly lengths: number[] } {
  const lengths: number[] = [];
  return {
    lengths,
    model: {
      ...of,
      build(b, inputs) {
        lengths.push(inputs.prompt.text?.shape[1] ?? 0);
        return of.build(b, inputs);
      },
    },
  };
}

const defaults = {
  model,
  seed: 42,
  steps: 3,
  cfg: 2.5,
  sampler_name: "euler",
  scheduler: "simple",
  positive,
  negative,
  latent_image: { samples: randn([1, 16, 4, 4], 9) },
  denoise: 1,
} as const;
const run = async (changes: Partial<Parameters<typeof ksampler.run>[0]> = {}, ctx: NodeContext = fakeContext(compute)) =>
  (await ksampler.run({ ...defaults, ...changes }, ctx, {})).LATENT.samples;

test("at cfg 1 the negative prompt is not evaluated, and CFGNorm is the identity", async () => {
  const counted = counting(model);
  const plain = await run({ model: counted.model, cfg: 1 });
  expect(counted.lengths).toEqual([7]);
  expect(relativeError(await run({ cfg: 1, model: model.withSampling({ postCfg: cfgNorm(1) }) }), plain)).toBeLessThan(1e-5);
  expect(relativeError(await run(), plain)).toBeGreaterThan(1e-3);
});

test("at denoise 1 only the shape of latent_image matters; below 1 its content does; at 0 it comes back", async () => {
  const other = { samples: randn([1, 16, 4, 4], 10) };
  expect(await run({ latent_image: other })).toEqual(await run());
  const [a, b] = [await run({ denoise: 0.5 }), await run({ denoise: 0.5, latent_image: other })];
  expect(relativeError(a, b)).toBeGreaterThan(1e-2);
  expect(await run({ denoise: 0, latent_image: other })).toEqual(other.samples);
});

test("a batch takes its noise in one draw, and its samples stay apart", async () => {
  const two = await run({ latent_image: { samples: randn([2, 16, 4, 4], 9) } });
  const one = await run();
  expect(two.shape).toEqual([2, 16, 4, 4]);
  // The first sample's noise is the same draw; only the last 16 numbers of a draw depend on where it ends.
  expect(relativeError(f32(one.shape, two.data.slice(0, 256)), one)).toBeLessThan(1e-5);
  expect(relativeError(f32(one.shape, two.data.slice(256)), one)).toBeGreaterThan(0.1);
});

test("odd latents and odd references are padded and cut", async () => {
  const odd = prompt(1, 7, denormaliseLatent(model.latentSpace, randn([1, 16, 3, 5], 4)));
  const result = await run({ positive: odd, negative: odd, latent_image: { samples: randn([1, 16, 5, 3], 9) } });
  expect(result.shape).toEqual([1, 16, 5, 3]);
  expect(result.data.every(Number.isFinite)).toBe(true);
});

test("every sampler and scheduler runs; seeds beyond 2^32 wrap as in torch", async () => {
  const euler = await run();
  for (const scheduler of SCHEDULERS.filter((name) => name !== "simple"))
    expect(relativeError(await run({ scheduler }), euler), scheduler).toBeGreaterThan(0);
  for (const sampler_name of SAMPLERS.filter((name) => name !== "euler" && name !== "ddim"))
    expect(relativeError(await run({ sampler_name }), euler), sampler_name).toBeGreaterThan(0);
  expect(await run({ sampler_name: "ddim" })).toEqual(euler);
  const ctx = fakeContext(compute);
  expect(await run({ sampler_name: "dpmpp_2m_sde_gpu" }, ctx)).toEqual(await run({ sampler_name: "dpmpp_2m_sde" }));
  expect(ctx.logs).toEqual([expect.stringMatching(/^warn: dpmpp_2m_sde_gpu: .* as dpmpp_2m_sde does$/)]);
  expect(await run({ seed: 2n ** 32n + 42n })).toEqual(euler);
  expect(ksampler.inputs.sampler_name.schema.safeParse("dpm_fast").success).toBe(false);
  expect(ksampler.inputs.seed.schema.parse(2n ** 64n - 1n)).toBe(2n ** 64n - 1n);
});

test("SamplerCustomAdvanced in parts gives what KSampler gives", async () => {
  const ctx = fakeContext(compute);
  const { SIGMAS } = await basicScheduler.run({ model, scheduler: "simple", steps: 3, denoise: 1 }, ctx, {});
  const { GUIDER } = await cfgGuider.run({ model, positive, negative, cfg: 2.5 }, ctx, {});
  const { NOISE } = await randomNoise.run({ noise_seed: 42 }, ctx, {});
  const { SAMPLER } = await ksamplerSelect.run({ sampler_name: "euler_ancestral" }, ctx, {});
  const custom = (change: Partial<Parameters<typeof samplerCustomAdvanced.run>[0]>) =>
    samplerCustomAdvanced.run(
      { noise: NOISE, guider: GUIDER, sampler: SAMPLER, sigmas: SIGMAS, latent_image: defaults.latent_image, ...change },
      ctx,
      {},
    );
  const whole = await custom({});
  const { LATENT } = await ksampler.run({ ...defaults, sampler_name: "euler_ancestral" }, ctx, {});
  expect(whole.output.samples.data).toEqual(LATENT.samples.data);
  expect(relativeError(whole.denoised_output.samples, LATENT.samples)).toBeLessThan(1e-5);
  // Two halves: the first ends above 0, the second continues from there without noise.
  const { NOISE: none } = await disableNoise.run({}, ctx, {});
  const first = await custom({ sampler: "euler", sigmas: SIGMAS.slice(0, 3) });
  const second = await custom({ sampler: "euler", sigmas: SIGMAS.slice(2), noise: none, latent_image: first.output });
  const { LATENT: straight } = await ksampler.run({ ...defaults }, ctx, {});
  expect(relativeError(second.output.samples, straight.samples)).toBeLessThan(1e-4);
  const { GUIDER: basic } = await basicGuider.run({ model, conditioning: positive }, ctx, {});
  const { LATENT: plain } = await ksampler.run({ ...defaults, cfg: 1 }, ctx, {});
  expect((await custom({ guider: basic, sampler: "euler" })).output.samples.data).toEqual(plain.samples.data);
  const { SIGMAS: typed } = await manualSigmas.run({ sigmas: "1., 0.9375,.5 0.0" }, ctx, {});
  expect([...typed]).toEqual([1, 0.9375, 0.5, 0]);
  await expect(custom({ sampler: "dpm_fast" })).rejects.toMatchObject({ code: "SAMPLER" });
  await expect(custom({ sampler: "uni_pc", sigmas: SIGMAS.slice(2) })).rejects.toMatchObject({ code: "SAMPLER_STEPS" });
  // KSampler makes one step more for some samplers and leaves out the last σ before 0; the parts do not, as in ComfyUI.
  const { SIGMAS: four } = await basicScheduler.run({ model, scheduler: "simple", steps: 4, denoise: 1 }, ctx, {});
  const dropped = Float32Array.of(...four.slice(0, 3), 0);
  for (const sampler of ["dpm_2", "dpm_2_ancestral", "uni_pc", "uni_pc_bh2"] as const)
    expect((await ksampler.run({ ...defaults, sampler_name: sampler }, ctx, {})).LATENT.samples.data, sampler).toEqual(
      (await custom({ sampler, sigmas: dropped })).output.samples.data,
    );
});

test("a noise mask: outside it the latent stays, inside it changes; an empty latent takes the model's channels", async () => {
  const ctx = fakeContext(compute);
  const [, channels = 0, h = 0, w = 0] = defaults.latent_image.samples.shape;
  const samples = denormaliseLatent(model.latentSpace, randn([1, channels, h, w], 9)).samples;
  const mask = f32([1, h, w], new Float32Array(h * w).fill(1, 0, w));
  const { LATENT: masked } = await setLatentNoiseMask.run({ samples: { samples }, mask }, ctx, {});
  const { LATENT } = await ksampler.run({ ...defaults, latent_image: masked }, ctx, {});
  let [inside, outside] = [0, 0];
  LATENT.samples.data.forEach((z, i) => {
    const change = Math.abs(z - (samples.data[i] ?? 0));
    if (Math.floor(i / w) % h === 0) inside = Math.max(inside, change);
    else outside = Math.max(outside, change);
  });
  expect(outside).toBeLessThan(1e-4);
  expect(inside).toBeGreaterThan(0.1);
  const ddim = (await ksampler.run({ ...defaults, latent_image: masked, sampler_name: "ddim" }, ctx, {})).LATENT;
  expect(relativeError(ddim.samples, LATENT.samples)).toBeGreaterThan(1e-4);
  const empty = (count: number) =>
    ksampler.run({ ...defaults, latent_image: { samples: f32([1, count, h, w], new Float32Array(count * h * w)) } }, ctx, {});
  expect((await empty(4)).LATENT.samples.data).toEqual((await empty(channels)).LATENT.samples.data);
  const cut = async (dim: "x" | "y", index: number, amount: number) =>
    (await latentCut.run({ samples: { samples }, dim, index, amount }, ctx, {})).LATENT.samples;
  expect((await cut("y", 0, 1)).data.subarray(0, w)).toEqual(samples.data.subarray(0, w));
  expect([(await cut("x", -2, 16384)).shape, (await cut("y", 1, 2)).shape]).toEqual([
    [1, channels, h, 2],
    [1, channels, 2, w],
  ]);
});

test("reports each step and stops between evaluations", async () => {
  const steps: number[] = [];
  await run({}, { ...fakeContext(compute), progress: (value) => void steps.push(value) });
  expect(steps).toEqual([1, 2, 3]);
  const stop = new AbortController();
  const stopping = { ...fakeContext(compute), signal: stop.signal, progress: () => stop.abort(new Error("enough")) };
  await expect(run({}, stopping)).rejects.toThrow("enough");
});

test("prompts and references that do not fit are refused", async () => {
  await expect(run({ positive: { ...positive, embeds: randn([1, 7, 32], 1) } })).rejects.toMatchObject({ code: "CONDITIONING_WIDTH" });
  await expect(run({ positive: prompt(1, 7, { samples: randn([2, 16, 4, 4], 1) }) })).rejects.toMatchObject({ code: "REFERENCE_BATCH" });
  await expect(run({ latent_image: { samples: randn([1, 4, 4, 4], 1) } })).rejects.toMatchObject({ code: "LATENT_CHANNELS" });
});

test("QwenImageEditSampler takes its size from the last reference or as given", async () => {
  const inputs = {
    model,
    positive: prompt(1, 7, reference, { samples: randn([1, 16, 4, 2], 5) }),
    negative: undefined,
    seed: 1,
    steps: 2,
    true_cfg_scale: 4,
    schedule: "dynamic",
    width: 0,
    height: 0,
  } as const;
  const sampled = async (changes: Partial<Parameters<typeof qwenImageEditSampler.run>[0]>) =>
    (await qwenImageEditSampler.run({ ...inputs, ...changes }, fakeContext(compute), {})).LATENT.samples;
  const plain = await sampled({});
  expect(plain.shape).toEqual([1, 16, 4, 2]);
  expect((await sampled({ width: 40, height: 63 })).shape).toEqual([1, 16, 6, 4]);
  expect(await sampled({ negative, true_cfg_scale: 1 })).toEqual(plain);
  expect(relativeError(await sampled({ negative }), plain)).toBeGreaterThan(1e-3);
  expect(relativeError(await sampled({ schedule: "lightning" }), plain)).toBeGreaterThan(1e-3);
  await expect(sampled({ positive: prompt(1, 7) })).rejects.toMatchObject({ code: "SAMPLER_SIZE" });
});

test("NaN ends sampling with the file and the tensor, or the input, that it comes from", async () => {
  const sample = (change: Partial<typeof defaults>) => ksampler.run({ ...defaults, ...change }, fakeContext(compute), {});
  const broken = new Map(tensors);
  const name = "transformer_blocks.1.img_mlp.net.2.weight";
  const good = broken.get(name);
  if (!good) throw new Error(name);
  broken.set(name, f32(good.shape, good.data.with(7, Number.NaN)));
  const damaged = (await loadTransformer(memoryWeights(broken, { metadata, name: "damaged.safetensors" }))).model;
  await expect(sample({ model: damaged })).rejects.toMatchObject({
    code: "SAMPLING_NOT_FINITE",
    message: expect.stringContaining(`damaged.safetensors: ${name}`),
  });
  const embeds = f32(positive.embeds.shape, positive.embeds.data.with(0, Number.POSITIVE_INFINITY));
  await expect(sample({ positive: { ...positive, embeds } })).rejects.toMatchObject({
    code: "SAMPLING_NOT_FINITE",
    message: expect.stringContaining("the prompt"),
  });
  const adapter = {
    target: "img_in",
    nameA: "a",
    nameB: "b",
    a: f32([1, 64], new Float32Array(64).fill(Number.NaN)),
    b: f32([32, 1], new Float32Array(32)),
    scale: 1,
  };
  await expect(sample({ model: model.withAdapters([adapter]) })).rejects.toMatchObject({
    message: expect.stringContaining("the adapter on img_in"),
  });
});

test("guidance that leaves the range of numbers is an error that names the step", async () => {
  await expect(run({ cfg: 1e60 })).rejects.toMatchObject({ code: "SAMPLING_NAN", message: expect.stringMatching(/^step 1 /) });
});

test("a latent says which statistics it belongs to: samplers honour a VAE's own, and decoding converts", async () => {
  const { channels } = model.latentSpace;
  const statistics = { mean: new Array(channels).fill(0.5), std: new Array(channels).fill(2) };
  const tagged = denormaliseLatent(model.latentSpace, randn([1, 16, 4, 6], 3), statistics);
  const own = prompt(1, 7, tagged);
  const usual = prompt(1, 7, reference);
  const [a, b] = [await run({ positive: own, negative: own }), await run({ positive: usual, negative: usual })];
  // The same normalised reference, so the same picture; only the raw numbers of the result are of other statistics.
  const result = (await ksampler.run({ ...defaults, positive: own, negative: own }, fakeContext(compute), {})).LATENT;
  expect(result.statistics).toEqual(statistics);
  expect(relativeError(a, b)).toBeGreaterThan(1e-2);
  expect(relativeError(f32(a.shape, withStatistics(result, model.latentSpace.statistics).data), b)).toBeLessThan(1e-4);
});
