// Builds graphs. Types are inferred and checked as each node is made, so a wrong shape fails where it was written.
import { AppError } from "../base/errors.ts";
import { bfloat16FromFloat32 } from "../tensor/convert.ts";
import type { DType } from "../tensor/dtype.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { bytesOfTensor, f32, type Tensor, tensor } from "../tensor/tensor.ts";
import { attrsText, attrText } from "./attr-text.ts";
import { type Attrs, fills, type Graph, type Node, type TypeInfo, type Value, type WeightSource } from "./value.ts";

/** What the builder needs from the op table. */
export interface OpTypes {
  infer(op: string, inputs: readonly (TypeInfo | null)[], attrs: Attrs): readonly TypeInfo[];
}

/** A value, or a number that becomes a scalar constant of the other operand's dtype. */
export type Operand = Value | number;

/** Makes values. Identical nodes of one scope are shared. Values of different builders never mix. */
export class Builder {
  readonly #types: OpTypes;
  #nextId = 0;
  #scope = "";
  readonly #shared = new Map<string, readonly Value[]>();
  readonly #weights = new Map<string, Value>();
  readonly #inputs = new Map<string, Value>();

  constructor(types: OpTypes) {
    this.#types = types;
  }

  /**
   * Marks everything `make` builds as one segment. Segments of equal structure share a session when a graph is run by
   * segment; a segment boundary is where activations may be kept and recomputed. Scopes do not nest: the outermost wins.
   */
  scope<T>(name: string, make: () => T): T {
    if (this.#scope !== "") return make();
    this.#scope = name;
    try {
      return make();
    } finally {
      this.#scope = "";
    }
  }

  /** A value fed at run time. The same name gives the same value; its type must then agree. */
  input(name: string, dtype: DType, shape: Shape): Value {
    const known = this.#inputs.get(name);
    if (known) return this.#agree("input", name, known, dtype, shape);
    const value: Value = { id: this.#nextId++, dtype, shape: [...shape], def: { kind: "input", name } };
    this.#inputs.set(name, value);
    return value;
  }

  /**
   * A parameter, by name, from host memory or at an offset of a file. The same name gives the same value.
   * @throws AppError IR_NAME when the name is known with another source or type, IR_WEIGHT
   */
  weight(name: string, dtype: DType, shape: Shape, source: WeightSource): Value {
    const known = this.#weights.get(name);
    if (known) {
      if (known.def.kind !== "weight" || !sameSource(known.def.source, source))
        throw new AppError("IR_NAME", `weight ${name} is asked again with other numbers`, {
          hint: "two models in one graph call their weights alike: load one of them under another file name",
        });
      return this.#agree("weight", name, known, dtype, shape);
    }
    if (!fills(source, { dtype, shape }))
      throw new AppError(
        "IR_WEIGHT",
        `weight ${name}: ${dtype} [${shape}] does not fill ${source.kind === "file" ? source.length : source.tensor.data.byteLength} bytes`,
      );
    const value: Value = { id: this.#nextId++, dtype, shape: [...shape], def: { kind: "weight", name, source } };
    this.#weights.set(name, value);
    return value;
  }

  /** A weight already made in this builder. */
  findWeight(name: string): Value | undefined {
    return this.#weights.get(name);
  }

  /** A literal. */
  constant(t: Tensor): Value {
    return { id: this.#nextId++, dtype: t.dtype, shape: t.shape, def: { kind: "constant", tensor: t } };
  }

  /** A scalar literal. */
  scalar(x: number, dtype: DType = "float32"): Value {
    const key = `#${dtype}|${attrText(x)}`;
    const known = this.#shared.get(key)?.[0];
    if (known) return known;
    const value = this.constant(scalarTensor(x, dtype));
    this.#shared.set(key, [value]);
    return value;
  }

  /** Any op of the table. Returns all outputs. @throws AppError OP_TYPE */
  op(op: string, inputs: readonly (Value | null)[], attrs: Attrs = {}): readonly Value[] {
    const key = `${this.#scope}|${op}|${inputs.map((v) => v?.id ?? "-").join(",")}|${attrsText(attrs)}`;
    const known = this.#shared.get(key);
    if (known) return known;
    const types = this.#types.infer(op, inputs, attrs);
    const outputs: Value[] = [];
    const node: Node = { id: this.#nextId++, op, inputs, attrs, outputs, scope: this.#scope };
    types.forEach((t, index) => {
      outputs.push({ id: this.#nextId++, dtype: t.dtype, shape: t.shape, def: { kind: "node", node, index } });
    });
    this.#shared.set(key, outputs);
    return outputs;
  }

  /** An op with one result (the first output of others). */
  one(op: string, inputs: readonly (Value | null)[], attrs: Attrs = {}): Value {
    const [value] = this.op(op, inputs, attrs);
    if (!value) throw new AppError("OP_TYPE", `${op} has no output`);
    return value;
  }

  /** Names the results. */
  graph(outputs: Readonly<Record<string, Value>>): Graph {
    return { outputs };
  }

  // *** elementwise ***
  add(a: Operand, c: Operand): Value {
    return this.#binary("Add", a, c);
  }
  sub(a: Operand, c: Operand): Value {
    return this.#binary("Sub", a, c);
  }
  mul(a: Operand, c: Operand): Value {
    return this.#binary("Mul", a, c);
  }
  div(a: Operand, c: Operand): Value {
    return this.#binary("Div", a, c);
  }
  pow(a: Operand, c: Operand): Value {
    return this.#binary("Pow", a, c);
  }
  max(a: Operand, c: Operand): Value {
    return this.#binary("Max", a, c);
  }
  min(a: Operand, c: Operand): Value {
    return this.#binary("Min", a, c);
  }
  neg(a: Value): Value {
    return this.one("Neg", [a]);
  }
  exp(a: Value): Value {
    return this.one("Exp", [a]);
  }
  log(a: Value): Value {
    return this.one("Log", [a]);
  }
  sqrt(a: Value): Value {
    return this.one("Sqrt", [a]);
  }
  tanh(a: Value): Value {
    return this.one("Tanh", [a]);
  }
  sigmoid(a: Value): Value {
    return this.one("Sigmoid", [a]);
  }
  relu(a: Value): Value {
    return this.one("Relu", [a]);
  }
  abs(a: Value): Value {
    return this.one("Abs", [a]);
  }
  /** x·sigmoid(x). */
  silu(a: Value): Value {
    return this.mul(a, this.sigmoid(a));
  }
  /** `approximate`: "none" (erf) or "tanh". */
  gelu(a: Value, approximate: "none" | "tanh"): Value {
    return this.one("Gelu", [a], { approximate });
  }
  where(condition: Value, a: Operand, c: Operand): Value {
    const [x, y] = this.#pair(a, c);
    return this.one("Where", [condition, x, y]);
  }
  cast(a: Value, to: DType): Value {
    return a.dtype === to ? a : this.one("Cast", [a], { to });
  }

  // *** shape ***
  /** One dimension may be -1. */
  reshape(a: Value, shape: Shape): Value {
    const known = shape.filter((d) => d !== -1).reduce((p, d) => p * d, 1);
    const full = shape.map((d) => (d === -1 ? sizeOf(a.shape) / known : d));
    return full.length === a.shape.length && full.every((d, i) => d === a.shape[i]) ? a : this.one("Reshape", [a], { shape: full });
  }
  transpose(a: Value, perm: readonly number[]): Value {
    const { def } = a;
    if (def.kind === "node" && def.node.op === "Transpose" && typeof def.node.attrs.perm === "object") {
      // Two transposes make one, often none.
      const first = def.node.attrs.perm.map(Number);
      const [source] = def.node.inputs;
      if (source)
        return this.transpose(
          source,
          perm.map((p) => first[p] ?? p),
        );
    }
    return perm.every((p, i) => p === i) ? a : this.one("Transpose", [a], { perm });
  }
  concat(parts: readonly Value[], axis: number): Value {
    const [only] = parts;
    return only && parts.length === 1 ? only : this.one("Concat", parts, { axis });
  }
  /** `sizes` sum to the dimension. */
  split(a: Value, sizes: readonly number[], axis: number): readonly Value[] {
    return sizes.length === 1 ? [a] : this.op("Split", [a], { axis, split: sizes });
  }
  /** Half-open ranges with step 1 on one axis; negative numbers count from the end. */
  slice(a: Value, axis: number, start: number, end: number): Value {
    return this.one("Slice", [a], { starts: [start], ends: [end], axes: [axis], steps: [1] });
  }
  expand(a: Value, shape: Shape): Value {
    return this.one("Expand", [a], { shape });
  }
  gather(a: Value, indices: Value, axis: number): Value {
    return this.one("Gather", [a, indices], { axis });
  }

  // *** reductions: over `axes` (all when empty) ***
  sum(a: Value, axes: readonly number[] = [], keepdims = true): Value {
    return this.#reduce("ReduceSum", a, axes, keepdims);
  }
  mean(a: Value, axes: readonly number[] = [], keepdims = true): Value {
    return this.#reduce("ReduceMean", a, axes, keepdims);
  }
  reduceMax(a: Value, axes: readonly number[] = [], keepdims = true): Value {
    return this.#reduce("ReduceMax", a, axes, keepdims);
  }
  softmax(a: Value, axis: number): Value {
    return this.one("Softmax", [a], { axis });
  }

  // *** products ***
  matmul(a: Value, c: Value): Value {
    return this.one("MatMul", [a, c]);
  }
  /** alpha·A'B' + beta·C on 2-D values; primes are the transposes asked for. */
  gemm(a: Value, w: Value, c: Value | null, options: { transA?: boolean; transB?: boolean; alpha?: number; beta?: number } = {}): Value {
    const attrs = { transA: options.transA ? 1 : 0, transB: options.transB ? 1 : 0, alpha: options.alpha ?? 1, beta: options.beta ?? 1 };
    return this.one("Gemm", c ? [a, w, c] : [a, w], attrs);
  }
  /** NCHW convolution; `pads` = [top, left, bottom, right]. */
  conv(
    x: Value,
    w: Value,
    bias: Value | null,
    options: { strides?: readonly number[]; pads?: readonly number[]; dilations?: readonly number[]; group?: number } = {},
  ): Value {
    const attrs = {
      strides: options.strides ?? [1, 1],
      pads: options.pads ?? [0, 0, 0, 0],
      dilations: options.dilations ?? [1, 1],
      group: options.group ?? 1,
    };
    return this.one("Conv", bias ? [x, w, bias] : [x, w], attrs);
  }

  #reduce(op: string, a: Value, axes: readonly number[], keepdims: boolean): Value {
    const all = axes.length ? axes.map((x) => (x < 0 ? x + a.shape.length : x)) : a.shape.map((_, i) => i);
    return this.one(op, [a], { axes: all, keepdims: keepdims ? 1 : 0 });
  }
  #pair(a: Operand, c: Operand): [Value, Value] {
    if (typeof a !== "number") return [a, typeof c === "number" ? this.scalar(c, a.dtype) : c];
    if (typeof c !== "number") return [this.scalar(a, c.dtype), c];
    return [this.scalar(a), this.scalar(c)];
  }
  #binary(op: string, a: Operand, c: Operand): Value {
    return this.one(op, this.#pair(a, c));
  }
  #agree(what: string, name: string, known: Value, dtype: DType, shape: Shape): Value {
    if (known.dtype !== dtype || known.shape.length !== shape.length || known.shape.some((d, i) => d !== shape[i]))
      throw new AppError("IR_NAME", `${what} ${name} is ${known.dtype} [${known.shape}], asked again as ${dtype} [${shape}]`);
    return known;
  }
}

function sameSource(a: WeightSource, c: WeightSource): boolean {
  if (a.kind === "file")
    return c.kind === "file" && a.path === c.path && a.offset === c.offset && a.length === c.length && a.packing === c.packing;
  if (c.kind === "file") return false;
  if (a.tensor === c.tensor) return true;
  const [x, y] = [bytesOfTensor(a.tensor), bytesOfTensor(c.tensor)];
  return x.length === y.length && x.every((byte, i) => byte === y[i]);
}

function scalarTensor(x: number, dtype: DType): Tensor {
  switch (dtype) {
    case "float32":
      return f32([], [x]);
    case "float64":
      return tensor("float64", [], Float64Array.of(x));
    case "int64":
      return tensor("int64", [], BigInt64Array.of(BigInt(x)));
    case "int32":
      return tensor("int32", [], Int32Array.of(x));
    case "bool":
      return tensor("bool", [], Uint8Array.of(x ? 1 : 0));
    case "float16":
      return tensor("float16", [], new Uint16Array(Float16Array.of(x).buffer));
    case "bfloat16":
      return tensor("bfloat16", [], bfloat16FromFloat32(Float32Array.of(x)));
    default:
      throw new AppError("IR_SCALAR", `no scalar literal of dtype ${dtype}`);
  }
}
