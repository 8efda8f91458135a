// Ops about positions: arg-extremes, top-k, running sums, triangles.
import type { Attrs } from "../ir/value.ts";
import { isFloat } from "../tensor/dtype.ts";
import { axisOf, ints, num, ref, type, typeError } from "./check.ts";
import { defineOp, nonDifferentiable, type OpRow, type RefTensor } from "./define-op.ts";
import { distinct, integers, type Rng, uniform } from "./draw.ts";
import { inputOf, movementRule, zerosLike } from "./gradient.ts";
import { at, build, put } from "./reference.ts";

/** The numbers along `axis` through coordinates `c`. */
function line(x: RefTensor, c: readonly number[], axis: number): number[] {
  return Array.from({ length: x.shape[axis] ?? 1 }, (_, i) => at(x, put(c, axis, i)));
}

function arg(name: "ArgMax" | "ArgMin", better: (a: number, c: number) => boolean): OpRow {
  const outShape = (shape: readonly number[], axis: number, attrs: Attrs) =>
    num(attrs, "keepdims", 1) ? put(shape, axis, 1) : shape.filter((_, i) => i !== axis);
  return defineOp({
    name,
    infer: (inputs, attrs) => {
      const t = type(name, inputs, 0);
      const axis = axisOf(name, inputs, num(attrs, "axis", 0), t.shape.length);
      return [{ dtype: "int64", shape: outShape(t.shape, axis, attrs) }];
    },
    reference: (inputs, attrs) => {
      const x = ref(inputs, 0);
      const axis = axisOf(name, [], num(attrs, "axis", 0), x.shape.length);
      const last = num(attrs, "select_last_index", 0) !== 0;
      const full = build(put(x.shape, axis, 1), (c) => {
        const xs = line(x, c, axis);
        let best = 0;
        xs.forEach((v, i) => {
          if (better(v, xs[best] ?? v) || (last && v === xs[best])) best = i;
        });
        return best;
      });
      return [{ shape: outShape(x.shape, axis, attrs), data: full.data }];
    },
    vjp: nonDifferentiable("the result is an index", "zero"),
    samples: (rng: Rng) => [
      { inputs: [distinct(rng, [3, 4])], attrs: { axis: 1 } },
      { inputs: [integers(rng, [5, 2], 0, 3, "float32")], attrs: { axis: -2, keepdims: 0, select_last_index: 1 } },
      { inputs: [distinct(rng, [1])], attrs: { axis: 0, keepdims: 0 } },
    ],
  });
}

const TopK = defineOp({
  name: "TopK",
  constInputs: [["k", "int64"]],
  infer: (inputs, attrs) => {
    const t = type("TopK", inputs, 0);
    const axis = axisOf("TopK", inputs, num(attrs, "axis", -1), t.shape.length);
    const [k = 0] = ints(attrs, "k");
    if (k < 1 || k > (t.shape[axis] ?? 0)) throw typeError("TopK", inputs, `k = ${k} is out of range`);
    const shape = put(t.shape, axis, k);
    return [
      { dtype: t.dtype, shape },
      { dtype: "int64", shape },
    ];
  },
  reference: (inputs, attrs) => {
    const x = ref(inputs, 0);
    const axis = axisOf("TopK", [], num(attrs, "axis", -1), x.shape.length);
    const [k = 0] = ints(attrs, "k");
    const sign = num(attrs, "largest", 1) ? -1 : 1;
    const shape = put(x.shape, axis, k);
    const indices = build(shape, (c) => {
      const xs = line(x, c, axis);
      const order = [...xs.keys()].sort((i, j) => sign * ((xs[i] ?? 0) - (xs[j] ?? 0)) || i - j);
      return order[c[axis] ?? 0] ?? 0;
    });
    return [build(shape, (c) => at(x, put(c, axis, at(indices, c)))), indices];
  },
  vjp: (c) => {
    const x = inputOf(c, 0);
    const [dy] = c.dys;
    const [, indices] = c.outputs;
    if (!dy || !indices || !isFloat(x.dtype)) return [];
    const axis = num(c.attrs, "axis", -1);
    return [c.b.one("ScatterElements", [zerosLike(c.b, x.shape, x.dtype), indices, dy], { axis, reduction: "add" })];
  },
  samples: (rng) => [
    { inputs: [distinct(rng, [3, 5])], attrs: { k: [2] } },
    { inputs: [distinct(rng, [4, 2])], attrs: { k: [3], axis: 0, largest: 0 } },
    { inputs: [distinct(rng, [1])], attrs: { k: [1] } },
  ],
});

const CumSum = defineOp({
  name: "CumSum",
  constInputs: [["axis", "int64"]],
  infer: (inputs, attrs) => {
    const t = type("CumSum", inputs, 0);
    axisOf("CumSum", inputs, num(attrs, "axis"), t.shape.length);
    return [{ dtype: t.dtype, shape: t.shape }];
  },
  reference: (inputs, attrs) => {
    const x = ref(inputs, 0);
    const axis = axisOf("CumSum", [], num(attrs, "axis"), x.shape.length);
    const reverse = num(attrs, "reverse", 0) !== 0;
    const exclusive = num(attrs, "exclusive", 0);
    return [
      build(x.shape, (c) => {
        const k = c[axis] ?? 0;
        const xs = line(x, c, axis);
        const part = reverse ? xs.slice(k + exclusive) : xs.slice(0, k + 1 - exclusive);
        return part.reduce((a, v) => a + v, 0);
      }),
    ];
  },
  vjp: movementRule((c, dy) => c.b.one("CumSum", [dy], { ...c.attrs, reverse: num(c.attrs, "reverse", 0) ? 0 : 1 })),
  samples: (rng) => [
    { inputs: [uniform(rng, [2, 5])], attrs: { axis: 1 } },
    { inputs: [uniform(rng, [4, 2])], attrs: { axis: -2, exclusive: 1, reverse: 1 } },
    { inputs: [uniform(rng, [1])], attrs: { axis: 0, exclusive: 1 } },
  ],
});

const Trilu = defineOp({
  name: "Trilu",
  constInputs: [["k", "int64"]],
  infer: (inputs) => {
    const t = type("Trilu", inputs, 0);
    if (t.shape.length < 2) throw typeError("Trilu", inputs, "needs a matrix");
    return [{ dtype: t.dtype, shape: t.shape }];
  },
  reference: (inputs, attrs) => {
    const x = ref(inputs, 0);
    const k = num(attrs, "k", 0);
    const upper = num(attrs, "upper", 1) !== 0;
    return [
      build(x.shape, (c, i) => {
        const diagonal = (c.at(-1) ?? 0) - (c.at(-2) ?? 0);
        return (upper ? diagonal >= k : diagonal <= k) ? (x.data[i] ?? 0) : 0;
      }),
    ];
  },
  vjp: movementRule((c, dy) => c.b.one("Trilu", [dy], c.attrs)),
  samples: (rng) => [
    { inputs: [uniform(rng, [3, 4])], attrs: { upper: 1, k: 0 } },
    { inputs: [uniform(rng, [2, 3, 3])], attrs: { upper: 0, k: -1 } },
    { inputs: [uniform(rng, [1, 1])], attrs: { upper: 1, k: 1 } },
  ],
});

export const orders: readonly OpRow[] = [arg("ArgMax", (a, c) => a > c), arg("ArgMin", (a, c) => a < c), TopK, CumSum, Trilu];
