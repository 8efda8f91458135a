// With models that tests can follow by hand: v = a·x + b·σ + the mean of the prompt + the mean of the references.
import { expect, test } from "vitest";
import type { Compute } from "../../../engine/ir/compute.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { fakeContext } from "../../../test/fake-context.ts";
import { fakeModel, noise } from "../../../test/fake-diffusion.ts";
import { interpreterCompute } from "../../../test/interpreter-compute.ts";
import type { Conditioning, Latent } from "../contracts/data.ts";
import type { DiffusionModel } from "../contracts/modules.ts";
import { normaliseLatent } from "./latent-space.ts";
import { packLatent } from "./packing.ts";
import { preparePrompt } from "./prepared-prompt.ts";
import { sampleFlow, statisticsOf } from "./sample-flow.ts";
import { velocityFor } from "./velocity.ts";

const compute = interpreterCompute();
const space = { channels: 2, cell: 8, patch: 2, statistics: { mean: [1, -2], std: [2, 0.5] } };
const calls: { readonly prompt: number; readonly references: number }[] = [];
const model: DiffusionModel = {
  ...fakeModel(),
  latentSpace: space,
  guidance: (scale) =>
    scale === 1
      ? null
      : {
          branches: [{ name: "negative", conditioning: (_, negative) => negative }],
          combine: (c, [u = c]) => ({ v: c.map((x, i) => (u[i] ?? 0) + scale * (x - (u[i] ?? 0))), factor: null }),
        },
  build(b, { x, references, prompt, sigma, shape }) {
    calls.push({ prompt: prompt.text?.shape[1] ?? 0, references: shape.references.length });
    const { text } = prompt;
    if (!text) throw new Error("no text");
    const flat = b.add(b.mul(x, 0.5), b.reshape(b.add(b.mean(text, [1, 2], false), b.mul(sigma, 3)), [1, 1, 1]));
    return references ? b.add(flat, b.mean(references, [1, 2], true)) : flat;
  },
};
const mean = (data: Float32Array) => data.reduce((a, x) => a + x, 0) / data.length;
const reference = (seed: number): Latent => ({ samples: noise(seed, [1, 2, 2, 4]) });
const prompt = (seed: number, ...referenceLatents: Latent[]): Conditioning => ({ embeds: noise(seed, [1, 2, 2]), referenceLatents });
const start = noise(9, [1, 2, 4, 2]);
const [positive, negative] = [prompt(1, reference(3), reference(4)), prompt(2)];
const velocityBy = ({ embeds, referenceLatents }: Conditioning) => {
  const packed = referenceLatents.flatMap((l) => [...normaliseLatent(space, l).data]);
  const constant = mean(embeds.data) + (packed.length > 0 ? mean(Float32Array.from(packed)) : 0);
  return (x: number, sigma: number) => 0.5 * x + constant + 3 * sigma;
};
/** Raw numbers of a normalised latent [1, 2, h, w]. */
const raw = (data: readonly number[], { mean: m, std }: typeof space.statistics) =>
  data.map((z, i) => z * (std[Math.floor(i / (data.length / 2))] ?? 0) + (m[Math.floor(i / (data.length / 2))] ?? 0));

test("Euler steps down the σ given, guided on the velocity, and back to raw latents", async () => {
  const done: unknown[] = [];
  const ctx = { ...fakeContext(compute), progress: (...args: unknown[]) => void done.push(args.slice(0, 3)) };
  const sigmas = [1, 0.6, 0];
  const { samples } = await sampleFlow(ctx, { model, positive, negative, noise: start, scale: 4, sigmas });
  const [c, u] = [velocityBy(positive), velocityBy(negative)];
  const expected = [...start.data].map((x) => {
    let at = x;
    for (const [sigma, next] of [
      [1, 0.6],
      [0.6, 0],
    ] as const)
      at += (next - sigma) * (u(at, sigma) + 4 * (c(at, sigma) - u(at, sigma)));
    return at;
  });
  expect(samples.shape).toEqual([1, 2, 4, 2]);
  raw(expected, space.statistics).forEach((x, i) => {
    expect(samples.data[i]).toBeCloseTo(x, 4);
  });
  expect(done).toEqual([
    [1, 2, "σ 0.6000"],
    [2, 2, "σ 0.0000"],
  ]);
});

test("without a negative prompt, and at a scale that means none, only the prompt is evaluated", async () => {
  for (const request of [
    { negative: undefined, scale: 4 },
    { negative, scale: 1 },
  ]) {
    calls.length = 0;
    const { samples } = await sampleFlow(fakeContext(compute), { model, positive, noise: start, sigmas: [1, 0], ...request });
    expect(calls).toEqual([{ prompt: 2, references: 2 }]);
    const expected = raw(
      [...start.data].map((x) => x - velocityBy(positive)(x, 1)),
      space.statistics,
    );
    expected.forEach((x, i) => {
      expect(samples.data[i]).toBeCloseTo(x, 4);
    });
  }
});

test("the result has the statistics of the last reference that says its own", async () => {
  const own = { mean: [0, 10], std: [1, 3] };
  const from = (...latents: Latent[]) => statisticsOf(prompt(1, ...latents));
  const [first, last] = [
    { ...reference(3), statistics: space.statistics },
    { ...reference(4), statistics: own },
  ];
  expect([from(first, last), from(last, first), from(last, reference(3)), from(reference(3)), from()]).toEqual([
    own,
    space.statistics,
    own,
    undefined,
    undefined,
  ]);
  const tagged = prompt(1, last);
  const { samples, statistics } = await sampleFlow(fakeContext(compute), {
    model,
    positive: tagged,
    noise: start,
    scale: 1,
    sigmas: [1, 0.5],
  });
  expect(statistics).toEqual(own);
  const expected = raw(
    [...start.data].map((x) => x - 0.5 * velocityBy(tagged)(x, 1)),
    own,
  );
  expected.forEach((x, i) => {
    expect(samples.data[i]).toBeCloseTo(x, 4);
  });
});

test("a batch is refused; a cancel is looked at before each evaluation; NaN is an error of the step", async () => {
  const request = { model, positive, negative, noise: start, scale: 4, sigmas: [1, 0.5, 0] };
  await expect(sampleFlow(fakeContext(compute), { ...request, noise: noise(1, [2, 2, 4, 2]) })).rejects.toMatchObject({
    code: "LATENT_SIZE",
  });
  for (const last of [0, 1, 2, 3]) {
    let runs = 0;
    const counting: Compute = {
      ...compute,
      async compile(...args) {
        const executable = await compute.compile(...args);
        return {
          ...executable,
          run(feeds) {
            runs++;
            if (runs === last) stop.abort();
            return executable.run(feeds);
          },
        };
      },
    };
    const stop = new AbortController();
    if (last === 0) stop.abort();
    await expect(sampleFlow({ ...fakeContext(counting), signal: stop.signal }, request)).rejects.toMatchObject({ name: "AbortError" });
    expect(runs).toBe(last);
  }
  await expect(sampleFlow(fakeContext(compute), { ...request, sigmas: [1, Number.NaN] })).rejects.toMatchObject({ code: "SAMPLING_NAN" });
});

test("a prompt's references are packed one after the other, normalised, with their sizes", () => {
  const wide = { samples: noise(5, [1, 2, 2, 6]) };
  const tall = { samples: noise(6, [1, 2, 4, 2]), statistics: { mean: [0, 10], std: [1, 3] } };
  const target = { h: 3, w: 5 };
  const { shape, feeds } = preparePrompt(model, { ...prompt(1, wide, tall), referenceMethod: "offset" }, target, "comfyui");
  expect(shape).toEqual({
    batch: 1,
    target,
    references: [
      { h: 1, w: 3 },
      { h: 2, w: 1 },
    ],
    prompt: { text: [1, 2, 2] },
    convention: "comfyui",
    referenceMethod: "offset",
  });
  const packed = [wide, tall].flatMap((l) => [...packLatent(normaliseLatent(space, l), 2).data]);
  expect([feeds.references?.shape, [...(feeds.references?.data ?? [])]]).toEqual([[1, 5, 8], packed]);
  expect(feeds["prompt.text"]).toEqual(prompt(1).embeds);
  const bare = preparePrompt(model, prompt(1), target, "diffusers");
  expect([bare.shape.references, "references" in bare.feeds, "referenceMethod" in bare.shape]).toEqual([[], false, false]);
  expect(() => preparePrompt(model, prompt(1, { samples: noise(5, [2, 2, 2, 2]) }), target, "comfyui")).toThrow(
    expect.objectContaining({ code: "REFERENCE_BATCH" }),
  );
});

test("a velocity that is not finite says whose fault it is: an input's, a weight's, or nobody's", async () => {
  const grid = { h: 2, w: 1 };
  const evaluate = async (of: DiffusionModel, conditioning: Conditioning, x: number, sigma = 1) =>
    (await velocityFor(compute, of, conditioning, grid, "diffusers"))(new Float32Array(16).fill(x), sigma);
  const bad = (conditioning: Conditioning): Conditioning => ({ ...conditioning, embeds: f32([1, 2, 2], [0, 0, Number.NaN, 0]) });
  const why = (promise: Promise<unknown>, message: RegExp) =>
    expect(promise).rejects.toMatchObject({ code: "SAMPLING_NOT_FINITE", message: expect.stringMatching(message) });
  await why(evaluate(model, positive, Number.NaN), /the latent that comes in already does/);
  await why(evaluate(model, bad(positive), 1), /the prompt that comes in already does/);
  await why(
    evaluate(model, prompt(1, { samples: f32([1, 2, 2, 2], new Float32Array(8).fill(Number.POSITIVE_INFINITY)) }), 1),
    /a reference picture's latent/,
  );
  await why(evaluate(model, positive, 1, Number.NaN), /NaN or Inf$/);
  await why(
    evaluate({ ...model, findNotFinite: async () => "a.safetensors: block.0" }, positive, 1, Number.NaN),
    /so does a\.safetensors: block\.0/,
  );
  expect((await evaluate(model, negative, 2))[0]).toBeCloseTo(velocityBy(negative)(2, 1), 5);
});

test("adapters are fed by their names, and not baked in", async () => {
  const adapters = [{ target: "block.attn.to_q", nameA: "x.A", nameB: "x.B", a: noise(1, [1, 3]), b: noise(2, [3, 1]), scale: 1 }];
  const fed: unknown[] = [];
  const seeing: Compute = {
    ...compute,
    compile(graph, options) {
      fed.push(options);
      return compute.compile(graph, options);
    },
  };
  await velocityFor(seeing, fakeModel(adapters), prompt(1), { h: 1, w: 1 }, "diffusers");
  expect(fed).toEqual([{ fed: ["x.A", "x.B"] }]);
});
