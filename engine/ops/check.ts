// Reading attributes and checking types: what every `infer` starts with.
import { AppError } from "../base/errors.ts";
import type { Attrs, TypeInfo } from "../ir/value.ts";
import { type DType, isFloat } from "../tensor/dtype.ts";
import { broadcastShapes, type Shape } from "../tensor/shape.ts";
import type { RefTensor } from "./define-op.ts";

export type Types = readonly (TypeInfo | null)[];

/** OP_TYPE, naming the op, what it got and why that is wrong. */
export function typeError(op: string, inputs: Types, why: string): AppError {
  const got = inputs.map((t) => (t ? `${t.dtype} [${t.shape}]` : "none")).join(", ");
  return new AppError("OP_TYPE", `${op}(${got}): ${why}`);
}

/** Input `i`, which must be there. */
export function type(op: string, inputs: Types, i: number): TypeInfo {
  const t = inputs[i];
  if (!t) throw typeError(op, inputs, `input ${i} is missing`);
  return t;
}

/** Input `i`, which must be a float. */
export function floatType(op: string, inputs: Types, i: number): TypeInfo {
  const t = type(op, inputs, i);
  if (!isFloat(t.dtype)) throw typeError(op, inputs, `input ${i} must be a float`);
  return t;
}

/** All present inputs must share one dtype, which is returned. */
export function oneDType(op: string, inputs: Types): DType {
  const first = type(op, inputs, 0);
  if (inputs.some((t) => t && t.dtype !== first.dtype)) throw typeError(op, inputs, "the dtypes differ");
  return first.dtype;
}

/** The broadcast shape of all present inputs, as OP_TYPE when there is none. */
export function broadcastOf(op: string, inputs: Types): Shape {
  try {
    return broadcastShapes(...inputs.flatMap((t) => (t ? [t.shape] : [])));
  } catch (cause) {
    throw typeError(op, inputs, cause instanceof Error ? cause.message : "no broadcast");
  }
}

/** A non-negative axis of `rank`, as OP_TYPE when out of range. */
export function axisOf(op: string, inputs: Types, axis: number, rank: number): number {
  const a = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(a) || a < 0 || a >= rank) throw typeError(op, inputs, `axis ${axis} is out of range for rank ${rank}`);
  return a;
}

/** Normalised, ascending, distinct axes. */
export function axesOf(op: string, inputs: Types, axes: readonly number[], rank: number): number[] {
  const out = axes.map((a) => axisOf(op, inputs, a, rank)).sort((a, b) => a - b);
  if (new Set(out).size !== out.length) throw typeError(op, inputs, `axes [${axes}] repeat`);
  return out;
}

/** A list of numbers. @throws AppError OP_ATTR when absent without fallback, or of another kind. */
export function ints(attrs: Attrs, name: string, fallback?: readonly number[]): readonly number[] {
  const value = attrs[name];
  if (value === undefined && fallback) return fallback;
  if (typeof value !== "object") throw attrError(name, "a list of numbers");
  const out: number[] = [];
  for (const x of value) {
    if (typeof x !== "number") throw attrError(name, "a list of numbers");
    out.push(x);
  }
  return out;
}

/** A number. @throws AppError OP_ATTR */
export function num(attrs: Attrs, name: string, fallback?: number): number {
  const value = attrs[name] ?? fallback;
  if (typeof value !== "number") throw attrError(name, "a number");
  return value;
}

/** One of `allowed`; the first is the default. @throws AppError OP_ATTR */
export function choice<T extends string>(attrs: Attrs, name: string, allowed: readonly [T, ...T[]]): T {
  const value = attrs[name];
  if (value === undefined) return allowed[0];
  const found = allowed.find((a) => a === value);
  if (found === undefined) throw attrError(name, `one of ${allowed.join(", ")}, not ${String(value)}`);
  return found;
}

function attrError(name: string, what: string): AppError {
  return new AppError("OP_ATTR", `attribute ${name} must be ${what}`);
}

/** Reference input `i`. */
export function ref(inputs: readonly (RefTensor | null)[], i: number): RefTensor {
  const t = inputs[i];
  if (!t) throw new AppError("OP_TYPE", `reference input ${i} is missing`);
  return t;
}
