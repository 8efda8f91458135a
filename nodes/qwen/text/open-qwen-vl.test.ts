// Against transformers: test/parity.
import { afterAll, expect, test } from "vitest";
import { randomSource } from "../../../engine/base/random.ts";
import { createRuntime } from "../../../engine/ort/runtime.ts";
import { toFloat32 } from "../../../engine/tensor/convert.ts";
import { f32, type Tensor, tensor } from "../../../engine/tensor/tensor.ts";
import { memoryWeights } from "../../../test/memory-weights.ts";
import { relativeError } from "../../../test/relative-error.ts";
import { tinyTextEncoder } from "../../../tools/tiny-text-encoder.ts";
import { openQwenVl } from "./open-qwen-vl.ts";

const compute = createRuntime({ device: "cpu", threads: 1 });
afterAll(() => compute.dispose());

test("what follows a token does not change its state, whatever the padding", async () => {
  const { tensors, metadata } = tinyTextEncoder(1);
  const model = await openQwenVl(memoryWeights(tensors, { metadata }));
  const ids = Array.from({ length: 40 }, (_, i) => (i * 131) % 1000);
  const long = await model.hidden(compute, [{ kind: "text", ids }]);
  const short = await model.hidden(compute, [{ kind: "text", ids: ids.slice(0, 31) }]);
  expect(short.shape).toEqual([1, 31, 64]);
  expect(relativeError(short, f32([1, 31, 64], long.data.slice(0, 31 * 64)))).toBeLessThan(1e-5);
  await expect(model.hidden(compute, [{ kind: "text", ids: [1, 1024] }])).rejects.toMatchObject({ code: "TEXT_TOKEN" });
});

test("fp8 weights with a scale give what their values give in float32", async () => {
  const { tensors, metadata } = tinyTextEncoder(2);
  const rng = randomSource(9);
  const quantised = new Map<string, Tensor>(tensors);
  const widened = new Map<string, Tensor>(tensors);
  for (const [name, t] of tensors)
    if (/_proj\.weight$|qkv\.weight$/.test(name)) {
      // Every byte but the two NaNs.
      const bytes = Uint8Array.from(t.data, () => [rng.below(127), 128 + rng.below(127)][rng.below(2)] ?? 0);
      const fp8 = tensor("float8e4m3fn", t.shape, bytes);
      const scale = 0.001 + 0.002 * rng.uniform();
      quantised.set(name, fp8);
      quantised.set(name.replace(/weight$/, "scale_weight"), f32(rng.below(2) ? [] : [1], [scale]));
      widened.set(
        name,
        f32(
          t.shape,
          toFloat32(fp8).map((x) => x * Math.fround(scale)),
        ),
      );
    }
  quantised.set("scaled_fp8", tensor("float8e4m3fn", [2], new Uint8Array(2)));
  const run = async (weights: ReadonlyMap<string, Tensor>) => {
    const model = await openQwenVl(memoryWeights(weights, { metadata }));
    const grid = { h: 4, w: 6 };
    const patches = f32([24, 1176], randomSource(3).normals(new Float32Array(24 * 1176)));
    const tokens = await model.vision(compute, patches, grid);
    return model.hidden(compute, [
      { kind: "text", ids: [1, 2, 3] },
      { kind: "image", grid, tokens },
      { kind: "text", ids: [4] },
    ]);
  };
  expect(relativeError(await run(quantised), await run(widened))).toBeLessThan(1e-4);
});

test("sizes come from the tensors, head counts from the file or the 7B", async () => {
  const { tensors, metadata } = tinyTextEncoder(1);
  const { config } = await openQwenVl(memoryWeights(tensors, { metadata }));
  expect(config.language).toMatchObject({ layers: 2, hidden: 64, vocab: 1024, heads: 4, kvHeads: 2, headDim: 16, mropeSection: [2, 3, 3] });
  expect(config.vision).toMatchObject({ depth: 2, hidden: 32, heads: 2, fullAttention: [1], patch: 14, merge: 2, window: 112 });
  await expect(openQwenVl(memoryWeights(tensors))).rejects.toMatchObject({ code: "TEXT_CONFIG" });
  const beside = memoryWeights(tensors, { texts: { "config.json": metadata.config } });
  expect((await openQwenVl(beside)).config.language.heads).toBe(4);
  await expect(openQwenVl(memoryWeights(tensors, { texts: { "config.json": "{" } }))).rejects.toMatchObject({ code: "TEXT_CONFIG" });
});

test("other encoders are refused by name, incomplete files by tensor", async () => {
  const cases: [string, string[]][] = [
    ["CLIP", ["text_model.embeddings.token_embedding.weight"]],
    ["T5", ["shared.weight", "encoder.block.0.layer.0.SelfAttention.q.weight"]],
    ["Qwen3-VL", ["model.language_model.embed_tokens.weight", "model.visual.deepstack_merger_list.0.norm.weight"]],
    ["Qwen2-VL", ["model.embed_tokens.weight", "visual.blocks.0.mlp.fc1.weight"]],
    ["Qwen2.5 without a vision tower", ["model.layers.0.self_attn.q_proj.weight", "model.layers.0.self_attn.k_proj.bias"]],
    ["another language model", ["model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight"]],
    ["a language model as llama.cpp names it", ["blk.0.attn_q.weight", "token_embd.weight"]],
    ["a VAE", ["decoder.conv1.weight"]],
    ["not a text encoder", ["x"]],
  ];
  for (const [what, names] of cases) {
    const file = memoryWeights(new Map(names.map((name) => [name, f32([1], [0])])));
    await expect(openQwenVl(file), what).rejects.toMatchObject({ code: "TEXT_FAMILY", message: expect.stringContaining(what) });
  }
  const changed = (change: (tensors: Map<string, Tensor>) => void) => {
    const { tensors, metadata } = tinyTextEncoder(1);
    const copy = new Map<string, Tensor>(tensors);
    change(copy);
    return openQwenVl(memoryWeights(copy, { metadata }));
  };
  const name = "model.layers.1.mlp.down_proj.weight";
  for (const lost of tinyTextEncoder(1).tensors.keys())
    await expect(
      changed((t) => t.delete(lost)),
      lost,
    ).rejects.toMatchObject({ code: "TEXT_TENSOR_MISSING", message: expect.stringContaining(`has no ${lost}`) });
  await expect(changed((t) => t.set(name, f32([64, 64], new Float32Array(4096))))).rejects.toMatchObject({ code: "TEXT_LAYOUT" });
  await expect(changed((t) => t.set(name, tensor("uint8", [64, 128], new Uint8Array(8192))))).rejects.toMatchObject({ code: "TEXT_DTYPE" });
  await expect(changed((t) => t.set("visual.merger.mlp.2.weight", f32([60, 128], new Float32Array(7680))))).rejects.toMatchObject({
    code: "TEXT_LAYOUT",
  });
});
