import type { Builder } from "../ir/builder.ts";
import type { Attrs, Value } from "../ir/value.ts";
import { sizeOf } from "../tensor/shape.ts";
import { floatType, num, oneDType, ref, type Types, typeError } from "./check.ts";
import type { RefTensor } from "./define-op.ts";
import { defineOp, type OpRow, type VjpContext } from "./define-op.ts";
import { uniform } from "./draw.ts";
import { dyOf, inputOf } from "./gradient.ts";
import { build, flat } from "./reference.ts";

/** [C] → [C,1,…], which broadcasts over [N,C,…]. */
function perChannel(b: Builder, v: Value, rank: number): Value {
  return b.reshape(v, [sizeOf(v.shape), ...new Array<number>(Math.max(0, rank - 2)).fill(1)]);
}

/** Every axis but the channel's. */
function sumChannels(b: Builder, v: Value): Value {
  return b.sum(
    v,
    [...v.shape.keys()].filter((i) => i !== 1),
    false,
  );
}

function checkChannels(op: string, inputs: Types): void {
  const x = floatType(op, inputs, 0);
  oneDType(op, inputs);
  if (x.shape.length < 2) throw typeError(op, inputs, "needs [N,C,…]");
  for (const t of inputs.slice(1))
    if (t?.shape.length !== 1 || t.shape[0] !== x.shape[1]) throw typeError(op, inputs, `parameters must be [${x.shape[1]}]`);
}

const BatchNormalization = defineOp({
  name: "BatchNormalization",
  infer: (inputs) => {
    const x = floatType("BatchNormalization", inputs, 0);
    if (inputs.length !== 5) throw typeError("BatchNormalization", inputs, "needs x, scale, bias, mean and variance");
    checkChannels("BatchNormalization", inputs);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  reference: (inputs, attrs) => {
    const [x, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map((i) => ref(inputs, i));
    if (!x || !scale || !bias || !mean || !variance) return [];
    const epsilon = num(attrs, "epsilon", 1e-5);
    return [
      build(x.shape, (c, i) => {
        const k = c[1] ?? 0;
        return ((flat(x, i) - flat(mean, k)) / Math.sqrt(flat(variance, k) + epsilon)) * flat(scale, k) + flat(bias, k);
      }),
    ];
  },
  vjp: (c) => {
    const { b } = c;
    const x = inputOf(c, 0);
    const dy = dyOf(c);
    const rank = x.shape.length;
    const inv = b.one("Reciprocal", [b.sqrt(b.add(inputOf(c, 4), num(c.attrs, "epsilon", 1e-5)))]);
    const gain = b.mul(inputOf(c, 1), inv);
    const total = () => sumChannels(b, dy);
    // Σ dy·(x − μ) per channel: what scale and variance need.
    const moment = () => sumChannels(b, b.mul(dy, b.sub(x, perChannel(b, inputOf(c, 3), rank))));
    return [
      c.needs[0] ? b.mul(dy, perChannel(b, gain, rank)) : null,
      c.needs[1] ? b.mul(moment(), inv) : null,
      c.needs[2] ? total() : null,
      c.needs[3] ? b.neg(b.mul(total(), gain)) : null,
      c.needs[4] ? b.mul(b.mul(moment(), gain), b.mul(b.mul(inv, inv), -0.5)) : null,
    ];
  },
  samples: (rng) => [
    {
      inputs: [uniform(rng, [2, 3, 4, 2]), uniform(rng, [3]), uniform(rng, [3]), uniform(rng, [3]), uniform(rng, [3], 0.3, 2)],
      attrs: { epsilon: 1e-5 },
    },
    {
      inputs: [uniform(rng, [4, 2]), uniform(rng, [2]), uniform(rng, [2]), uniform(rng, [2]), uniform(rng, [2], 0.3, 2)],
      attrs: { epsilon: 1e-2 },
    },
    { inputs: [uniform(rng, [1, 1, 1]), uniform(rng, [1]), uniform(rng, [1]), uniform(rng, [1]), uniform(rng, [1], 0.3, 2)] },
  ],
});

/** Normalises each of `groups` channel groups of every sample, then scales per channel. */
function groupReference(inputs: readonly (RefTensor | null)[], groups: number, epsilon: number): RefTensor[] {
  const [x, scale, bias] = [ref(inputs, 0), ref(inputs, 1), ref(inputs, 2)];
  const [n = 1, channels = 1] = x.shape;
  const size = sizeOf(x.shape) / (n * groups);
  const stats = Array.from({ length: n * groups }, (_, k) => {
    const xs = x.data.subarray(k * size, (k + 1) * size);
    const mean = xs.reduce((a, v) => a + v, 0) / size;
    return { mean, inv: 1 / Math.sqrt(xs.reduce((a, v) => a + (v - mean) ** 2, 0) / size + epsilon) };
  });
  return [
    build(x.shape, (c, i) => {
      const s = stats[Math.floor(i / size)] ?? { mean: 0, inv: 1 };
      const k = (c[1] ?? 0) % channels;
      return (flat(x, i) - s.mean) * s.inv * flat(scale, k) + flat(bias, k);
    }),
  ];
}

/** The group's elements form the last axis of a layer normalisation; its rule does the rest. */
function groupRule(c: VjpContext, groups: number): (Value | null)[] {
  const { b } = c;
  const x = inputOf(c, 0);
  const dy = dyOf(c);
  const rank = x.shape.length;
  const rows = [(x.shape[0] ?? 1) * groups, sizeOf(x.shape) / ((x.shape[0] ?? 1) * groups)];
  const [, width = 1] = rows;
  const flatX = b.reshape(x, rows);
  const ones = b.expand(b.scalar(1, x.dtype), [width]);
  const attrs: Attrs = { axis: -1, epsilon: num(c.attrs, "epsilon", 1e-5) };
  const [xhat, , inv] = b.op("LayerNormalization", [flatX, ones], attrs);
  if (!xhat || !inv) return [];
  const dx = () => {
    const g = b.reshape(b.mul(dy, perChannel(b, inputOf(c, 1), rank)), rows);
    const u = b.sub(g, b.mul(xhat, b.mean(b.mul(g, xhat), [1])));
    const [centred, , rOfU] = b.op("LayerNormalization", [u, ones], attrs);
    return centred && rOfU ? b.reshape(b.mul(centred, b.cast(b.div(inv, rOfU), x.dtype)), x.shape) : null;
  };
  return [
    c.needs[0] ? dx() : null,
    c.needs[1] ? sumChannels(b, b.mul(dy, b.reshape(xhat, x.shape))) : null,
    c.needs[2] ? sumChannels(b, dy) : null,
  ];
}

const InstanceNormalization = defineOp({
  name: "InstanceNormalization",
  infer: (inputs) => {
    const x = floatType("InstanceNormalization", inputs, 0);
    if (inputs.length !== 3 || x.shape.length < 3) throw typeError("InstanceNormalization", inputs, "needs x [N,C,…], scale and bias");
    checkChannels("InstanceNormalization", inputs);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  reference: (inputs, attrs) => groupReference(inputs, ref(inputs, 0).shape[1] ?? 1, num(attrs, "epsilon", 1e-5)),
  vjp: (c) => groupRule(c, inputOf(c, 0).shape[1] ?? 1),
  samples: (rng) => [
    { inputs: [uniform(rng, [2, 3, 4, 2]), uniform(rng, [3]), uniform(rng, [3])], attrs: { epsilon: 1e-5 } },
    { inputs: [uniform(rng, [1, 2, 5]), uniform(rng, [2]), uniform(rng, [2])], attrs: { epsilon: 1e-3 } },
    { inputs: [uniform(rng, [1, 1, 3]), uniform(rng, [1]), uniform(rng, [1])] },
  ],
});

const GroupNormalization = defineOp({
  name: "GroupNormalization",
  infer: (inputs, attrs) => {
    const x = floatType("GroupNormalization", inputs, 0);
    if (inputs.length !== 3 || x.shape.length < 3) throw typeError("GroupNormalization", inputs, "needs x [N,C,…], scale and bias");
    checkChannels("GroupNormalization", inputs);
    if ((x.shape[1] ?? 0) % num(attrs, "num_groups") !== 0)
      throw typeError("GroupNormalization", inputs, "the groups do not divide the channels");
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  reference: (inputs, attrs) => groupReference(inputs, num(attrs, "num_groups"), num(attrs, "epsilon", 1e-5)),
  vjp: (c) => groupRule(c, num(c.attrs, "num_groups")),
  samples: (rng) => [
    { inputs: [uniform(rng, [2, 4, 3, 2]), uniform(rng, [4]), uniform(rng, [4])], attrs: { num_groups: 2, epsilon: 1e-5 } },
    { inputs: [uniform(rng, [1, 3, 5]), uniform(rng, [3]), uniform(rng, [3])], attrs: { num_groups: 1, epsilon: 1e-3 } },
    { inputs: [uniform(rng, [1, 2, 3]), uniform(rng, [2]), uniform(rng, [2])], attrs: { num_groups: 2 } },
  ],
});

export const batchNorms: readonly OpRow[] = [BatchNormalization, InstanceNormalization, GroupNormalization];
