import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/value.ts";
import { broadcastShapes, type Shape, sizeOf } from "../tensor/shape.ts";
import { broadcastOf, floatType, num, oneDType, ref, typeError } from "./check.ts";
import { defineOp, type OpRow } from "./define-op.ts";
import { uniform } from "./draw.ts";
import { dyOf, inputOf } from "./gradient.ts";
import { at, build } from "./reference.ts";

/** 1-D operands become matrices, as in NumPy. */
const asLeft = (s: Shape): Shape => (s.length === 1 ? [1, s[0] ?? 1] : s);
const asRight = (s: Shape): Shape => (s.length === 1 ? [s[0] ?? 1, 1] : s);

function productShape(a: Shape, c: Shape): number[] {
  const [l, r] = [asLeft(a), asRight(c)];
  const batch = broadcastShapes(l.slice(0, -2), r.slice(0, -2));
  return [...batch, ...(a.length === 1 ? [] : [l.at(-2) ?? 1]), ...(c.length === 1 ? [] : [r.at(-1) ?? 1])];
}

/** Swaps the last two axes. */
export function transposeLast(b: Builder, x: Value): Value {
  const n = x.shape.length;
  return b.transpose(x, [...Array.from({ length: n - 2 }, (_, i) => i), n - 1, n - 2]);
}

const rows = (b: Builder, x: Value): Value => b.reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1) ?? 1]);

const MatMul = defineOp({
  name: "MatMul",
  infer: (inputs) => {
    const [a, c] = [floatType("MatMul", inputs, 0), floatType("MatMul", inputs, 1)];
    if (a.shape.length === 0 || c.shape.length === 0) throw typeError("MatMul", inputs, "scalars do not multiply as matrices");
    const [l, r] = [asLeft(a.shape), asRight(c.shape)];
    if (l.at(-1) !== r.at(-2)) throw typeError("MatMul", inputs, `inner sizes ${l.at(-1)} and ${r.at(-2)} differ`);
    broadcastOf("MatMul", [
      { dtype: a.dtype, shape: l.slice(0, -2) },
      { dtype: a.dtype, shape: r.slice(0, -2) },
    ]);
    return [{ dtype: oneDType("MatMul", inputs), shape: productShape(a.shape, c.shape) }];
  },
  reference: (inputs) => {
    const [x, w] = [ref(inputs, 0), ref(inputs, 1)];
    const a = { shape: asLeft(x.shape), data: x.data };
    const c = { shape: asRight(w.shape), data: w.data };
    const k = a.shape.at(-1) ?? 1;
    const full = build([...broadcastShapes(a.shape.slice(0, -2), c.shape.slice(0, -2)), a.shape.at(-2) ?? 1, c.shape.at(-1) ?? 1], (o) => {
      const batch = o.slice(0, -2);
      let sum = 0;
      for (let i = 0; i < k; i++) sum += at(a, [...batch, o.at(-2) ?? 0, i]) * at(c, [...batch, i, o.at(-1) ?? 0]);
      return sum;
    });
    return [{ shape: productShape(x.shape, w.shape), data: full.data }];
  },
  vjp: (c) => {
    const { b } = c;
    const [x, w] = [inputOf(c, 0), inputOf(c, 1)];
    const [left, right] = [b.reshape(x, asLeft(x.shape)), b.reshape(w, asRight(w.shape))];
    const batch = broadcastShapes(left.shape.slice(0, -2), right.shape.slice(0, -2));
    const dy = b.reshape(dyOf(c), [...batch, left.shape.at(-2) ?? 1, right.shape.at(-1) ?? 1]);
    if (right.shape.length === 2) {
      // A linear layer: two plain Gemms, no transposed copy of the weight and no batched sum.
      const flat = rows(b, dy);
      const dx = () => b.reshape(b.gemm(flat, right, null, { transB: true }), x.shape);
      const dw = () => b.reshape(b.gemm(rows(b, left), flat, null, { transA: true }), w.shape);
      return [c.needs[0] ? dx() : null, c.needs[1] ? dw() : null];
    }
    const dx = () => b.matmul(dy, transposeLast(b, right));
    const dw = () => b.matmul(transposeLast(b, left), dy);
    const squeeze = (g: Value, axis: number) => b.reshape(g, [...g.shape.slice(0, axis), ...g.shape.slice(axis + 1 || g.shape.length)]);
    return [
      c.needs[0] ? (x.shape.length === 1 ? squeeze(dx(), -2) : dx()) : null,
      c.needs[1] ? (w.shape.length === 1 ? squeeze(dw(), -1) : dw()) : null,
    ];
  },
  samples: (rng) => [
    { inputs: [uniform(rng, [3, 4]), uniform(rng, [4, 2])] },
    { inputs: [uniform(rng, [2, 3, 4]), uniform(rng, [4, 5])] },
    { inputs: [uniform(rng, [2, 1, 3, 4]), uniform(rng, [3, 4, 2])] },
    { inputs: [uniform(rng, [3, 4]), uniform(rng, [2, 4, 1])] },
    { inputs: [uniform(rng, [4]), uniform(rng, [2, 4, 3])] },
    { inputs: [uniform(rng, [2, 3, 4]), uniform(rng, [4])] },
    { inputs: [uniform(rng, [3]), uniform(rng, [3])] },
    { inputs: [uniform(rng, [1, 1]), uniform(rng, [1, 1])] },
  ],
});

const Gemm = defineOp({
  name: "Gemm",
  infer: (inputs, attrs) => {
    const [a, w] = [floatType("Gemm", inputs, 0), floatType("Gemm", inputs, 1)];
    if (a.shape.length !== 2 || w.shape.length !== 2) throw typeError("Gemm", inputs, "needs matrices");
    const [m, k] = num(attrs, "transA", 0) ? [a.shape[1], a.shape[0]] : a.shape;
    const [k2, n] = num(attrs, "transB", 0) ? [w.shape[1], w.shape[0]] : w.shape;
    if (k !== k2) throw typeError("Gemm", inputs, `inner sizes ${k} and ${k2} differ`);
    const out = { dtype: oneDType("Gemm", inputs), shape: [m ?? 1, n ?? 1] };
    const bias = inputs[2];
    const fits = !bias || broadcastOf("Gemm", [out, bias]).every((d, i) => d === out.shape[i]);
    if (!fits || (bias && bias.shape.length > 2)) throw typeError("Gemm", inputs, "C does not broadcast to the product");
    return [out];
  },
  reference: (inputs, attrs) => {
    const [a, w] = [ref(inputs, 0), ref(inputs, 1)];
    const bias = inputs[2];
    const [ta, tb] = [num(attrs, "transA", 0) !== 0, num(attrs, "transB", 0) !== 0];
    const k = a.shape[ta ? 0 : 1] ?? 1;
    return [
      build([a.shape[ta ? 1 : 0] ?? 1, w.shape[tb ? 0 : 1] ?? 1], (c) => {
        const [i = 0, j = 0] = c;
        let sum = 0;
        for (let l = 0; l < k; l++) sum += at(a, ta ? [l, i] : [i, l]) * at(w, tb ? [j, l] : [l, j]);
        return num(attrs, "alpha", 1) * sum + (bias ? num(attrs, "beta", 1) * at(bias, c) : 0);
      }),
    ];
  },
  vjp: (c) => {
    const { b } = c;
    const [a, w] = [inputOf(c, 0), inputOf(c, 1)];
    const dy = dyOf(c);
    const alpha = num(c.attrs, "alpha", 1);
    const [ta, tb] = [num(c.attrs, "transA", 0) !== 0, num(c.attrs, "transB", 0) !== 0];
    const da = () => (ta ? b.gemm(w, dy, null, { alpha, transA: tb, transB: true }) : b.gemm(dy, w, null, { alpha, transB: !tb }));
    const dw = () => (tb ? b.gemm(dy, a, null, { alpha, transA: true, transB: ta }) : b.gemm(a, dy, null, { alpha, transA: !ta }));
    const beta = num(c.attrs, "beta", 1);
    return [c.needs[0] ? da() : null, c.needs[1] ? dw() : null, c.needs[2] ? (beta === 1 ? dy : b.mul(dy, beta)) : null].slice(
      0,
      c.inputs.length,
    );
  },
  samples: (rng) => [
    { inputs: [uniform(rng, [3, 4]), uniform(rng, [4, 2]), uniform(rng, [2])] },
    { inputs: [uniform(rng, [4, 3]), uniform(rng, [4, 2])], attrs: { transA: 1, transB: 0, alpha: 0.5 } },
    { inputs: [uniform(rng, [3, 4]), uniform(rng, [2, 4]), uniform(rng, [3, 1])], attrs: { transA: 0, transB: 1, alpha: 2, beta: 0.5 } },
    { inputs: [uniform(rng, [4, 3]), uniform(rng, [2, 4]), uniform(rng, [])], attrs: { transA: 1, transB: 1 } },
    { inputs: [uniform(rng, [1, 1]), uniform(rng, [1, 1])] },
  ],
});

export const products: readonly OpRow[] = [MatMul, Gemm];
