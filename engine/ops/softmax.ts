import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/value.ts";
import { axisOf, floatType, num, ref } from "./check.ts";
import { defineOp, type OpRow, type VjpContext } from "./define-op.ts";
import { uniform } from "./draw.ts";
import { dyOf, outputOf } from "./gradient.ts";
import { at, build, put } from "./reference.ts";

/** log Σ exp along the axis, through the maximum. */
function softmaxLike(name: "Softmax" | "LogSoftmax", rule: (b: Builder, dy: Value, y: Value, axis: number) => Value): OpRow {
  return defineOp({
    name,
    infer: (inputs, attrs) => {
      const t = floatType(name, inputs, 0);
      axisOf(name, inputs, num(attrs, "axis", -1), t.shape.length);
      return [{ dtype: t.dtype, shape: t.shape }];
    },
    reference: (inputs, attrs) => {
      const x = ref(inputs, 0);
      const axis = axisOf(name, [], num(attrs, "axis", -1), x.shape.length);
      return [
        build(x.shape, (c) => {
          const xs = Array.from({ length: x.shape[axis] ?? 1 }, (_, i) => at(x, put(c, axis, i)));
          const m = Math.max(...xs);
          const logSum = m + Math.log(xs.reduce((a, v) => a + Math.exp(v - m), 0));
          const log = at(x, c) - logSum;
          return name === "Softmax" ? Math.exp(log) : log;
        }),
      ];
    },
    vjp: (c: VjpContext) => {
      const y = outputOf(c, 0);
      return [rule(c.b, dyOf(c), y, axisOf(name, [], num(c.attrs, "axis", -1), y.shape.length))];
    },
    samples: (rng) => [
      { inputs: [uniform(rng, [2, 3, 4])], attrs: { axis: -1 } },
      { inputs: [uniform(rng, [2, 3, 4])], attrs: { axis: 1 } },
      { inputs: [uniform(rng, [5], -20, 20)], attrs: { axis: 0 } },
      { inputs: [uniform(rng, [2, 1])], attrs: { axis: 1 } },
    ],
  });
}

export const softmaxes: readonly OpRow[] = [
  softmaxLike("Softmax", (b, dy, y, axis) => {
    const weighted = b.mul(dy, y);
    return b.sub(weighted, b.mul(y, b.sum(weighted, [axis])));
  }),
  softmaxLike("LogSoftmax", (b, dy, y, axis) => b.sub(dy, b.mul(b.exp(y), b.sum(dy, [axis])))),
];
