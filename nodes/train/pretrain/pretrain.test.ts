import { afterAll, expect, test } from "vitest";
import { randomSource } from "../../../engine/base/random.ts";
import { readSafetensors } from "../../../engine/formats/safetensors.ts";
import { createTokenizer } from "../../../engine/formats/tokenizer.ts";
import { parseTokenizerJson } from "../../../engine/formats/tokenizer-files.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { createRuntime } from "../../../engine/ort/runtime.ts";
import { expectDType, f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import { fakeContext } from "../../../test/fake-context.ts";
import { memoryWeights } from "../../../test/memory-weights.ts";
import { tinyTextEncoder } from "../../../tools/tiny-text-encoder.ts";
import { tinyTokenizer } from "../../../tools/tiny-tokenizer.ts";
import { tinyTransformer } from "../../../tools/tiny-transformer.ts";
import { tinyVae } from "../../../tools/tiny-vae.ts";
import { withTrained } from "../../../tools/with-trained.ts";
import { personOf } from "../../data/person.ts";
import { renderScene } from "../../data/render-scene.ts";
import { openQwenVl } from "../../qwen/text/open-qwen-vl.ts";
import { textEncoder } from "../../qwen/text/text-encoder.ts";
import { loadTransformer } from "../../qwen/transformer/load-transformer.ts";
import { loadVae } from "../../qwen/vae/load-vae.ts";
import { vaeNames } from "../../qwen/vae/vae-names.ts";
import type { Dataset } from "../../shared/contracts/data.ts";
import type { TextEncoder } from "../../shared/contracts/diffusion.ts";
import { autoencoderLossGraph } from "./autoencoder-loss.ts";
import { EncodedExamples, faceShare } from "./encoded-examples.ts";
import { flowMatchingLossGraph } from "./flow-matching-loss.ts";
import pretrainTransformer, { batchFeeds, shapeOf, textOf } from "./pretrain-transformer.ts";
import pretrainVae from "./pretrain-vae.ts";
import { gradientsOf, TrainedWeights } from "./trained-weights.ts";

const runtime = createRuntime({ device: "cpu", threads: 1 });
afterAll(() => runtime.dispose());

const untrainedVae = tinyVae(1, { baseDim: 4, zDim: 16, dimMult: [1, 1, 1, 1], resBlocks: 1 });
const vae = await loadVae(memoryWeights(untrainedVae));
const untrained = tinyTransformer(2, { layers: 2, heads: 2, headDim: 16, jointAttentionDim: 8, axes: [4, 6, 6], zeroCond: true });
const { model } = await loadTransformer(memoryWeights(untrained.tensors, { metadata: untrained.metadata }));

const dataset: Dataset = {
  id: "toy",
  train: 4,
  heldOut: 0,
  example(_, index) {
    const rng = randomSource(index);
    const people = [personOf(2 * index), personOf(2 * index + 1)];
    const scene = renderScene(people, 64, 32, rng);
    const portraits = people.map((p) => renderScene([p], 32, 32, rng));
    return Promise.resolve({
      id: `${index}`,
      prompt: "",
      references: portraits.map((p) => p.image),
      referenceFaces: portraits.flatMap((p) => p.faces),
      target: scene.image,
      targetFaces: scene.faces,
    });
  },
};

/** States computed from the prompt's pictures, without a model. */
const clip: TextEncoder = {
  id: "toy",
  encode: (_, { images }) =>
    Promise.resolve({
      embeds: f32(
        [1, 5, 8],
        Float32Array.from({ length: 40 }, (__, i) => images[i % 2]?.image.data[7 * i] ?? 0),
      ),
    }),
};

/** A context with a run directory in memory. */
function context() {
  const files = new Map<string, Uint8Array>();
  const lines: string[] = [];
  const ctx = fakeContext(runtime);
  const directory = {
    path: "memory",
    read: async (name: string) => files.get(name),
    write: async (name: string, bytes: Uint8Array) => void files.set(name, bytes),
    append: async (name: string, line: string) => void (name === "metrics.jsonl" && lines.push(line)),
    appendBytes: async () => undefined,
    list: async () => [...files.keys()],
    remove: async (name: string) => void files.delete(name),
  };
  const losses = () => lines.map((line) => Number(JSON.parse(line).loss));
  return { ...ctx, runDirectory: async () => directory, losses };
}

function mean(xs: readonly number[]): number {
  return xs.reduce((sum, x) => sum + x, 0) / xs.length;
}

function scalar(t: Tensor | undefined): number {
  return Number(t?.data[0]);
}

const settings = { learning_rate: 0.01, lr_schedule: "constant", warmup: 0, max_grad_norm: 1, checkpoint_every: 100, seed: 3 } as const;

test("the autoencoder's loss is the formula over what encoder and decoder give", async () => {
  const rng = randomSource(5);
  const image = f32([1, 3, 16, 16], rng.normals(new Float32Array(768)));
  const noise = f32([1, 16, 2, 2], rng.normals(new Float32Array(64)));
  const graph = autoencoderLossGraph(vae, { batch: 1, height: 16, width: 16, momentWeight: 0.5 });
  const { loss, moments } = await runtime.run(graph, { image, noise });
  const b = newBuilder();
  const { z } = await runtime.run(b.graph({ z: vae.encode.build(b, b.input("image", "float32", image.shape)) }), { image });
  if (!z) throw new Error("no latent");
  const channel = (i: number) => Math.floor(i / 4);
  const raw = expectDType(z, "float32", "z");
  const normal = Array.from(raw, (v, i) => (v - (vae.statistics.mean[channel(i)] ?? 0)) / (vae.statistics.std[channel(i)] ?? 1));
  let distance = 0;
  for (let c = 0; c < 16; c++) {
    const own = normal.slice(4 * c, 4 * c + 4);
    distance += ((own.reduce((a, v) => a + v, 0) / 4) ** 2 + (own.reduce((a, v) => a + v * v, 0) / 4 - 1) ** 2) / 16;
  }
  const noisy = normal.map(
    (v, i) => (v + (noise.data[i] ?? 0)) * (vae.statistics.std[channel(i)] ?? 1) + (vae.statistics.mean[channel(i)] ?? 0),
  );
  const d = newBuilder();
  const latent = f32(z.shape, noisy);
  const { y } = await runtime.run(d.graph({ y: vae.decode.build(d, d.input("z", "float32", z.shape)) }), { z: latent });
  if (!y) throw new Error("no picture");
  const errors = Array.from(expectDType(y, "float32", "y"), (v, i) => v - (image.data[i] ?? 0));
  const over = (f: (e: number) => number) => mean(errors.map(f));
  expect(scalar(moments)).toBeCloseTo(distance, 3);
  expect(scalar(loss)).toBeCloseTo(over(Math.abs) + 2 * over((e) => e * e) + 0.5 * distance, 3);
});

test("PretrainVAE lowers its loss and writes every weight, which fit the released layout", async () => {
  const ctx = context();
  await pretrainVae.run(
    {
      ...settings,
      vae,
      dataset,
      parts: "all",
      steps: 24,
      batch: 2,
      crop: 0,
      ema_decay: 0,
      latent_noise: 0.05,
      moment_weight: 0.05,
      prefix: "vae",
    },
    ctx,
    {},
  );
  const losses = ctx.losses();
  expect(losses).toHaveLength(24);
  expect(mean(losses.slice(-4))).toBeLessThan(0.8 * mean(losses.slice(0, 4)));
  const trained = readSafetensors(ctx.saved.get("vae.safetensors") ?? new Uint8Array()).tensors;
  const names = new Map([...vaeNames(memoryWeights(untrainedVae)).names].map(([to, from]) => [from, to]));
  const plain = (name: string) => names.get(name) ?? name;
  const whole = withTrained(untrainedVae, trained, plain);
  const kernel = whole.get("encoder.conv1.weight");
  const stored = trained.get("encoder.conv_in.weight");
  // Output 1, input 2, last of three temporal slices, corner.
  expect(kernel?.shape).toEqual([4, 3, 3, 3, 3]);
  expect(kernel?.data[((1 * 3 + 2) * 3 + 2) * 9]).toBe(stored?.data[(1 * 3 + 2) * 9]);
  await loadVae(memoryWeights(whole));
});

test("the decoder alone: the encoder stays, and is in the file", async () => {
  const ctx = context();
  await pretrainVae.run(
    {
      ...settings,
      vae,
      dataset,
      parts: "decoder",
      steps: 4,
      batch: 1,
      crop: 0,
      ema_decay: 0,
      latent_noise: 0.05,
      moment_weight: 0.05,
      prefix: "vae",
    },
    ctx,
    {},
  );
  const trained = readSafetensors(ctx.saved.get("vae.safetensors") ?? new Uint8Array()).tensors;
  const names = new Map([...vaeNames(memoryWeights(untrainedVae)).names].map(([to, from]) => [from, to]));
  const whole = withTrained(untrainedVae, trained, (name) => names.get(name) ?? name);
  const changed = [...untrainedVae].filter(([name, t]) => whole.get(name)?.data.some((x, i) => x !== t.data[i])).map(([name]) => name);
  expect(changed.length).toBeGreaterThan(10);
  for (const name of changed) expect(name).toMatch(/^(decoder|conv2)\./);
  expect([...trained.keys()].some((name) => name.startsWith("encoder."))).toBe(true);
});

test("a batch's gradient is the mean of its examples'", async () => {
  const examples = new EncodedExamples(runtime, { model, vae, clip }, dataset, 32, false);
  const pair = [await examples.get(0), await examples.get(1)];
  const text = textOf(pair);
  const shape = shapeOf(model, pair, text);
  const feeds = { ...batchFeeds(pair, shape, randomSource(1), 2, 3), ...text.feeds };
  const of = async (batch: number, given: Readonly<Record<string, Tensor>>) => {
    const graph = flowMatchingLossGraph(model, shapeOf(model, pair.slice(0, batch), text), text);
    const weights = await TrainedWeights.of(runtime, graph);
    const run = await runtime.grad(graph, "loss", weights.names, { fed: weights.names });
    return gradientsOf(await run.run({ ...weights.feeds(), ...given }), weights.names);
  };
  const row = (k: number) =>
    Object.fromEntries(
      Object.entries(feeds).map(([name, t]) => {
        const size = t.data.length / 2;
        return [name, f32([1, ...t.shape.slice(1)], expectDType(t, "float32", name).slice(k * size, (k + 1) * size))];
      }),
    );
  const [both, a, b] = [await of(2, feeds), await of(1, row(0)), await of(1, row(1))];
  for (const [name, g] of both) {
    const half = g.map((_, i) => ((a.get(name)?.[i] ?? 0) + (b.get(name)?.[i] ?? 0)) / 2);
    const scale = Math.max(1e-6, ...half.map(Math.abs));
    expect(Math.max(...g.map((x, i) => Math.abs(x - (half[i] ?? 0)))) / scale, name).toBeLessThan(1e-3);
  }
});

test("PretrainTransformer lowers its loss and writes weights that load", async () => {
  const ctx = context();
  await pretrainTransformer.run(
    {
      ...settings,
      model,
      vae,
      clip,
      dataset,
      steps: 24,
      batch: 2,
      weight_decay: 0,
      ema_decay: 0.5,
      shift: 2,
      face_weight: 3,
      vision_size: 32,
      train_text_encoder: false,
      prefix: "t",
    },
    ctx,
    {},
  );
  const losses = ctx.losses();
  expect(mean(losses.slice(-6))).toBeLessThan(0.8 * mean(losses.slice(0, 3)));
  const trained = readSafetensors(ctx.saved.get("t.safetensors") ?? new Uint8Array()).tensors;
  const whole = withTrained(untrained.tensors, trained);
  expect(whole.get("proj_out.weight")?.data).not.toEqual(untrained.tensors.get("proj_out.weight")?.data);
  expect((await loadTransformer(memoryWeights(whole, { metadata: untrained.metadata }))).unused).toEqual([]);
});

test("prompts of different lengths: the padding is masked, and changes nothing", async () => {
  const states = (length: number, seed: number) => f32([1, length, 8], randomSource(seed).normals(new Float32Array(length * 8)));
  const example = await new EncodedExamples(runtime, { model, vae, clip }, dataset, 32, false).get(0);
  const pair = [
    { ...example, text: { embeds: states(3, 1) } },
    { ...example, text: { embeds: states(5, 2) } },
  ];
  const velocities = async (batch: typeof pair, feeds: Readonly<Record<string, Tensor>>) => {
    const graph = flowMatchingLossGraph(model, shapeOf(model, batch, textOf(batch)), textOf(batch));
    return (await runtime.run(graph, { ...feeds, ...textOf(batch).feeds })).loss?.data[0];
  };
  const feeds = (batch: typeof pair) => batchFeeds(batch, shapeOf(model, batch, textOf(batch)), randomSource(7), 2, 3);
  const both = feeds(pair);
  const row = (k: number): Record<string, Tensor> =>
    Object.fromEntries(
      Object.entries(both).map(([name, t]) => {
        const size = t.data.length / 2;
        return [name, f32([1, ...t.shape.slice(1)], expectDType(t, "float32", name).slice(k * size, (k + 1) * size))];
      }),
    );
  const alone = [await velocities(pair.slice(0, 1), row(0)), await velocities(pair.slice(1), row(1))];
  expect(Number(await velocities(pair, both))).toBeCloseTo((Number(alone[0]) + Number(alone[1])) / 2, 5);
});

test("the text encoder learns with the transformer, and its states are those that editing gets", async () => {
  const tiny = tinyTextEncoder(4);
  const file = memoryWeights(tiny.tensors, { metadata: tiny.metadata });
  const tokenizer = createTokenizer(parseTokenizerJson(tinyTokenizer(1024)));
  const encoder = textEncoder("tiny", await openQwenVl(file), tokenizer);
  const wide = tinyTransformer(2, { layers: 2, heads: 2, headDim: 16, jointAttentionDim: 64, axes: [4, 6, 6], zeroCond: true });
  const { model: reader } = await loadTransformer(memoryWeights(wide.tensors, { metadata: wide.metadata }));
  const prompted: Dataset = {
    ...dataset,
    example: async (split, index) => ({
      ...(await dataset.example(split, index)),
      prompt: index % 2 ? "swap them" : "the first on the left",
    }),
  };

  const examples = new EncodedExamples(runtime, { model: reader, vae, clip: encoder }, prompted, 32, true);
  const frozen = new EncodedExamples(runtime, { model: reader, vae, clip: encoder }, prompted, 32, false);
  const pair = [await examples.get(0), await examples.get(1)];
  const text = textOf(pair);
  const b = newBuilder();
  if (!text.build) throw new Error("the text is not built");
  const { states } = await runtime.run(
    b.graph({ states: text.build(b) }),
    Object.fromEntries(Object.entries(text.feeds).filter(([n]) => n !== "prompt.text_mask")),
  );
  const mask = text.feeds["prompt.text_mask"];
  if (!states || !mask) throw new Error("no states");
  for (const k of [0, 1]) {
    const { text: given } = await frozen.get(k);
    if ("batch" in given) throw new Error("states are wanted");
    const { embeds: alone } = given;
    const got = expectDType(states, "float32", "states").subarray(k * text.length * 64, k * text.length * 64 + alone.data.length);
    expect(Math.max(...alone.data.map((x, i) => Math.abs(x - (got[i] ?? 0))))).toBeLessThan(1e-4);
    expect(Array.from(mask.data.subarray(k * text.length, (k + 1) * text.length), Number).reduce((n, x) => n + x, 0)).toBe(alone.shape[1]);
  }

  const ctx = context();
  await pretrainTransformer.run(
    {
      ...settings,
      model: reader,
      vae,
      clip: encoder,
      dataset: prompted,
      steps: 6,
      batch: 2,
      weight_decay: 0,
      ema_decay: 0,
      shift: 2,
      face_weight: 3,
      vision_size: 32,
      train_text_encoder: true,
      prefix: "t",
    },
    ctx,
    {},
  );
  const learned = readSafetensors(ctx.saved.get("t-text-encoder.safetensors") ?? new Uint8Array()).tensors;
  const whole = withTrained(tiny.tensors, learned);
  const changed = [...tiny.tensors].filter(([name, t]) => whole.get(name)?.data.some((x, i) => x !== t.data[i])).map(([name]) => name);
  expect(changed).toContain("model.embed_tokens.weight");
  expect(changed).toContain("model.layers.0.self_attn.q_proj.weight");
  for (const name of changed) expect(name).toMatch(/^model\./);
  expect(
    [...readSafetensors(ctx.saved.get("t.safetensors") ?? new Uint8Array()).tensors.keys()].every((n) => !n.startsWith("model.")),
  ).toBe(true);
});

test("further inputs of a prompt stand in rows, one for each", () => {
  const text = (value: number) => ({
    embeds: f32([1, 1, 2], [value, value]),
    extra: { pooled: f32([1, 3], [value, value + 1, value + 2]) },
  });
  const one = {
    target: { h: 1, w: 1 },
    references: [],
    x0: new Float32Array(),
    referenceTokens: new Float32Array(),
    faceShare: new Float32Array(),
  };
  const { feeds, isMasked, length } = textOf([
    { ...one, text: text(10) },
    { ...one, text: text(20) },
  ]);
  expect([feeds["prompt.pooled"]?.shape, [...(feeds["prompt.pooled"]?.data ?? [])]]).toEqual([
    [2, 3],
    [10, 11, 12, 20, 21, 22],
  ]);
  expect([[...(feeds["prompt.text"]?.data ?? [])], isMasked, length]).toEqual([[10, 10, 20, 20], false, 1]);
});

test("pictures of two sizes, or with references of two, are no batch", async () => {
  const one = {
    target: { h: 2, w: 1 },
    references: [{ h: 1, w: 1 }],
    x0: new Float32Array(),
    referenceTokens: new Float32Array(),
    faceShare: new Float32Array(),
    text: { embeds: f32([1, 1, 8], new Float32Array(8)) },
  };
  const text = { length: 1 };
  expect(shapeOf(model, [one, one, one], text)).toMatchObject({ batch: 3, target: { h: 2, w: 1 }, references: [{ h: 1, w: 1 }] });
  for (const other of [
    { ...one, target: { h: 1, w: 2 } },
    { ...one, references: [{ h: 1, w: 2 }] },
    { ...one, references: [] },
  ])
    expect(() => shapeOf(model, [one, one, other], text)).toThrow(expect.objectContaining({ code: "PRETRAIN_SHAPE" }));
  expect(() => shapeOf(model, [], text)).toThrow(expect.objectContaining({ code: "PRETRAIN_SHAPE" }));
});

test("noise and velocity belong together, and the times cover (0, 1)", async () => {
  const examples = new EncodedExamples(runtime, { model, vae, clip }, dataset, 32, false);
  const batch = [await examples.get(0), await examples.get(1)];
  const [first] = batch;
  if (!first) throw new Error("no example");
  const shape = shapeOf(model, batch, textOf(batch));
  const { x, target, sigma, weight } = batchFeeds(batch, shape, randomSource(4), 1, 5);
  if (!x || !target || !sigma || !weight) throw new Error("a feed is missing");
  const [early = 0, late = 0] = expectDType(sigma, "float32", "sigma");
  expect(early).toBeLessThan(0.5);
  expect(late).toBeGreaterThan(0.5);
  // x − σ·(ε − x0) = x0.
  const x0 = expectDType(x, "float32", "x").map((v, i) => v - (i < first.x0.length ? early : late) * Number(target.data[i]));
  expect(Math.max(...first.x0.map((v, i) => Math.abs(v - (x0[i] ?? 0))))).toBeLessThan(1e-5);
  expect(weight.shape).toEqual([2, 8, 1]);
});

test("the share of each token that lies in a face", () => {
  const points5 = [
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 0],
  ] as const;
  expect([...faceShare([{ box: [8, 0, 32, 16], score: 1, points5 }], { h: 2, w: 2 }, 16)]).toEqual([0.5, 1, 0, 0]);
});

test("weights that are not float32 are refused before anything is trained", async () => {
  const b = newBuilder();
  const half = { kind: "host", tensor: { dtype: "bfloat16", shape: [2], data: new Uint16Array(2) } } as const;
  const graph = b.graph({ y: b.cast(b.weight("dit.x", "bfloat16", [2], half), "float32") });
  await expect(TrainedWeights.of(runtime, graph)).rejects.toMatchObject({ code: "PRETRAIN_DTYPE" });
});
