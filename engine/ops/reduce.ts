import type { Builder } from "../ir/builder.ts";
import type { Attrs, Value } from "../ir/value.ts";
import type { Shape } from "../tensor/shape.ts";
import { axesOf, floatType, ints, num, ref, type, typeError } from "./check.ts";
import { defineOp, nonDifferentiable, type OpRow, type VjpContext } from "./define-op.ts";
import { apart, distinct, type Rng, uniform } from "./draw.ts";
import { dyOf, inputOf, inverseCount, outputOf } from "./gradient.ts";
import { at, build } from "./reference.ts";

function axesOfReduce(shape: Shape, attrs: Attrs): number[] {
  const axes = ints(attrs, "axes", []);
  return axesOf("Reduce", [{ dtype: "float32", shape }], axes.length ? axes : [...shape.keys()], shape.length);
}

function reducedShape(shape: Shape, axes: readonly number[], keepdims: boolean): number[] {
  const out: number[] = [];
  shape.forEach((d, i) => {
    if (!axes.includes(i)) out.push(d);
    else if (keepdims) out.push(1);
  });
  return out;
}

/** dy and y with the reduced axes kept as 1, so that they broadcast against x. */
function kept(c: VjpContext): { b: Builder; dy: Value; x: Value; y: Value; axes: number[] } {
  const x = inputOf(c, 0);
  const axes = axesOfReduce(x.shape, c.attrs);
  const shape = reducedShape(x.shape, axes, true);
  return { b: c.b, dy: c.b.reshape(dyOf(c), shape), x, y: c.b.reshape(outputOf(c, 0), shape), axes };
}

type Rule = (k: ReturnType<typeof kept>) => Value;

function reduction(name: string, f: (xs: readonly number[]) => number, rule: Rule | null, draw = uniform, integersToo = false): OpRow {
  return defineOp({
    name,
    constInputs: [["axes", "int64"]],
    infer: (inputs, attrs) => {
      const t = integersToo ? type(name, inputs, 0) : floatType(name, inputs, 0);
      if (t.dtype === "bool") throw typeError(name, inputs, "not on booleans");
      const axes = axesOf(name, inputs, ints(attrs, "axes", []), t.shape.length);
      const all = axes.length ? axes : [...t.shape.keys()];
      return [{ dtype: t.dtype, shape: reducedShape(t.shape, all, num(attrs, "keepdims", 1) !== 0) }];
    },
    reference: (inputs, attrs) => {
      const x = ref(inputs, 0);
      const axes = axesOfReduce(x.shape, attrs);
      const inner = axes.map((a) => x.shape[a] ?? 1);
      const full = build(reducedShape(x.shape, axes, true), (c) => {
        const xs: number[] = [];
        const from = [...c];
        build(inner, (k) => {
          axes.forEach((a, i) => {
            from[a] = k[i] ?? 0;
          });
          xs.push(at(x, from));
          return 0;
        });
        return f(xs);
      });
      return [{ shape: reducedShape(x.shape, axes, num(attrs, "keepdims", 1) !== 0), data: full.data }];
    },
    vjp: rule ? (c) => [rule(kept(c))] : nonDifferentiable("a product's derivative divides by zero at zeros: use a chain of Mul"),
    samples: (rng: Rng) => [
      { inputs: [draw(rng, [2, 3, 4])], attrs: { axes: [1], keepdims: 1 } },
      { inputs: [draw(rng, [2, 3, 4])], attrs: { axes: [-1, 0], keepdims: 0 } },
      { inputs: [draw(rng, [3, 2])], attrs: { axes: [], keepdims: 0 } },
      { inputs: [draw(rng, [4, 1])], attrs: { axes: [1], keepdims: 1 } },
      { inputs: [draw(rng, [1])], attrs: { axes: [0], keepdims: 0 } },
    ],
  });
}

const sum = (xs: readonly number[]): number => xs.reduce((a, x) => a + x, 0);

/** Equal maxima share the gradient. */
const extremeRule: Rule = ({ b, dy, x, y, axes }) => {
  const hit = b.cast(b.one("Equal", [x, y]), x.dtype);
  return b.mul(hit, b.div(dy, b.sum(hit, axes)));
};

function logSumExp(xs: readonly number[]): number {
  const m = Math.max(...xs);
  if (Math.abs(m) === Infinity) return m;
  return m + Math.log(sum(xs.map((x) => Math.exp(x - m))));
}

export const reductions: readonly OpRow[] = [
  // A gradient smaller than x broadcasts: the reverse walk expands it only where it must.
  reduction("ReduceSum", sum, ({ dy }) => dy, uniform, true),
  reduction(
    "ReduceMean",
    (xs) => sum(xs) / xs.length,
    ({ b, dy, x, axes }) => b.mul(dy, inverseCount(x.shape, axes)),
  ),
  reduction("ReduceMax", (xs) => Math.max(...xs), extremeRule, distinct, true),
  reduction("ReduceMin", (xs) => Math.min(...xs), extremeRule, distinct, true),
  reduction("ReduceProd", (xs) => xs.reduce((a, x) => a * x, 1), null, uniform, true),
  reduction(
    "ReduceL1",
    (xs) => sum(xs.map(Math.abs)),
    ({ b, dy, x }) => b.mul(dy, b.one("Sign", [x])),
    apart,
  ),
  reduction(
    "ReduceL2",
    (xs) => Math.hypot(...xs),
    // At zero the subgradient of least norm: 0.
    ({ b, dy, x, y }) => b.mul(x, b.div(dy, b.where(b.one("Equal", [y, b.scalar(0, y.dtype)]), 1, y))),
    apart,
  ),
  reduction(
    "ReduceSumSquare",
    (xs) => sum(xs.map((x) => x * x)),
    ({ b, dy, x }) => b.mul(x, b.mul(dy, 2)),
  ),
  reduction("ReduceLogSumExp", logSumExp, ({ b, dy, x, y }) => b.mul(dy, b.exp(b.sub(x, y)))),
];
