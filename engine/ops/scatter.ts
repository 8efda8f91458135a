import type { Attrs, TypeInfo } from "../ir/value.ts";
import { sameShape } from "../tensor/shape.ts";
import { axisOf, choice, ints, num, ref, type, typeError } from "./check.ts";
import { defineOp, nonDifferentiable, type OpRow, type RefTensor } from "./define-op.ts";
import { integers, type Rng, uniform } from "./draw.ts";
import { indexType } from "./gather.ts";
import { dyOf, inputOf, zerosLike } from "./gradient.ts";
import { at, build, flat, offset, put } from "./reference.ts";

const REDUCTIONS = ["none", "add"] as const;
const adds = (attrs: Attrs): boolean => choice(attrs, "reduction", REDUCTIONS) === "add";
const wrap = (i: number, d: number): number => (i < 0 ? i + d : i);

/** Distinct rows of indices, because ONNX leaves the order of repeated plain writes open. */
function distinctRows(rng: Rng, n: number, count: number): RefTensor {
  const all = Array.from({ length: n }, (_, i) => i).sort(() => rng() - 0.5);
  return { shape: [count, 1], data: Float64Array.from(all.slice(0, count)), dtype: "int64" };
}

const ScatterND = defineOp({
  name: "ScatterND",
  infer: (inputs, attrs): TypeInfo[] => {
    const [x, indices, updates] = [type("ScatterND", inputs, 0), indexType("ScatterND", inputs, 1), type("ScatterND", inputs, 2)];
    choice(attrs, "reduction", REDUCTIONS);
    const k = indices.shape.at(-1);
    if (k === undefined || k > x.shape.length) throw typeError("ScatterND", inputs, "indices address too many axes");
    if (!sameShape(updates.shape, [...indices.shape.slice(0, -1), ...x.shape.slice(k)]) || updates.dtype !== x.dtype)
      throw typeError("ScatterND", inputs, "updates do not fit");
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  reference: (inputs, attrs) => {
    const [x, indices, updates] = [ref(inputs, 0), ref(inputs, 1), ref(inputs, 2)];
    const out = x.data.slice();
    const rows = indices.shape.length - 1;
    const k = indices.shape.at(-1) ?? 0;
    build(updates.shape, (c, i) => {
      const row = c.slice(0, rows);
      const to = Array.from({ length: k }, (_, j) => wrap(at(indices, [...row, j]), x.shape[j] ?? 1));
      const o = offset(x.shape, [...to, ...c.slice(rows)]);
      out[o] = flat(updates, i) + (adds(attrs) ? (out[o] ?? 0) : 0);
      return 0;
    });
    return [{ shape: x.shape, data: out }];
  },
  vjp: (c) => {
    const { b } = c;
    const [x, indices, updates] = [inputOf(c, 0), inputOf(c, 1), inputOf(c, 2)];
    const dy = dyOf(c);
    const kept = () => b.one("ScatterND", [dy, indices, zerosLike(b, updates.shape, x.dtype)], { reduction: "none" });
    return [c.needs[0] ? (adds(c.attrs) ? dy : kept()) : null, null, c.needs[2] ? b.one("GatherND", [dy, indices]) : null];
  },
  samples: (rng) => [
    { inputs: [uniform(rng, [4, 3]), integers(rng, [5, 1], -4, 4), uniform(rng, [5, 3])], attrs: { reduction: "add" } },
    { inputs: [uniform(rng, [3, 2]), integers(rng, [2, 3, 2], 0, 2), uniform(rng, [2, 3])], attrs: { reduction: "add" } },
    { inputs: [uniform(rng, [5, 2]), distinctRows(rng, 5, 3), uniform(rng, [3, 2])], attrs: { reduction: "none" } },
  ],
});

const ScatterElements = defineOp({
  name: "ScatterElements",
  infer: (inputs, attrs) => {
    const name = "ScatterElements";
    const [x, indices, updates] = [type(name, inputs, 0), indexType(name, inputs, 1), type(name, inputs, 2)];
    choice(attrs, "reduction", REDUCTIONS);
    axisOf(name, inputs, num(attrs, "axis", 0), x.shape.length);
    if (!sameShape(indices.shape, updates.shape) || updates.dtype !== x.dtype || indices.shape.length !== x.shape.length)
      throw typeError(name, inputs, "updates do not fit");
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  reference: (inputs, attrs) => {
    const [x, indices, updates] = [ref(inputs, 0), ref(inputs, 1), ref(inputs, 2)];
    const axis = axisOf("ScatterElements", [], num(attrs, "axis", 0), x.shape.length);
    const out = x.data.slice();
    build(updates.shape, (c, i) => {
      const o = offset(x.shape, put(c, axis, wrap(flat(indices, i), x.shape[axis] ?? 1)));
      out[o] = flat(updates, i) + (adds(attrs) ? (out[o] ?? 0) : 0);
      return 0;
    });
    return [{ shape: x.shape, data: out }];
  },
  vjp: (c) => {
    const { b } = c;
    const [x, indices, updates] = [inputOf(c, 0), inputOf(c, 1), inputOf(c, 2)];
    const dy = dyOf(c);
    const axis = num(c.attrs, "axis", 0);
    const kept = () => b.one("ScatterElements", [dy, indices, zerosLike(b, updates.shape, x.dtype)], { axis, reduction: "none" });
    return [c.needs[0] ? (adds(c.attrs) ? dy : kept()) : null, null, c.needs[2] ? b.one("GatherElements", [dy, indices], { axis }) : null];
  },
  samples: (rng) => [
    { inputs: [uniform(rng, [3, 4]), integers(rng, [3, 6], -4, 4), uniform(rng, [3, 6])], attrs: { axis: 1, reduction: "add" } },
    { inputs: [uniform(rng, [4, 2]), integers(rng, [2, 2], 0, 4), uniform(rng, [2, 2])], attrs: { axis: 0, reduction: "add" } },
    { inputs: [uniform(rng, [5, 1]), distinctRows(rng, 5, 3), uniform(rng, [3, 1])], attrs: { axis: 0, reduction: "none" } },
  ],
});

const OneHot = defineOp({
  name: "OneHot",
  constInputs: [
    ["depth", "int64"],
    ["values", "float32"],
  ],
  infer: (inputs, attrs) => {
    const t = indexType("OneHot", inputs, 0);
    if (t.shape.length === 0) throw typeError("OneHot", inputs, "needs at least one axis");
    const axis = axisOf("OneHot", inputs, num(attrs, "axis", -1), t.shape.length + 1);
    return [{ dtype: "float32", shape: [...t.shape.slice(0, axis), num(attrs, "depth"), ...t.shape.slice(axis)] }];
  },
  reference: (inputs, attrs) => {
    const x = ref(inputs, 0);
    const axis = axisOf("OneHot", [], num(attrs, "axis", -1), x.shape.length + 1);
    const depth = num(attrs, "depth");
    const [off = 0, on = 1] = ints(attrs, "values");
    return [
      build([...x.shape.slice(0, axis), depth, ...x.shape.slice(axis)], (c) => {
        const i = wrap(at(x, [...c.slice(0, axis), ...c.slice(axis + 1)]), depth);
        return i === c[axis] ? on : off;
      }),
    ];
  },
  vjp: nonDifferentiable("the input is an index", "zero"),
  samples: (rng) => [
    { inputs: [integers(rng, [2, 3], -4, 4)], attrs: { depth: 4, values: [0, 1] } },
    { inputs: [integers(rng, [3], 0, 2)], attrs: { axis: 0, depth: 2, values: [0, 1] } },
    { inputs: [integers(rng, [1], 0, 2)], attrs: { depth: 2, values: [-1, 3] } },
  ],
});

export const scatters: readonly OpRow[] = [ScatterND, ScatterElements, OneHot];
