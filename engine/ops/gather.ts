import type { Builder } from "../ir/builder.ts";
import type { TypeInfo, Value } from "../ir/value.ts";
import { isFloat } from "../tensor/dtype.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { tensor } from "../tensor/tensor.ts";
import { axisOf, num, ref, type Types, type, typeError } from "./check.ts";
import { defineOp, type OpRow } from "./define-op.ts";
import { integers, uniform } from "./draw.ts";
import { dyOf, inputOf, zerosLike } from "./gradient.ts";
import { at, build, flat, put } from "./reference.ts";

/** Input `i`, which must hold int32 or int64 indices. */
export function indexType(op: string, inputs: Types, i: number): TypeInfo {
  const t = type(op, inputs, i);
  if (t.dtype !== "int64" && t.dtype !== "int32") throw typeError(op, inputs, `input ${i} must hold integer indices`);
  return t;
}

const wrap = (i: number, d: number): number => (i < 0 ? i + d : i);

/**
 * Adds rows of `updates` to zeros of `shape`; `indices` [..., k] address the first k axes. By ScatterElements: the runtime's
 * ScatterND adds from several threads at once, so equal indices would race.
 */
export function scatterAdd(b: Builder, shape: Shape, indices: Value, updates: Value): Value {
  const k = indices.shape.at(-1) ?? 1;
  const row = sizeOf(shape.slice(k));
  const n = sizeOf(indices.shape) / Math.max(1, k);
  const columns = b.reshape(b.cast(indices, "int64"), [n, k]);
  const places = b.expand(k === 1 ? columns : linearIndex(b, columns, shape), [n, row]);
  const zeros = zerosLike(b, [sizeOf(shape.slice(0, k)), row], updates.dtype);
  const sum = b.one("ScatterElements", [zeros, places, b.reshape(updates, [n, row])], { axis: 0, reduction: "add" });
  return b.reshape(sum, shape);
}

/** [n, k] indices, negative ones counted from the end, as [n, 1] places in the first k axes of `shape`. */
function linearIndex(b: Builder, columns: Value, shape: Shape): Value {
  const k = columns.shape[1] ?? 1;
  const parts = Array.from({ length: k }, (_, axis) => {
    const column = b.slice(columns, 1, axis, axis + 1);
    const d = shape[axis] ?? 1;
    const wrapped = b.where(b.one("Less", [column, b.scalar(0, "int64")]), b.add(column, d), column);
    return b.mul(wrapped, sizeOf(shape.slice(axis + 1, k)));
  });
  return parts.reduce((sum, part) => b.add(sum, part));
}

const Gather = defineOp({
  name: "Gather",
  infer: (inputs, attrs) => {
    const x = type("Gather", inputs, 0);
    const axis = axisOf("Gather", inputs, num(attrs, "axis", 0), x.shape.length);
    const shape = [...x.shape.slice(0, axis), ...indexType("Gather", inputs, 1).shape, ...x.shape.slice(axis + 1)];
    return [{ dtype: x.dtype, shape }];
  },
  reference: (inputs, attrs) => {
    const [x, indices] = [ref(inputs, 0), ref(inputs, 1)];
    const axis = axisOf("Gather", [], num(attrs, "axis", 0), x.shape.length);
    const d = x.shape[axis] ?? 1;
    const r = indices.shape.length;
    return [
      build([...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)], (c) => {
        const i = wrap(at(indices, c.slice(axis, axis + r)), d);
        return at(x, [...c.slice(0, axis), i, ...c.slice(axis + r)]);
      }),
    ];
  },
  vjp: (c) => {
    const { b } = c;
    const [x, indices] = [inputOf(c, 0), inputOf(c, 1)];
    if (!isFloat(x.dtype)) return [];
    const rank = x.shape.length;
    const axis = axisOf("Gather", c.inputs, num(c.attrs, "axis", 0), rank);
    const r = indices.shape.length;
    // The gathered axis goes first, so that one index addresses one contiguous row.
    const [head, tail] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
    const order = [...head.keys()];
    const middle = indices.shape.map((_, i) => axis + i);
    const rows = b.transpose(dyOf(c), [...middle, ...order, ...tail.map((_, i) => axis + r + i)]);
    const at = b.reshape(indices, [...indices.shape, 1]);
    const sum = scatterAdd(b, [x.shape[axis] ?? 1, ...head, ...tail], at, rows);
    return [b.transpose(sum, [...order.map((i) => i + 1), 0, ...tail.map((_, i) => axis + 1 + i)]), null];
  },
  samples: (rng) => [
    { inputs: [uniform(rng, [5, 3]), integers(rng, [2, 4], -5, 5)], attrs: { axis: 0 } },
    { inputs: [uniform(rng, [2, 4, 3]), integers(rng, [6], 0, 4)], attrs: { axis: 1 } },
    { inputs: [uniform(rng, [2, 3, 4]), integers(rng, [1, 2], 0, 4)], attrs: { axis: -1 } },
    { inputs: [uniform(rng, [3, 2]), integers(rng, [], 0, 3)], attrs: { axis: 0 } },
    { inputs: [uniform(rng, [1]), integers(rng, [0], 0, 1)], attrs: { axis: 0 } },
  ],
});

const GatherElements = defineOp({
  name: "GatherElements",
  infer: (inputs, attrs) => {
    const [x, indices] = [type("GatherElements", inputs, 0), indexType("GatherElements", inputs, 1)];
    const axis = axisOf("GatherElements", inputs, num(attrs, "axis", 0), x.shape.length);
    if (indices.shape.length !== x.shape.length || indices.shape.some((d, i) => i !== axis && d > (x.shape[i] ?? 0)))
      throw typeError("GatherElements", inputs, "indices exceed the data outside the axis");
    return [{ dtype: x.dtype, shape: indices.shape }];
  },
  reference: (inputs, attrs) => {
    const [x, indices] = [ref(inputs, 0), ref(inputs, 1)];
    const axis = axisOf("GatherElements", [], num(attrs, "axis", 0), x.shape.length);
    return [build(indices.shape, (c, i) => at(x, put(c, axis, wrap(flat(indices, i), x.shape[axis] ?? 1))))];
  },
  vjp: (c) => {
    const [x, indices] = [inputOf(c, 0), inputOf(c, 1)];
    if (!isFloat(x.dtype)) return [];
    const axis = num(c.attrs, "axis", 0);
    return [c.b.one("ScatterElements", [zerosLike(c.b, x.shape, x.dtype), indices, dyOf(c)], { axis, reduction: "add" }), null];
  },
  samples: (rng) => [
    { inputs: [uniform(rng, [3, 4]), integers(rng, [3, 6], -4, 4)], attrs: { axis: 1 } },
    { inputs: [uniform(rng, [4, 2]), integers(rng, [3, 2], 0, 4)], attrs: { axis: 0 } },
    { inputs: [uniform(rng, [1]), integers(rng, [1], 0, 1)], attrs: { axis: 0 } },
  ],
});

/** int64 [...batch, indices dims, batch rank]: the batch coordinates of every index row. */
function batchCoordinates(b: Builder, dims: Shape, rank: number): Value {
  const shape = [...dims, rank];
  const t = build(shape, (c) => c[c[dims.length] ?? 0] ?? 0);
  return b.constant(tensor("int64", shape, BigInt64Array.from(t.data, BigInt)));
}

const GatherND = defineOp({
  name: "GatherND",
  infer: (inputs, attrs) => {
    const [x, indices] = [type("GatherND", inputs, 0), indexType("GatherND", inputs, 1)];
    const batch = num(attrs, "batch_dims", 0);
    const k = indices.shape.at(-1);
    if (k === undefined || k < 1 || k + batch > x.shape.length) throw typeError("GatherND", inputs, "indices address too many axes");
    return [{ dtype: x.dtype, shape: [...indices.shape.slice(0, -1), ...x.shape.slice(batch + k)] }];
  },
  reference: (inputs, attrs) => {
    const [x, indices] = [ref(inputs, 0), ref(inputs, 1)];
    const batch = num(attrs, "batch_dims", 0);
    const rows = indices.shape.slice(0, -1);
    const k = indices.shape.at(-1) ?? 1;
    return [
      build([...rows, ...x.shape.slice(batch + k)], (c) => {
        const row = c.slice(0, rows.length);
        const to = Array.from({ length: k }, (_, j) => wrap(at(indices, [...row, j]), x.shape[batch + j] ?? 1));
        return at(x, [...c.slice(0, batch), ...to, ...c.slice(rows.length)]);
      }),
    ];
  },
  vjp: (c) => {
    const { b } = c;
    const [x, indices] = [inputOf(c, 0), inputOf(c, 1)];
    if (!isFloat(x.dtype)) return [];
    const batch = num(c.attrs, "batch_dims", 0);
    const rows = indices.shape.slice(0, -1);
    const full = batch === 0 ? indices : b.concat([batchCoordinates(b, rows, batch), b.cast(indices, "int64")], rows.length);
    return [scatterAdd(b, x.shape, full, dyOf(c)), null];
  },
  samples: (rng) => [
    { inputs: [uniform(rng, [3, 4, 2]), integers(rng, [5, 2], 0, 3)] },
    { inputs: [uniform(rng, [3, 4]), integers(rng, [2, 3, 1], -3, 3)] },
    { inputs: [uniform(rng, [2, 3, 4]), integers(rng, [2, 5, 1], 0, 3)], attrs: { batch_dims: 1 } },
  ],
});

export const gathers: readonly OpRow[] = [Gather, GatherElements, GatherND];
