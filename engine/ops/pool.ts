import { floatType, ints, num, ref, typeError } from "./check.ts";
import { defineOp, type OpRow } from "./define-op.ts";
import { distinct, uniform } from "./draw.ts";
import { dyOf, inputOf, inverseCount } from "./gradient.ts";
import { averagePoolRule, globalMaxRule, maxPoolRule } from "./pool-gradient.ts";
import { at, build, offset } from "./reference.ts";
import { ceils, slideShape, under, windowOf } from "./window.ts";

const MaxPool = defineOp({
  name: "MaxPool",
  optionalOutputsFrom: 1,
  infer: (inputs, attrs) => {
    const t = floatType("MaxPool", inputs, 0);
    const window = windowOf("MaxPool", inputs, ints(attrs, "kernel_shape"), attrs);
    const shape = [...t.shape.slice(0, 2), ...slideShape("MaxPool", inputs, t.shape.slice(2), window, ceils(attrs))];
    return [
      { dtype: t.dtype, shape },
      { dtype: "int64", shape },
    ];
  },
  reference: (inputs, attrs) => {
    const x = ref(inputs, 0);
    const window = windowOf("MaxPool", [], ints(attrs, "kernel_shape"), attrs);
    const shape = [...x.shape.slice(0, 2), ...slideShape("MaxPool", [], x.shape.slice(2), window, ceils(attrs))];
    const indices = build(shape, (c) => {
      const [n = 0, ch = 0, ...to] = c;
      let [best, where] = [-Infinity, 0];
      build(window.kernel, (k) => {
        const from = [n, ch, ...to.map((t, i) => under(window, i, t, k[i] ?? 0))];
        if (from.every((f, i) => f >= 0 && f < (x.shape[i] ?? 0)) && at(x, from) > best) {
          best = at(x, from);
          where = offset(x.shape, from);
        }
        return 0;
      });
      return where;
    });
    return [build(shape, (_, i) => x.data[indices.data[i] ?? 0] ?? 0), indices];
  },
  vjp: maxPoolRule,
  samples: (rng) => [
    { inputs: [distinct(rng, [2, 2, 4, 6])], attrs: { kernel_shape: [2, 2], strides: [2, 2] } },
    { inputs: [distinct(rng, [1, 2, 5, 5])], attrs: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] } },
    { inputs: [distinct(rng, [1, 1, 6, 5])], attrs: { kernel_shape: [3, 2], strides: [2, 2], ceil_mode: 1 } },
    { inputs: [distinct(rng, [1, 1, 6])], attrs: { kernel_shape: [2], dilations: [2] } },
    { inputs: [distinct(rng, [1, 1, 1, 1])], attrs: { kernel_shape: [1, 1] } },
  ],
});

const AveragePool = defineOp({
  name: "AveragePool",
  infer: (inputs, attrs) => {
    const t = floatType("AveragePool", inputs, 0);
    const window = windowOf("AveragePool", inputs, ints(attrs, "kernel_shape"), attrs);
    return [
      { dtype: t.dtype, shape: [...t.shape.slice(0, 2), ...slideShape("AveragePool", inputs, t.shape.slice(2), window, ceils(attrs))] },
    ];
  },
  reference: (inputs, attrs) => {
    const x = ref(inputs, 0);
    const window = windowOf("AveragePool", [], ints(attrs, "kernel_shape"), attrs);
    const rank = window.kernel.length;
    const padsToo = num(attrs, "count_include_pad", 0) !== 0;
    const shape = [...x.shape.slice(0, 2), ...slideShape("AveragePool", [], x.shape.slice(2), window, ceils(attrs))];
    return [
      build(shape, (c) => {
        const [n = 0, ch = 0, ...to] = c;
        let [sum, count] = [0, 0];
        build(window.kernel, (k) => {
          const from = to.map((t, i) => under(window, i, t, k[i] ?? 0));
          const inside = from.every((f, i) => f >= 0 && f < (x.shape[i + 2] ?? 0));
          if (inside) sum += at(x, [n, ch, ...from]);
          // The part of a window that reaches past the padding (ceil_mode) does not count.
          if (inside || (padsToo && from.every((f, i) => f < (x.shape[i + 2] ?? 0) + (window.pads[i + rank] ?? 0)))) count++;
          return 0;
        });
        return sum / count;
      }),
    ];
  },
  vjp: averagePoolRule,
  samples: (rng) => [
    { inputs: [uniform(rng, [2, 2, 4, 6])], attrs: { kernel_shape: [2, 2], strides: [2, 2] } },
    { inputs: [uniform(rng, [1, 2, 5, 4])], attrs: { kernel_shape: [3, 3], strides: [1, 2], pads: [1, 1, 1, 1] } },
    { inputs: [uniform(rng, [1, 2, 5, 4])], attrs: { kernel_shape: [3, 3], strides: [1, 2], pads: [1, 1, 1, 1], count_include_pad: 1 } },
    { inputs: [uniform(rng, [1, 1, 6, 5])], attrs: { kernel_shape: [3, 2], strides: [2, 2], ceil_mode: 1 } },
    { inputs: [uniform(rng, [2, 1, 6])], attrs: { kernel_shape: [3] } },
    { inputs: [uniform(rng, [1, 1, 1, 1])], attrs: { kernel_shape: [1, 1] } },
  ],
});

function globalPool(
  name: "GlobalAveragePool" | "GlobalMaxPool",
  f: (xs: number[]) => number,
  vjp: OpRow["vjp"],
  draw: typeof uniform,
): OpRow {
  return defineOp({
    name,
    infer: (inputs) => {
      const t = floatType(name, inputs, 0);
      if (t.shape.length < 3) throw typeError(name, inputs, "needs [N,C,…]");
      return [{ dtype: t.dtype, shape: t.shape.map((d, i) => (i < 2 ? d : 1)) }];
    },
    reference: (inputs) => {
      const x = ref(inputs, 0);
      const spatial = x.shape.slice(2);
      return [
        build(
          x.shape.map((d, i) => (i < 2 ? d : 1)),
          (c) => {
            const xs: number[] = [];
            build(spatial, (k) => xs.push(at(x, [c[0] ?? 0, c[1] ?? 0, ...k])));
            return f(xs);
          },
        ),
      ];
    },
    vjp,
    samples: (rng) =>
      [
        [2, 3, 4, 2],
        [1, 2, 5],
        [1, 1, 1, 1],
      ].map((shape) => ({ inputs: [draw(rng, shape)] })),
  });
}

const mean = (xs: number[]): number => xs.reduce((a, x) => a + x, 0) / xs.length;

export const pools: readonly OpRow[] = [
  MaxPool,
  AveragePool,
  globalPool(
    "GlobalAveragePool",
    mean,
    (c) => [c.b.mul(dyOf(c), inverseCount(inputOf(c, 0).shape, [...inputOf(c, 0).shape.keys()].slice(2)))],
    uniform,
  ),
  globalPool("GlobalMaxPool", (xs) => Math.max(...xs), globalMaxRule, distinct),
];
