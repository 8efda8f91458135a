// IR → ONNX. One ModelProto: nodes in order, constants inline, weights by reference into the user's own files.
import { AppError } from "../base/errors.ts";
import { attrText } from "../ir/attr-text.ts";
import { nameOf, reach } from "../ir/graph.ts";
import type { Attr, Graph, Node, Value } from "../ir/value.ts";
import type { OpRow } from "../ops/define-op.ts";
import type { DType } from "../tensor/dtype.ts";
import { bytesOfTensor, f32, type Tensor, tensor } from "../tensor/tensor.ts";
import { ELEM_TYPE } from "./elem-type.ts";
import { message, ProtoWriter } from "./proto.ts";
import { assertEmitted } from "./verify-emitted.ts";

/** ONNX opset of the main domain. ORT 1.29 knows every row of the op table at this version. */
export const OPSET = 21;
const IR_VERSION = 10;

/** Attributes that ONNX declares as FLOAT, by name: a number alone does not tell `1` from `1.0`. */
const FLOAT_ATTRS = new Set([
  "alpha",
  "beta",
  "gamma",
  "bias",
  "epsilon",
  "lambd",
  "scale",
  "momentum",
  "cubic_coeff_a",
  "extrapolation_value",
]);

export interface EmitOptions {
  /** Weights (by name) that become graph inputs. */
  readonly fed?: ReadonlySet<string>;
  /** Replaces a weight's source, e.g. widened for a device without its dtype. */
  readonly replace?: (weight: Value) => Tensor | undefined;
  /** Nodes to compute in float64, which only the host has, because the device's kernel is missing or wrong. @param used whether output i is used */
  readonly inDouble?: (node: Node, used: (output: number) => boolean) => boolean;
}

/** The name of a constant that holds an attribute's value. */
type Literal = (value: Attr, dtype: DType, where: string) => string;

export interface Emitted {
  readonly model: Uint8Array;
  /** Inputs the session wants, each under `inputName`. */
  readonly inputs: readonly Value[];
  /** Bytes of weights that stay in files. */
  readonly externalBytes: number;
}

/** What an input or weight is called in the emitted model. Only these names begin with `<`, whatever the caller named them. */
export function inputName(name: string): string {
  return `<${name}`;
}

/** What an output is called in the emitted model. Only these names begin with `>`. */
export function outputName(name: string): string {
  return `>${name}`;
}

/**
 * Writes the graph as an ONNX model. Inputs and weights are called `inputName`, outputs `outputName`; names made here begin
 * with a letter, so the three kinds cannot meet. The model is read back and compared with the graph before it is returned.
 * File weights become external data with the absolute path less its leading slash: open with the folder key set to "/".
 * @throws AppError ONNX_EMIT
 */
export function emitOnnx(graph: Graph, rows: (op: string) => OpRow, options: EmitOptions = {}): Emitted {
  const { inputs, weights, constants, nodes } = reach(graph);
  const g = new ProtoWriter();
  const names = new Map<number, string>();
  const literals = new Map<string, string>();
  const initializers: ProtoWriter[] = [];
  const fedValues: Value[] = [...inputs];
  let externalBytes = 0;

  for (const v of inputs) names.set(v.id, inputName(nameOf(v)));
  for (const v of weights) {
    const name = inputName(nameOf(v));
    names.set(v.id, name);
    if (options.fed?.has(nameOf(v))) {
      fedValues.push(v);
      continue;
    }
    const replaced = options.replace?.(v);
    if (replaced) initializers.push(inlineTensor(name, replaced));
    else if (v.def.kind === "weight" && v.def.source.kind === "host") initializers.push(inlineTensor(name, v.def.source.tensor));
    else if (v.def.kind === "weight" && v.def.source.kind === "file") {
      const { path, offset, length } = v.def.source;
      externalBytes += length;
      initializers.push(externalTensor(name, v, path, offset, length));
    }
  }
  for (const v of constants)
    if (v.def.kind === "constant") {
      names.set(v.id, `c${v.id}`);
      initializers.push(inlineTensor(`c${v.id}`, v.def.tensor));
    }

  const literal: Literal = (value, dtype, where) => {
    const key = `${dtype}:${attrText(value)}`;
    let name = literals.get(key);
    if (!name) {
      name = `k${literals.size}`;
      literals.set(key, name);
      initializers.push(inlineTensor(name, literalTensor(value, dtype, where)));
    }
    return name;
  };
  const used = new Set(Object.values(graph.outputs).map((v) => v.id));
  for (const node of nodes) for (const v of node.inputs) if (v) used.add(v.id);
  const domains = new Map<string, number>([["", OPSET]]);
  for (const node of nodes) {
    const row = rows(node.op);
    node.outputs.forEach((o, i) => {
      if (i < (row.optionalOutputsFrom ?? Infinity) || used.has(o.id)) names.set(o.id, `v${o.id}`);
    });
    if (row.domain) domains.set(row.domain, 1);
    const wide = options.inDouble?.(node, (i) => used.has(node.outputs[i]?.id ?? -1)) ?? false;
    for (const proto of wide ? doubleProtos(node, row, names, literal) : [nodeProto(node, row, names, literal)]) g.data(1, proto);
  }
  for (const [name, v] of Object.entries(graph.outputs))
    g.data(
      1,
      message((n) => {
        n.data(1, names.get(v.id) ?? "");
        n.data(2, outputName(name));
        n.data(4, "Identity");
      }),
    );
  g.data(2, "graph");
  for (const t of initializers) g.data(5, t);
  for (const v of fedValues) g.data(11, valueInfo(inputName(nameOf(v)), v));
  for (const [name, v] of Object.entries(graph.outputs)) g.data(12, valueInfo(outputName(name), v));

  const model = message((m) => {
    m.int(1, IR_VERSION);
    m.data(2, "whos-who");
    m.data(7, g);
    for (const [domain, version] of domains)
      m.data(
        8,
        message((o) => {
          o.data(1, domain);
          o.int(2, version);
        }),
      );
  });
  assertEmitted(graph, rows, model.bytes);
  return { model: model.bytes.slice(), inputs: fedValues, externalBytes };
}

/** The node in float64, between Casts. */
function doubleProtos(node: Node, row: OpRow, names: ReadonlyMap<number, string>, literal: Literal): ProtoWriter[] {
  const own = new Map<number, string>();
  const cast = (from: string, to: string, dtype: DType) =>
    message((n) => {
      n.data(1, from);
      n.data(2, to);
      n.data(4, "Cast");
      n.data(5, attributeProto("Cast", "to", dtype));
    });
  const around = (v: Value | null): [short: string, wide: string, dtype: DType][] => {
    const name = v ? names.get(v.id) : undefined;
    if (!v || !name || own.has(v.id)) return [];
    const short = v.dtype === "float32" || v.dtype === "float16";
    const wide = `w${v.id}n${node.id}`;
    own.set(v.id, short ? wide : name);
    return short ? [[name, wide, v.dtype]] : [];
  };
  const before = node.inputs.flatMap(around);
  const after = node.outputs.flatMap(around);
  return [
    ...before.map(([short, wide]) => cast(short, wide, "float64")),
    nodeProto(node, row, own, literal),
    ...after.map(([short, wide, dtype]) => cast(wide, short, dtype)),
  ];
}

function nodeProto(node: Node, row: OpRow, names: ReadonlyMap<number, string>, literal: Literal): ProtoWriter {
  const consts = row.constInputs ?? [];
  const from = row.constFrom ?? node.inputs.length;
  const inputs = node.inputs.map((v) => (v ? (names.get(v.id) ?? "") : ""));
  consts.forEach((entry, i) => {
    const value = entry ? node.attrs[entry[0]] : undefined;
    while (inputs.length <= from + i) inputs.push("");
    if (entry && value !== undefined) {
      const dtype = entry[1] === "same" ? (node.inputs[0]?.dtype ?? "float32") : entry[1];
      inputs[from + i] = literal(value, dtype, `${node.op}.${entry[0]}`);
    }
  });
  while (inputs.at(-1) === "") inputs.pop();
  const asInput = new Set(consts.map((c) => c?.[0]));
  return message((n) => {
    for (const name of inputs) n.data(1, name);
    const last = node.outputs.findLastIndex((o) => names.has(o.id));
    for (const o of node.outputs.slice(0, last + 1)) n.data(2, names.get(o.id) ?? "");
    n.data(3, `${node.scope}#${node.id}`);
    n.data(4, node.op);
    for (const [key, value] of Object.entries({ ...node.attrs, ...row.onnxAttrs }))
      if (!asInput.has(key)) n.data(5, attributeProto(node.op, key, value));
    if (row.domain) n.data(7, row.domain);
  });
}

function attributeProto(op: string, key: string, value: Attr): ProtoWriter {
  return message((a) => {
    a.data(1, key);
    if (op === "Cast" && key === "to") {
      const code = Object.entries(ELEM_TYPE).find(([name]) => name === value)?.[1];
      if (code === undefined) throw new AppError("ONNX_EMIT", `Cast to unknown dtype ${String(value)}`);
      a.int(3, code);
      a.int(20, 2);
    } else if (typeof value === "boolean") {
      a.int(3, value ? 1 : 0);
      a.int(20, 2);
    } else if (typeof value === "number") {
      if (FLOAT_ATTRS.has(key) || !Number.isInteger(value)) {
        a.float(2, value);
        a.int(20, 1);
      } else {
        a.int(3, value);
        a.int(20, 2);
      }
    } else if (typeof value === "string") {
      a.data(4, value);
      a.int(20, 3);
    } else if (value.every((x) => typeof x === "number")) {
      if (FLOAT_ATTRS.has(key)) {
        for (const x of value) a.float(7, x);
        a.int(20, 6);
      } else {
        const wrong = value.find((x) => !Number.isSafeInteger(x));
        if (wrong !== undefined) throw new AppError("ONNX_EMIT", `${op}.${key}: ${wrong} is no exact integer`);
        for (const x of value) a.int(8, x);
        a.int(20, 7);
      }
    } else {
      for (const x of value) a.data(9, String(x));
      a.int(20, 8);
    }
  });
}

function literalTensor(value: Attr, dtype: DType, where: string): Tensor {
  const numbers = typeof value === "object" ? value.map(Number) : [Number(value)];
  const shape = typeof value === "object" ? [numbers.length] : [];
  if (dtype === "int64" || dtype === "int32") {
    // The nearest double to the largest int64 lies one beyond it.
    const limit = dtype === "int64" ? 2 ** 63 : 2 ** 31;
    for (const x of numbers)
      if (!Number.isInteger(x) || x < -limit || x >= limit) throw new AppError("ONNX_EMIT", `${where}: ${x} is no ${dtype}`);
  }
  if (dtype === "int64") return tensor("int64", shape, BigInt64Array.from(numbers, BigInt));
  if (dtype === "float32") return f32(shape, numbers);
  if (dtype === "float64") return tensor("float64", shape, Float64Array.from(numbers));
  if (dtype === "float16") return tensor("float16", shape, new Uint16Array(Float16Array.from(numbers).buffer));
  if (dtype === "int32") return tensor("int32", shape, Int32Array.from(numbers));
  throw new AppError("ONNX_EMIT", `${where}: no literal of dtype ${dtype}`);
}

function tensorHead(t: ProtoWriter, name: string, dtype: DType, shape: readonly number[]): void {
  for (const d of shape) t.int(1, d);
  t.int(2, ELEM_TYPE[dtype]);
  t.data(8, name);
}

function inlineTensor(name: string, value: Tensor): ProtoWriter {
  return message((t) => {
    tensorHead(t, name, value.dtype, value.shape);
    t.data(9, bytesOfTensor(value));
  });
}

function externalTensor(name: string, v: Value, path: string, offset: number, length: number): ProtoWriter {
  return message((t) => {
    tensorHead(t, name, v.dtype, v.shape);
    for (const [key, value] of [
      ["location", path.replace(/^\/+/, "")],
      ["offset", String(offset)],
      ["length", String(length)],
    ])
      t.data(
        13,
        message((e) => {
          e.data(1, key ?? "");
          e.data(2, value ?? "");
        }),
      );
    t.int(14, 1);
  });
}

function valueInfo(name: string, v: Value): ProtoWriter {
  const shape = message((s) => {
    for (const d of v.shape)
      s.data(
        1,
        message((dim) => dim.int(1, d)),
      );
  });
  const tensorType = message((t) => {
    // bfloat16 and fp8 cannot cross the binding: they are fed as float32, and the Cast that reads them becomes a no-op.
    t.int(1, ELEM_TYPE[v.dtype === "bfloat16" || v.dtype.startsWith("float8") ? "float32" : v.dtype]);
    t.data(2, shape);
  });
  return message((i) => {
    i.data(1, name);
    i.data(
      2,
      message((t) => t.data(1, tensorType)),
    );
  });
}
