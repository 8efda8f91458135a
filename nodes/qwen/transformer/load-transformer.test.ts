import { afterAll, expect, test } from "vitest";
import { AppError } from "../../../engine/base/errors.ts";
import { randomSource } from "../../../engine/base/random.ts";
import { reach } from "../../../engine/ir/graph.ts";
import type { Value } from "../../../engine/ir/value.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { createRuntime } from "../../../engine/ort/runtime.ts";
import { float8FromFloat32, toFloat32 } from "../../../engine/tensor/convert.ts";
import { f32, type Tensor, tensor } from "../../../engine/tensor/tensor.ts";
import { memoryWeights } from "../../../test/memory-weights.ts";
import { relativeError } from "../../../test/relative-error.ts";
import { type TinyTransformerSizes, tinyTransformer } from "../../../tools/tiny-transformer.ts";
import type { DenoiseShape } from "../../shared/contracts/diffusion.ts";
import type { Adapter, DiffusionModel } from "../../shared/contracts/modules.ts";
import { denoiseInputs } from "../../shared/diffusion/denoise-inputs.ts";
import { cfgNorm } from "../../shared/diffusion/guidance.ts";
import { modelSampling } from "../../shared/diffusion/model-sampling.ts";
import { loadTransformer } from "./load-transformer.ts";

const compute = createRuntime({ device: "cpu", threads: 1 });
afterAll(() => compute.dispose());

const SIZES: TinyTransformerSizes = { layers: 3, heads: 2, headDim: 16, jointAttentionDim: 24, axes: [4, 6, 6], zeroCond: false };
const { tensors, metadata } = tinyTransformer(5, SIZES);
const SHAPE: DenoiseShape = {
  batch: 1,
  target: { h: 2, w: 3 },
  references: [{ h: 1, w: 4 }],
  prompt: { text: [1, 5, 24] },
  convention: "comfyui",
};

function graphOf(model: DiffusionModel, shape = SHAPE) {
  const b = newBuilder();
  const v = model.build(b, denoiseInputs(b, model, shape));
  return { b, graph: b.graph({ v }) };
}

async function run(model: DiffusionModel, shape = SHAPE): Promise<Tensor> {
  const { graph } = graphOf(model, shape);
  const rng = randomSource(1);
  const feeds = Object.fromEntries(
    reach(graph).inputs.map((v) => [
      v.def.kind === "input" ? v.def.name : "",
      f32(v.shape, rng.normals(new Float32Array(v.shape.reduce((a, d) => a * d, 1)))),
    ]),
  );
  const { v } = await compute.run(graph, { ...feeds, sigma: f32([shape.batch], new Float32Array(shape.batch).fill(0.6)) });
  if (!v) throw new Error("no velocity");
  return v;
}

const load = async (replaced: Iterable<readonly [string, Tensor]> = [], prefix = "") =>
  loadTransformer(memoryWeights(new Map([...tensors, ...replaced].map(([name, t]) => [prefix + name, t])), { metadata }));

test.each(["", "model.diffusion_model.", "diffusion_model.", "transformer."])(
  "reads the architecture off the tensors under prefix '%s'",
  async (prefix) => {
    const { model, config, unused } = await load([], prefix);
    expect(config).toEqual({
      num_layers: 3,
      num_attention_heads: 2,
      attention_head_dim: 16,
      joint_attention_dim: 24,
      in_channels: 64,
      axes_dims_rope: [4, 6, 6],
      zero_cond_t: false,
    });
    expect(unused).toEqual([]);
    expect(model.linears.get("transformer_blocks.2.txt_mlp.net.0.proj")).toEqual([128, 32]);
    expect(model.linears.has("txt_norm")).toBe(false);
  },
);

test.each([
  ["double_blocks.0.img_attn.norm.key_norm.scale", "FLUX"],
  ["single_transformer_blocks.0.attn.to_q.weight", "FLUX (diffusers)"],
  ["double_stream_modulation_img.lin.weight", "FLUX.2"],
  ["joint_blocks.0.x_block.attn.qkv.weight", "Stable Diffusion 3"],
  ["model.diffusion_model.label_emb.0.0.weight", "Stable Diffusion XL"],
  ["model.diffusion_model.input_blocks.0.0.weight", "Stable Diffusion 1/2"],
  ["blocks.0.self_attn.q.weight", "Wan"],
  ["txt_in.individual_token_refiner.blocks.0.norm1.weight", "HunyuanVideo"],
  ["noise_refiner.0.attention.qkv.weight", "Lumina or Z-Image"],
  ["transformer_blocks.0.attn.to_q.lora_A.weight", "a LoRA"],
  ["model.layers.0.self_attn.q_proj.weight", "a text encoder"],
  ["decoder.conv1.weight", "a VAE"],
  ["transformer_blocks.0.attn.to_qkv.qweight", "a Nunchaku"],
])("refuses a file with %s as %s", async (key, what) => {
  const file = memoryWeights(new Map([[key, f32([1], [0])]]), { name: "picked.safetensors" });
  await expect(loadTransformer(file)).rejects.toMatchObject({
    code: "MODEL_FAMILY",
    message: expect.stringContaining(`picked.safetensors is ${what}`),
  });
});

test.each([
  ["time_text_embed.addition_t_embedding.weight", f32([2, 32], new Float32Array(64)), "Qwen-Image-Layered"],
  ["img_in.weight", f32([3072, 192], new Float32Array(3072 * 192)), "2.x"],
  ["txt_norm.weight", f32([4096], new Float32Array(4096)), "Qwen3-VL"],
])("refuses relatives of the model by %s", async (name, t, what) => {
  const wide = name === "txt_norm.weight" ? [["img_in.weight", f32([3072, 64], new Float32Array(3072 * 64))] as const] : [];
  await expect(load([[name, t], ...wide])).rejects.toMatchObject({ code: "MODEL_FAMILY", message: expect.stringContaining(what) });
});

test("a file that lacks any one tensor is refused by the tensor's name", async () => {
  const names = [...tensors.keys()].filter((n) => n !== "__index_timestep_zero__" && !/^transformer_blocks\.2\./.test(n));
  for (const name of names) {
    const without = new Map(tensors);
    without.delete(name);
    await expect(loadTransformer(memoryWeights(without, { metadata })), name).rejects.toMatchObject({
      code: "MODEL_TENSOR_MISSING",
      message: expect.stringContaining(`has no ${name}`),
    });
  }
});

test("a tensor of another size is refused, never stretched", async () => {
  const taken: string[] = [];
  const names = [...tensors.keys()].filter((n) => n !== "__index_timestep_zero__" && !/^transformer_blocks\.[12]\./.test(n));
  for (const name of names) {
    const shape = [...(tensors.get(name)?.shape ?? [])];
    // One more than it was, and one alone, which would be repeated.
    for (const last of [(shape.at(-1) ?? 0) + 1, 1]) {
      const other = [...shape.slice(0, -1), last];
      const outcome = await load([[name, f32(other, new Float32Array(other.reduce((a, n) => a * n, 1)))]]).then(
        () => "taken",
        (error: unknown) => (error instanceof AppError && error.code.startsWith("MODEL_") ? "" : String(error)),
      );
      if (outcome !== "") taken.push(`${name} [${other}]: ${outcome}`);
    }
  }
  expect(taken).toEqual([]);
});

test("says what is wrong, unknown or too little", async () => {
  const thin = load([["transformer_blocks.0.img_mlp.net.2.weight", f32([32, 64], new Float32Array(2048))]]);
  await expect(thin).rejects.toMatchObject({ code: "MODEL_LAYOUT" });
  expect((await load([["extra.weight", f32([1], [0])]])).unused).toEqual(["extra.weight"]);
  await expect(loadTransformer(memoryWeights(tensors))).rejects.toMatchObject({
    code: "MODEL_CONFIG",
    hint: expect.stringContaining("axes_dims_rope"),
  });
  await expect(loadTransformer(memoryWeights(new Map([["x", f32([1], [0])]])))).rejects.toMatchObject({ code: "MODEL_FAMILY" });
});

test("blocks but the last have one structure, and the last leaves out what nothing reads", async () => {
  const { model } = await load();
  const { nodes, weights } = reach(graphOf(model, { ...SHAPE, referenceMethod: "index_timestep_zero" }).graph);
  const structure = (i: number) => {
    const mine = nodes.filter((n) => n.scope === `transformer_blocks.${i}`);
    const place = (v: Value | null) => v && [v.shape, v.def.kind === "node" ? mine.indexOf(v.def.node) : v.def.kind];
    return mine.map((n) => [n.op, n.attrs, n.inputs.map(place)]);
  };
  expect(structure(1)).toEqual(structure(0));
  expect(structure(0).length).toBeGreaterThan(50);
  const names = weights.map((w) => (w.def.kind === "weight" ? w.def.name : ""));
  expect(names.some((n) => n.includes("transformer_blocks.1.txt_mlp"))).toBe(true);
  expect(names.filter((n) => /transformer_blocks\.2\.(txt_mlp|attn\.to_add_out)/.test(n))).toEqual([]);
});

test.each(["float8e4m3fn", "float8e5m2", "int8"] as const)(
  "scaled %s weights, per tensor and per row, equal their widened form",
  async (dtype) => {
    for (const perRow of [false, true]) {
      const stored = new Map<string, Tensor>();
      const widened = new Map<string, Tensor>();
      for (const [name, t] of tensors) {
        const [out = 0, width] = t.shape;
        if (!name.endsWith(".weight") || width === undefined || !name.startsWith("transformer_blocks.1")) continue;
        const scales = Float32Array.from({ length: perRow ? out : 1 }, (_, i) => 0.01 + 0.001 * (i % 7));
        const scaleAt = (i: number) => scales[perRow ? Math.floor(i / width) : 0] ?? 0;
        const divided = t.data.map((x, i) => x / scaleAt(i));
        const small =
          dtype === "int8"
            ? tensor(
                "int8",
                t.shape,
                Int8Array.from(divided, (x) => Math.max(-127, Math.min(127, Math.round(x)))),
              )
            : tensor(dtype, t.shape, float8FromFloat32(divided, dtype));
        stored.set(name, small);
        stored.set(name.replace(".weight", ".weight_scale"), f32(perRow ? [out, 1] : [], scales));
        const wide = dtype === "int8" ? Float32Array.from(small.data, Number) : toFloat32(small);
        widened.set(
          name,
          f32(
            t.shape,
            wide.map((x, i) => x * scaleAt(i)),
          ),
        );
      }
      const [a, b] = [await load(stored), await load(widened)];
      expect(a.unused).toEqual([]);
      expect(relativeError(await run(a.model), await run(b.model))).toBeLessThan(2e-5);
    }
  },
);

test.each([
  ["nvfp4", [["transformer_blocks.0.attn.to_q.weight_scale_2", f32([], [1])]]],
  ["int8 without a weight_scale", [["transformer_blocks.0.attn.to_q.weight", tensor("int8", [32, 32], new Int8Array(1024))]]],
  ["groups inside a row", [["transformer_blocks.0.attn.to_q.weight_scale", f32([32, 2], new Float32Array(64))]]],
  [
    "int8_convrot",
    [["transformer_blocks.0.attn.to_q.comfy_quant", tensor("uint8", [26], new TextEncoder().encode('{"format":"int8_convrot"} '))]],
  ],
] as const)("refuses quantisation it would get wrong: %s", async (what, replaced) => {
  await expect(load(replaced)).rejects.toMatchObject({ code: "MODEL_QUANTIZATION", message: expect.stringContaining(what) });
});

function adapter(target: string, seed: number, out: number, width: number, rank = 2): Adapter {
  const rng = randomSource(seed);
  const draw = (shape: readonly [number, number]) =>
    f32(
      shape,
      rng.normals(new Float32Array(shape[0] * shape[1])).map((x) => 0.1 * x),
    );
  return { target, nameA: `${target}.${seed}.A`, nameB: `${target}.${seed}.B`, a: draw([rank, width]), b: draw([out, rank]), scale: 0.7 };
}

test("stacked adapters equal the merged weights, on every kind of layer", async () => {
  const targets = [
    "img_in",
    "proj_out",
    "norm_out.linear",
    "transformer_blocks.0.img_mod.1",
    "transformer_blocks.2.attn.to_v",
    "transformer_blocks.1.txt_mlp.net.2",
    "time_text_embed.timestep_embedder.linear_1",
  ];
  const { model } = await load();
  const adapters = targets.flatMap((target) => {
    const [out, width] = model.linears.get(target) ?? [0, 0];
    return [adapter(target, 1, out, width), adapter(target, 2, out, width, 3)];
  });
  const merged = new Map<string, Tensor>();
  for (const { target, a, b, scale } of adapters) {
    const name = `${target}.weight`;
    const weight = merged.get(name) ?? tensors.get(name);
    if (!weight) throw new Error(name);
    const [, width = 1] = weight.shape;
    const rank = a.shape[0] ?? 0;
    const sum = toFloat32(weight).map((w, i) => {
      const [row, column] = [Math.floor(i / width), i % width];
      for (let r = 0; r < rank; r++) w += scale * (b.data[row * rank + r] ?? 0) * (a.data[r * width + column] ?? 0);
      return w;
    });
    merged.set(name, f32(weight.shape, sum));
  }
  const patched = model.withAdapters(adapters);
  expect(patched.id).not.toBe(model.id);
  const expected = await run((await load(merged)).model);
  expect(relativeError(await run(patched), expected)).toBeLessThan(1e-5);
  expect(relativeError(await run(model), expected)).toBeGreaterThan(1e-2);
});

test("a Kronecker adapter and a bias equal the merged weights", async () => {
  const { model } = await load();
  const target = "proj_out";
  const [out = 0, width = 0] = model.linears.get(target) ?? [];
  const draw = (shape: readonly number[]) =>
    f32(
      shape,
      randomSource(shape[0] ?? 0)
        .normals(new Float32Array((shape[0] ?? 1) * (shape[1] ?? 1)))
        .map((x) => 0.3 * x),
    );
  const [p, q] = [2, 4];
  const [outer, values] = [draw([p, q]), draw([out])];
  const [a, b] = [draw([3, width / q]), draw([out / p, 3])];
  const patched = model.withAdapters([
    {
      target,
      nameA: "k.A",
      nameB: "k.B",
      a,
      b,
      scale: 0.7,
      outer: { name: "k.outer", values: outer },
      bias: { name: "k.bias", values, scale: 0.4 },
    },
  ]);
  const [weight, bias] = [tensors.get(`${target}.weight`), tensors.get(`${target}.bias`)];
  if (!weight || !bias) throw new Error(target);
  const sum = toFloat32(weight).map((w, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    let inner = 0;
    for (let r = 0; r < 3; r++) inner += (b.data[(row % (out / p)) * 3 + r] ?? 0) * (a.data[r * (width / q) + (column % (width / q))] ?? 0);
    return w + 0.7 * (outer.data[Math.floor(row / (out / p)) * q + Math.floor(column / (width / q))] ?? 0) * inner;
  });
  const merged = new Map<string, Tensor>([
    [`${target}.weight`, f32(weight.shape, sum)],
    [
      `${target}.bias`,
      f32(
        bias.shape,
        toFloat32(bias).map((x, i) => x + 0.4 * (values.data[i] ?? 0)),
      ),
    ],
  ]);
  const expected = await run((await load(merged)).model);
  expect(relativeError(await run(patched), expected)).toBeLessThan(1e-5);
  expect(relativeError(await run(model), expected)).toBeGreaterThan(1e-2);
});

test("a trainer finds every adapter by name, and a wrong adapter is refused", async () => {
  const { model } = await load();
  const dead = adapter("transformer_blocks.2.attn.to_add_out", 1, 32, 32);
  const { b } = graphOf(model.withAdapters([dead]));
  expect(b.findWeight(dead.nameA)?.shape).toEqual([2, 32]);
  expect(() => model.withAdapters([adapter("transformer_blocks.9.attn.to_q", 1, 32, 32)])).toThrow(
    expect.objectContaining({ code: "LORA_TARGET" }),
  );
  expect(() => model.withAdapters([adapter("img_in", 1, 32, 32)])).toThrow(expect.objectContaining({ code: "LORA_SHAPE" }));
});

test("sampling patches add up and change the identity", async () => {
  const { model } = await load();
  const [sampling, postCfg] = [modelSampling(3), cfgNorm(1)];
  const patched = model.withSampling({ sampling }).withSampling({ postCfg });
  expect([patched.sampling, patched.postCfg, patched.withAdapters([]).sampling]).toEqual([sampling, postCfg, sampling]);
  expect(new Set([model.id, model.withSampling({ sampling }).id, patched.id]).size).toBe(3);
});

test("samples of a batch do not see each other", async () => {
  const { model } = await load();
  const shape = { ...SHAPE, batch: 2, prompt: { text: [2, 5, 24] }, referenceMethod: "index_timestep_zero" as const };
  const both = toFloat32(await run(model, shape));
  const { graph } = graphOf(model, { ...shape, batch: 1, prompt: SHAPE.prompt });
  const rng = randomSource(1);
  const all = reach(graphOf(model, shape).graph).inputs;
  const feeds: Record<string, Tensor> = {};
  for (const v of all) {
    const whole = rng.normals(new Float32Array(v.shape.reduce((a, d) => a * d, 1)));
    if (v.def.kind === "input") feeds[v.def.name] = f32([1, ...v.shape.slice(1)], whole.slice(whole.length / 2));
  }
  const { v } = await compute.run(graph, { ...feeds, sigma: f32([1], [0.6]) });
  expect(relativeError(v, f32([1, 6, 64], both.slice(both.length / 2)))).toBeLessThan(1e-5);
});

test("values that do not fit the shape are refused", async () => {
  const { model } = await load();
  const b = newBuilder();
  const build = () =>
    model.build(b, {
      shape: SHAPE,
      x: b.input("x", "float32", [1, 6, 64]),
      references: null,
      sigma: b.input("sigma", "float32", [1]),
      prompt: { text: b.input("text", "float32", [1, 5, 24]) },
    });
  expect(build).toThrow(AppError);
  expect(build).toThrow("references must be [1,4,64], got nothing");
});

test("two transformers in one graph are refused, one twice is not", async () => {
  const [one, other] = [await load(), await load([["img_in.bias", f32([32], new Float32Array(32))]])];
  const b = newBuilder();
  const build = (model: DiffusionModel) =>
    model.build(b, {
      shape: { ...SHAPE, references: [] },
      x: b.input("x", "float32", [1, 6, 64]),
      references: null,
      sigma: b.input("sigma", "float32", [1]),
      prompt: { text: b.input("text", "float32", [1, 5, 24]) },
    });
  expect(build(one.model).shape).toEqual(build(one.model.withSampling({ sampling: modelSampling(1) })).shape);
  expect(() => build(other.model)).toThrow(expect.objectContaining({ code: "MODEL_MIXED" }));
});
