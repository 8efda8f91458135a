// Building blocks for gradient rules.
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/value.ts";
import type { DType } from "../tensor/dtype.ts";
import { type Shape, sameShape, sizeOf } from "../tensor/shape.ts";
import type { Vjp, VjpContext } from "./define-op.ts";

/** A zero tensor that costs one scalar in the file. */
export function zerosLike(b: Builder, shape: Shape, dtype: DType): Value {
  return shape.length === 0 ? b.scalar(0, dtype) : b.expand(b.scalar(0, dtype), shape);
}

/** Broadcasts to `shape` when needed. */
export function expandTo(b: Builder, x: Value, shape: Shape): Value {
  // The runtime's Expand keeps the 1 of [1] → [0].
  if (sizeOf(shape) === 0) return zerosLike(b, shape, x.dtype);
  return sameShape(x.shape, shape) ? x : b.expand(x, shape);
}

/**
 * Undoes broadcasting: sums `g` to shape `to`. `g` stands for its own broadcast to `virtual`, so an axis it has not
 * been expanded over yet is multiplied by its size instead of summed. The result may still be smaller than `to`.
 */
export function sumTo(b: Builder, g: Value, virtual: Shape, to: Shape): Value {
  const negated = g.def.kind === "node" && g.def.node.op === "Neg" ? g.def.node.inputs[0] : null;
  // Sum first: the minus then costs a small tensor.
  if (negated && !sameShape(g.shape, to)) return b.neg(sumTo(b, negated, virtual, to));
  const lead = virtual.length - to.length;
  const lag = virtual.length - g.shape.length;
  const axes: number[] = [];
  let factor = 1;
  virtual.forEach((d, i) => {
    if (i >= lead && (to[i - lead] ?? 1) === d) return;
    const own = i < lag ? 1 : (g.shape[i - lag] ?? 1);
    if (own !== 1) axes.push(i - lag);
    else factor *= d;
  });
  let out = axes.length ? b.sum(g, axes) : g;
  // Leading axes that `to` does not have are all 1 by now.
  if (out.shape.length > to.length) out = b.reshape(out, out.shape.slice(out.shape.length - to.length));
  return factor === 1 ? out : b.mul(out, factor);
}

/** The gradient of the first output. A rule is called only when there is one. */
export function dyOf(c: VjpContext): Value {
  const dy = c.dys[0];
  return dy ?? zerosLike(c.b, outputOf(c, 0).shape, outputOf(c, 0).dtype);
}

/** Output `i`. */
export function outputOf(c: VjpContext, i: number): Value {
  const y = c.outputs[i];
  if (!y) throw new RangeError(`no output ${i}`);
  return y;
}

/** Input `i`. */
export function inputOf(c: VjpContext, i: number): Value {
  const x = c.inputs[i];
  if (!x) throw new RangeError(`no input ${i}`);
  return x;
}

/** Rule of an op with one input: dx from dy, x and y. */
export function unaryRule(f: (b: Builder, dy: Value, x: Value, y: Value, c: VjpContext) => Value): Vjp {
  return (c) => [f(c.b, dyOf(c), inputOf(c, 0), outputOf(c, 0), c)];
}

/** Rule of an op that only moves elements: dx from dy. */
export function movementRule(f: (c: VjpContext, dy: Value, x: Value) => Value): Vjp {
  return (c) => [f(c, dyOf(c), inputOf(c, 0)), ...c.inputs.slice(1).map(() => null)];
}

/** 1/n of the elements behind `axes`. */
export function inverseCount(shape: Shape, axes: readonly number[]): number {
  return 1 / Math.max(1, sizeOf(axes.map((a) => shape[a] ?? 1)));
}
