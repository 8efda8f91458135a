import { expect, test } from "vitest";
import { reach } from "../../../engine/ir/graph.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { sizeOf } from "../../../engine/tensor/shape.ts";
import { memoryWeights } from "../../../test/memory-weights.ts";
import { releasedHeaders } from "../../../test/released-transformer.ts";
import { loadTransformer } from "./load-transformer.ts";

test("the released architecture loads from its headers and builds at 1024² with two references", async () => {
  const tensors = releasedHeaders();
  expect([...tensors.values()].reduce((n, t) => n + sizeOf(t.shape), 0)).toBe(20_430_401_088);
  const { model, config, unused } = await loadTransformer({ ...memoryWeights(new Map()), tensors });
  expect(config).toEqual({
    num_layers: 60,
    num_attention_heads: 24,
    attention_head_dim: 128,
    joint_attention_dim: 3584,
    in_channels: 64,
    axes_dims_rope: [16, 56, 56],
    zero_cond_t: false,
  });
  expect(unused).toEqual([]);
  const b = newBuilder();
  const v = model.build(b, {
    shape: {
      batch: 1,
      target: { h: 64, w: 64 },
      references: [
        { h: 64, w: 64 },
        { h: 42, w: 98 },
      ],
      prompt: { text: [1, 620, 3584] },
      convention: "comfyui",
    },
    x: b.input("x", "float32", [1, 4096, 64]),
    references: b.input("references", "float32", [1, 4096 + 4116, 64]),
    sigma: b.input("sigma", "float32", [1]),
    prompt: { text: b.input("text", "float32", [1, 620, 3584]) },
  });
  expect(v.shape).toEqual([1, 4096, 64]);
  // Every tensor but the last block's dead text branch: its output and MLP.
  expect(reach(b.graph({ v })).weights.length).toBe(1933 - 6);
});
