// One transformer block of the product, as graphs: forward, and forward with LoRA backward.
import { grad } from "../../engine/autodiff/grad.ts";
import type { Builder } from "../../engine/ir/builder.ts";
import type { Graph, Value } from "../../engine/ir/value.ts";
import { linear } from "../../engine/nn/linear.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import { sizeOf } from "../../engine/tensor/shape.ts";
import { ditBlock } from "../../nodes/qwen/transformer/dit-block.ts";
import { rotationTables } from "../../nodes/qwen/transformer/positions.ts";
import { ATTENTION_TARGETS } from "../../nodes/train/attention-targets.ts";
import type { NumberFile } from "./number-file.ts";
import type { ProbeOptions } from "./options.ts";

export interface BlockCase {
  readonly tokens: number;
  readonly pass: "forward" | "forward+backward";
  /**
   * `inside`: streams are made on the device and results summed there: nothing but a number crosses.
   * `copied`: streams are fed and results fetched.
   */
  readonly streams: "inside" | "copied";
  /** What the products compute in. The weights keep the file's dtype. */
  readonly compute: ProbeOptions["dtype"];
}

/** An eighth of the tokens is text, as with two references; never more than 504. */
export function textTokens(tokens: number): number {
  return Math.min(504, Math.floor(tokens / 8));
}

/** Multiply-adds count twice. LoRA's own and the modulation of one row are left out: below 2 %. */
export function blockFlops({ dim }: ProbeOptions, { tokens, pass }: Pick<BlockCase, "tokens" | "pass">): number {
  const [linears, scores] = [24 * dim * dim * tokens, 4 * tokens * tokens * dim];
  // Backward: one product per Linear (weights are frozen), and five for attention's two.
  return pass === "forward" ? linears + scores : 2 * linears + 3.5 * scores;
}

/** Sizes up to `maxTokens` share the file. Feeds: `s` = 1, or `image` and `text`. */
export function blockGraph(options: ProbeOptions, file: NumberFile, maxTokens: number, c: BlockCase): Graph {
  const { dim, heads, rank, dtype } = options;
  const b = newBuilder();
  const headDim = dim / heads;
  const m = textTokens(c.tokens);
  const n = c.tokens - m;
  const wide = (name: string, shape: readonly number[], gain: number, reserve = sizeOf(shape)) =>
    b.weight(name, "float32", shape, file.region(name, "float32", sizeOf(shape), gain, reserve));
  const stream = (name: string, length: number) =>
    c.streams === "copied"
      ? b.input(name, "float32", [1, length, dim])
      : b.mul(wide(name, [1, length, dim], 1, maxTokens * dim), b.input("s", "float32", []));
  const [image, text] = [stream("image", n), stream("text", m)];
  const { cos, sin } = rotationTables(
    Array.from({ length: c.tokens }, (_, i) => [i % 64, (i * 7) % 64, (i * 13) % 64] as const),
    [headDim - 4 * Math.floor(headDim / 6), 2 * Math.floor(headDim / 6), 2 * Math.floor(headDim / 6)],
  );
  const adapters: Value[] = [];
  const adapter = (path: string, name: string, shape: readonly number[], gain: number): Value => {
    const v = wide(`${path}.${name}`, shape, gain);
    adapters.push(v);
    return v;
  };
  const apply = (path: string, x: Value): Value => {
    const width = x.shape.at(-1) ?? 0;
    const out = path.includes("_mod.") ? 6 * dim : path.endsWith(".proj") ? 4 * dim : dim;
    const gain = path.includes("_mod.") ? 0.3 : 1;
    const weight = b.weight(
      `${path}.weight`,
      dtype,
      [out, width],
      file.region(`${path}.weight`, dtype, out * width, gain / Math.sqrt(width)),
    );
    const bias = b.weight(`${path}.bias`, dtype, [out], file.region(`${path}.bias`, dtype, out, 0.1));
    const trained = ATTENTION_TARGETS.some((t) => path.endsWith(`.attn.${t}`));
    const low = trained
      ? [{ a: adapter(path, "a", [rank, width], 1 / Math.sqrt(width)), b: adapter(path, "b", [out, rank], 0.02), scale: 1 }]
      : [];
    const y = linear(b, b.cast(x, c.compute), { weight, bias, adapters: low });
    // Into the residual stream, the norms and the modulation in float32; into attention's values and GELU as it is.
    return /(to_v|add_v_proj|\.proj)$/.test(path) ? y : b.cast(y, "float32");
  };
  const out = ditBlock(
    b,
    {
      config: {
        num_layers: 1,
        num_attention_heads: heads,
        attention_head_dim: headDim,
        joint_attention_dim: dim,
        in_channels: 64,
        axes_dims_rope: [0, 0, 0],
        zero_cond_t: false,
      },
      linear: apply,
      weight: (name) => wide(name, [headDim], 1),
      conditioning: wide("conditioning", [1, dim], 1),
      groups: [n],
      targetTokens: n,
      cos: b.constant(cos),
      sin: b.constant(sin),
      mask: null,
    },
    "block",
    { image, text },
    false,
  );
  const results: Record<string, Value> = { image: out.image, text: out.text };
  if (c.pass === "forward+backward") {
    const weighted = [out.image, out.text].map((y, i) =>
      b.sum(b.mul(y, wide(i ? "cotangent.text" : "cotangent.image", y.shape, 1, maxTokens * dim)), [], false),
    );
    const loss = weighted.reduce((x, y) => b.add(x, y));
    const wrt = [...adapters, image, text];
    grad(b, loss, wrt).forEach((g, i) => {
      const v = wrt[i];
      results[`d_${v?.def.kind === "weight" ? v.def.name : i === adapters.length ? "image" : "text"}`] = g;
    });
  }
  return b.graph(c.streams === "copied" ? results : { sum: summed(b, Object.values(results)) });
}

/** One number that needs every element of every value. */
function summed(b: Builder, values: readonly Value[]): Value {
  return values.map((v) => b.sum(b.mul(v, v), [], false)).reduce((x, y) => b.add(x, y));
}
