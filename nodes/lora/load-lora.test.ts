import { expect, test } from "vitest";
import { randomSource } from "../../engine/base/random.ts";
import { f32, type Tensor } from "../../engine/tensor/tensor.ts";
import { memoryWeights } from "../../test/memory-weights.ts";
import type { Adapter } from "../shared/contracts/modules.ts";
import { loadLora } from "./load-lora.ts";

const LINEARS = new Map<string, readonly [number, number]>([
  ["transformer_blocks.0.attn.to_q", [6, 4]],
  ["transformer_blocks.0.attn.to_add_out", [6, 6]],
  ["transformer_blocks.0.attn.to_out.0", [6, 6]],
  ["transformer_blocks.10.img_mlp.net.0.proj", [8, 6]],
  ["time_text_embed.timestep_embedder.linear_1", [6, 4]],
]);
const rng = randomSource(3);
const matrix = (rows: number, columns: number) => f32([rows, columns], rng.normals(new Float32Array(rows * columns)));

function load(entries: Iterable<readonly [string, Tensor]>, metadata: Record<string, string> = {}, strength = 1) {
  return loadLora(memoryWeights(new Map(entries), { metadata, name: "some.safetensors" }), LINEARS, strength);
}

const SPELLINGS: readonly (readonly [string, (path: string) => string, a: string, b: string])[] = [
  ["kohya", (p) => `lora_unet_${p.replaceAll(".", "_")}`, ".lora_down.weight", ".lora_up.weight"],
  ["LyCORIS", (p) => `lycoris_${p.replaceAll(".", "_")}`, ".lora_down.weight", ".lora_up.weight"],
  ["Lightning", (p) => p, ".lora_down.weight", ".lora_up.weight"],
  ["diffusers", (p) => `transformer.${p}`, ".lora_A.weight", ".lora_B.weight"],
  ["ai-toolkit", (p) => `diffusion_model.${p}`, ".lora_A.weight", ".lora_B.weight"],
  ["whole checkpoint prefix", (p) => `model.diffusion_model.${p}`, ".lora_A.weight", ".lora_B.weight"],
  ["peft", (p) => `base_model.model.${p}`, ".lora_A.weight", ".lora_B.weight"],
  ["peft over diffusers", (p) => `base_model.model.transformer.${p}`, ".lora_A.weight", ".lora_B.weight"],
  ["DiffSynth", (p) => p, ".lora_A.default.weight", ".lora_B.default.weight"],
  ["older, dotted", (p) => `transformer.${p}`, ".lora.down.weight", ".lora.up.weight"],
  ["older, linear layer", (p) => `transformer.${p}`, ".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight"],
  [
    "oldest, processors",
    (p) => `transformer.${p.replace(".attn.", ".attn.processor.").replace("to_out.0", "to_out")}`,
    "_lora.down.weight",
    "_lora.up.weight",
  ],
];

test.each(SPELLINGS)("reads %s names", async (_, spell, a, b) => {
  const parts = [...LINEARS].map(([path, [out, width]]) => ({ path, a: matrix(2, width), b: matrix(out, 2) }));
  const { adapters, unmatched } = await load(
    parts.flatMap((p) => [[spell(p.path) + a, p.a] as const, [spell(p.path) + b, p.b] as const]),
    {},
    0.5,
  );
  expect(unmatched).toEqual([]);
  expect(adapters.map(({ target, a, b, scale }) => ({ target, a, b, scale }))).toEqual(
    parts.map((p) => ({ target: p.path, a: p.a, b: p.b, scale: 0.5 })),
  );
  expect(new Set(adapters.flatMap((x) => [x.nameA, x.nameB])).size).toBe(10);
});

const q = "transformer_blocks.0.attn.to_q";
const mlp = "transformer_blocks.10.img_mlp.net.0.proj";
const pair = (path: string, rank: number, [out, width]: readonly [number, number] = LINEARS.get(path) ?? [0, 0]) =>
  [
    [`transformer.${path}.lora_A.weight`, matrix(rank, width)],
    [`transformer.${path}.lora_B.weight`, matrix(out, rank)],
  ] as const;
const peft = (config: object) => ({ lora_adapter_metadata: JSON.stringify(config) });

test.each([
  ["alpha tensor", [[`transformer.${q}.alpha`, f32([], [8])]], {}, 2],
  ["alpha tensor of shape [1], over metadata", [[`transformer.${q}.alpha`, f32([1], [2])]], peft({ "transformer.lora_alpha": 64 }), 0.5],
  ["peft metadata", [], peft({ "transformer.r": 4, "transformer.lora_alpha": 8 }), 2],
  ["peft metadata without prefix", [], peft({ r: 4, lora_alpha: 6 }), 1.5],
  ["rslora", [], peft({ "transformer.lora_alpha": 8, "transformer.use_rslora": true }), 4],
  ["alpha_pattern", [], peft({ "transformer.lora_alpha": 8, "transformer.alpha_pattern": { "attn.to_q": 12 } }), 3],
  ["alpha_pattern of another layer", [], peft({ "transformer.lora_alpha": 8, "transformer.alpha_pattern": { to_k: 12, o_q: 2 } }), 2],
  ["alpha_pattern, anchored", [], peft({ "transformer.lora_alpha": 8, "transformer.alpha_pattern": { [`^${q}`]: 16 } }), 4],
  ["nothing", [], {}, 1],
] as const)("scale from %s", async (_, extra, metadata, scale) => {
  const { adapters, unmatched } = await load([...pair(q, 4), ...extra], metadata, 3);
  expect(unmatched).toEqual([]);
  expect(adapters[0]?.scale).toBeCloseTo(3 * scale, 6);
});

test("ranks may differ between layers", async () => {
  const { adapters } = await load(
    [...pair(q, 4), ...pair(mlp, 1)],
    peft({ "transformer.lora_alpha": 8, "transformer.rank_pattern": { proj: 1 } }),
  );
  expect(adapters.map((a) => a.scale)).toEqual([2, 8]);
});

test.each([
  ["lokr_t2", "core tensor"],
  ["hada_t1", "core tensor"],
  ["set_weight", "whole weights"],
  ["reshape_weight", "changes the size"],
  ["lora_mid.weight", "LoCon"],
])("refuses .%s by name", async (suffix, what) => {
  const name = `diffusion_model.${q}.${suffix}`;
  const promise = load([...pair(q, 4), [name, f32([1], [1])]]);
  await expect(promise).rejects.toMatchObject({ code: "LORA_KIND", message: expect.stringContaining(what) });
  await expect(promise).rejects.toThrow(name);
});

test("says which tensors it could not place", async () => {
  const other = `lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight`;
  const { unmatched, adapters } = await load([
    ...pair(q, 4),
    [other, matrix(2, 2)],
    ["transformer_blocks.99.attn.to_q.alpha", f32([], [1])],
  ]);
  expect(unmatched).toEqual([other, "transformer_blocks.99.attn.to_q.alpha"]);
  expect(adapters.length).toBe(1);
});

test.each([
  ["LORA_NO_MATCH", [["lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight", matrix(2, 2)]], {}],
  ["LORA_INCOMPLETE", pair(q, 4).slice(0, 1), {}],
  ["LORA_SHAPE", pair(q, 4, [6, 5]), {}],
  ["LORA_SHAPE", [...pair(q, 4), [`transformer.${q}.alpha`, f32([2], [1, 2])]], {}],
  [
    "MODEL_NOT_FINITE",
    [...pair(q, 4).slice(0, 1), [`transformer.${q}.lora_B.weight`, f32([6, 4], new Float32Array(24).fill(Number.NaN, 5, 6))]],
    {},
  ],
  ["LORA_METADATA", pair(q, 4), { lora_adapter_metadata: "{" }],
  ["LORA_KIND", pair(q, 4), peft({ use_dora: true, lora_alpha: 1 })],
  ["LORA_SHAPE", [...pair(q, 4), [`transformer.${q}.dora_scale`, f32([5, 1], [1, 2, 3, 4, 5])]], {}],
  ["MODEL_NOT_FINITE", [...pair(q, 4), [`transformer.${q}.dora_scale`, f32([1, 4], [1, 2, 3, Number.NaN])]], {}],
  ["LORA_INCOMPLETE", [[`transformer.${q}.dora_scale`, f32([6, 1], [1, 2, 3, 4, 5, 6])]], {}],
] as const)("%s", async (code, entries, metadata) => {
  await expect(load(entries, metadata)).rejects.toMatchObject({ code });
});

test("families of keys may be mixed, but two of them for one layer are refused: which one counts is a matter of the program", async () => {
  const kohya = (base: string) => {
    const name = `lora_unet_${base.replaceAll(".", "_")}`;
    const [[, a], [, b]] = pair(base, 4);
    return [
      [`${name}.lora_down.weight`, a],
      [`${name}.lora_up.weight`, b],
    ] as const;
  };
  expect((await load([...pair(q, 4), ...kohya(mlp)])).adapters.map((a) => a.target)).toEqual([q, mlp]);
  await expect(load([...pair(q, 4), ...kohya(q)])).rejects.toMatchObject({
    code: "LORA_TWICE",
    message: expect.stringMatching(/transformer\..*lora_A.*lora_unet_.*lora_down/),
  });
});

test("adapters of two files never share a name, the same file twice does", async () => {
  const file = (name: string) => memoryWeights(new Map(pair(q, 4)), { name });
  const names = async (name: string) => (await loadLora(file(name), LINEARS, 1)).adapters.map((a) => a.nameA);
  expect(await names("one")).toEqual(await names("one"));
  expect(await names("one")).not.toEqual(await names("two"));
});

test("NaN in a tensor is refused with the file's and the tensor's name", async () => {
  const key = "transformer_blocks.0.attn.to_q.lora_B.weight";
  const b = f32([6, 2], new Float32Array(12).fill(Number.NaN, 3, 4));
  const entries = [
    ["transformer_blocks.0.attn.to_q.lora_A.weight", matrix(2, 4)],
    [key, b],
  ] as const;
  await expect(load(entries)).rejects.toMatchObject({
    code: "MODEL_NOT_FINITE",
    message: expect.stringContaining(`some.safetensors: ${key}`),
  });
});

const BASE = "lycoris_transformer_blocks_0_attn_to_q";
/** scale·b·a, or outer ⊗ it: what is added to the weight. */
const change = ({ outer, ...inner }: Pick<Adapter, "a" | "b" | "scale" | "outer">): number[] => {
  const block = f32([inner.b.shape[0] ?? 0, inner.a.shape[1] ?? 0], multiplied(inner));
  return outer ? kron(outer.values, block) : [...block.data];
};
const multiplied = ({ a, b, scale }: { a: Tensor<"float32">; b: Tensor<"float32">; scale: number }): number[] => {
  const [rank = 0, width = 0] = a.shape;
  return Array.from({ length: (b.shape[0] ?? 0) * width }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += (b.data[Math.floor(i / width) * rank + k] ?? 0) * (a.data[k * width + (i % width)] ?? 0);
    return scale * sum;
  });
};
const product = (x: Tensor<"float32">, y: Tensor<"float32">) =>
  f32([x.shape[0] ?? 0, y.shape[1] ?? 0], multiplied({ a: y, b: x, scale: 1 }));
const kron = (x: Tensor<"float32">, y: Tensor<"float32">): number[] => {
  const [[a = 0, b = 0], [c = 0, d = 0]] = [x.shape, y.shape];
  return Array.from({ length: a * b * c * d }, (_, i) => {
    const [row, column] = [Math.floor(i / (b * d)), i % (b * d)];
    return (x.data[Math.floor(row / c) * b + Math.floor(column / d)] ?? 0) * (y.data[(row % c) * d + (column % d)] ?? 0);
  });
};
const near = (a: readonly number[], b: readonly number[]) => {
  expect(a.length).toBe(b.length);
  a.forEach((x, i) => {
    expect(x).toBeCloseTo(b[i] ?? Number.NaN, 5);
  });
};
const only = async (parts: Readonly<Record<string, Tensor>>, strength = 0.5) => {
  const { adapters, unmatched } = await load(
    Object.entries(parts).map(([part, t]) => [`${BASE}.${part}`, t] as const),
    {},
    strength,
  );
  expect(unmatched).toEqual([]);
  const [adapter] = adapters;
  if (!adapter) throw new Error("no adapter");
  return adapter;
};

// to_q is [6, 4].
test("LoKr is the Kronecker product of its factors, whole or low-rank; alpha counts where there is a rank", async () => {
  const [w1, w2, w1a, w1b, w2a, w2b] = [matrix(2, 2), matrix(3, 2), matrix(2, 1), matrix(1, 2), matrix(3, 2), matrix(2, 2)];
  near(
    change(await only({ lokr_w1: w1, lokr_w2: w2, alpha: f32([], [8]) })),
    kron(w1, w2).map((x) => 0.5 * x),
  );
  near(
    change(await only({ lokr_w1: w1, lokr_w2_a: w2a, lokr_w2_b: w2b, alpha: f32([], [8]) })),
    kron(w1, product(w2a, w2b)).map((x) => 0.5 * (8 / 2) * x),
  );
  near(
    change(await only({ lokr_w1_a: w1a, lokr_w1_b: w1b, lokr_w2: w2, alpha: f32([], [3]) })),
    kron(product(w1a, w1b), w2).map((x) => 0.5 * 3 * x),
  );
  await expect(only({ lokr_w1: w1, lokr_w2_a: w2a })).rejects.toMatchObject({
    code: "LORA_INCOMPLETE",
    message: expect.stringContaining("lokr_w2_b"),
  });
});

test("LoHa is the element-wise product of two products", async () => {
  const [a, b, c, d] = [matrix(6, 3), matrix(3, 4), matrix(6, 3), matrix(3, 4)];
  const adapter = await only({ hada_w1_a: a, hada_w1_b: b, hada_w2_a: c, hada_w2_b: d, alpha: f32([], [6]) });
  const second = product(c, d).data;
  near(
    change(adapter),
    [...product(a, b).data].map((x, i) => 0.5 * 2 * x * (second[i] ?? 0)),
  );
});

test("whole differences of weight and bias", async () => {
  const [diff, bias] = [matrix(6, 4), f32([6], rng.normals(new Float32Array(6)))];
  const both = await only({ diff, diff_b: bias });
  near(
    change(both),
    [...diff.data].map((x) => 0.5 * x),
  );
  expect(both.bias).toMatchObject({ values: { data: bias.data }, scale: 0.5 });
  const alone = await only({ diff_b: bias });
  near(change(alone), Array(24).fill(0));
  expect(alone.bias?.scale).toBe(0.5);
});

test("DoRA: lengths of rows or columns beside any kind of factors; the strength stands apart from alpha / rank", async () => {
  const rows = f32([6, 1], [1, 2, 3, 4, 5, 6]);
  const columns = f32([1, 4], [1, 2, 3, 4]);
  const dora = async (name: string, values: Tensor<"float32">) => {
    const { adapters, unmatched } = await load([...pair(q, 4), [`transformer.${q}.alpha`, f32([], [8])], [name, values]], {}, 0.5);
    expect(unmatched).toEqual([]);
    return adapters[0];
  };
  expect(await dora(`transformer.${q}.dora_scale`, rows)).toMatchObject({
    scale: 2,
    dora: { values: rows, strength: 0.5, norm: "weight" },
  });
  expect(await dora(`transformer.${q}.dora_scale`, columns)).toMatchObject({ dora: { values: columns, norm: "changed" } });
  for (const name of ["lora_magnitude_vector", "lora_magnitude_vector.weight", "lora_magnitude_vector.default.weight"])
    expect(await dora(`base_model.model.${q}.${name}`, f32([6], rows.data))).toMatchObject({ dora: { values: rows, norm: "changed" } });
  const lokr = await only({ lokr_w1: matrix(2, 2), lokr_w2: matrix(3, 2), dora_scale: rows });
  expect([lokr.scale, lokr.dora?.values]).toEqual([1, rows]);
  const both = await load(
    [...pair(q, 4), [`transformer.${q}.lora_magnitude_vector`, f32([6], rows.data)]],
    peft({ use_dora: true, lora_alpha: 8 }),
  );
  expect(both.adapters[0]).toMatchObject({ scale: 2, dora: { norm: "changed" } });
});

test("a bias of a LoRA's own is left out, as ComfyUI does, with a warning; peft's doubled adapter name is read", async () => {
  const bias = `diffusion_model.${q}.lora_B.bias`;
  expect(await load([...pair(q, 4), [bias, f32([6], new Float32Array(6))]])).toMatchObject({
    unmatched: [bias],
    adapters: [{ target: q }],
  });
  const doubled = pair(q, 4).map(([name, t]) => [name.replace(".weight", ".default_0.default.weight"), t] as const);
  expect(await load(doubled)).toMatchObject({ unmatched: [], adapters: [{ target: q }] });
});
