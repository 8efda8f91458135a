// ModelProto → plain data. Field numbers are those of onnx.proto3; fields nothing here needs are skipped.
import { AppError } from "../base/errors.ts";
import {
  content,
  countFloats,
  countIntegers,
  eachFloat,
  type Field,
  fieldsOf,
  float,
  integer,
  MAX_NESTING,
  protoError,
  pushIntegers,
  text,
} from "./proto-reader.ts";

/** Numbers of a repeated field as they are in the file: views, decoded when their tensor is read. */
export interface OnnxNumbers {
  readonly count: number;
  readonly fields: readonly Field[];
}

/** TensorProto as it is in the file. `raw` is a view into the model's bytes. */
export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly elemType: number;
  readonly raw: Uint8Array | null;
  /** int32_data, int64_data, uint64_data. */
  readonly ints: OnnxNumbers;
  /** float_data. */
  readonly floats: OnnxNumbers;
  /** double_data. */
  readonly doubles: OnnxNumbers;
  /** `location`, `offset`, `length` … when the data is in another file. */
  readonly external: ReadonlyMap<string, string> | null;
}

export interface OnnxAttribute {
  readonly float?: number;
  readonly int?: number;
  readonly string?: string;
  readonly tensor?: OnnxTensor;
  readonly graph?: OnnxGraph;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
  readonly strings: readonly string[];
}

export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  /** "" is an absent optional input. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** A graph input or output. A symbolic dimension is its name, an unknown one "". `shape` is null when the rank is unknown. */
export interface OnnxValueInfo {
  readonly name: string;
  readonly elemType: number;
  readonly shape: readonly (number | string)[] | null;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
}

export interface DecodedModel {
  /** Opset version by domain; "" is ai.onnx. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: OnnxGraph;
}

/** Nodes, tensors, names and attribute values at most. No real model has as many: it would be a bomb. */
const MAX_ITEMS = 1_000_000;
/** Numbers at most in tensors that are not raw bytes: one byte of the file may become eight in memory. */
const MAX_NUMBERS = 2 ** 26;
const MAX_RANK = 32;

/** Reads a model. Nothing is copied but names; whatever repeats is counted before it is kept. @throws AppError ONNX_PROTO, ONNX_NESTING, ONNX_LIMIT, ONNX_GRAPH */
export function decodeModel(bytes: Uint8Array): DecodedModel {
  const opsets = new Map<string, number>();
  let graph: OnnxGraph | null = null;
  const budget = { items: MAX_ITEMS, numbers: MAX_NUMBERS };
  for (const f of fieldsOf(bytes)) {
    if (f.number === 7) graph = decodeGraph(content(f), 1, budget);
    else if (f.number === 8) {
      spend(budget);
      decodeOpset(content(f), opsets);
    }
  }
  if (!graph) throw new AppError("ONNX_GRAPH", "the file holds no graph", { hint: "choose an ONNX model file" });
  if (!opsets.has("")) opsets.set("", opsets.get("ai.onnx") ?? 1);
  return { opsets, graph };
}

interface Budget {
  items: number;
  numbers: number;
}

function spend(budget: Budget, count = 1): void {
  budget.items -= count;
  if (budget.items < 0)
    throw new AppError("ONNX_LIMIT", `the model has more than ${MAX_ITEMS} nodes, tensors, names and attribute values`, {
      hint: "no exporter writes this: get the file again from a source you trust",
    });
}

/** Counts one more field of a tensor's numbers: each is an item of its own, and unpacked numbers are many. */
function keep(field: Field, count: number, to: { count: number; readonly fields: Field[] }, budget: Budget): void {
  spend(budget);
  budget.numbers -= count;
  if (budget.numbers < 0)
    throw new AppError("ONNX_LIMIT", `the model spells out more than ${MAX_NUMBERS} numbers`, { hint: "export it with raw tensor data" });
  to.count += count;
  to.fields.push(field);
}

function decodeOpset(bytes: Uint8Array, opsets: Map<string, number>): void {
  let [domain, version] = ["", 1];
  for (const f of fieldsOf(bytes)) {
    if (f.number === 1) domain = text(f);
    else if (f.number === 2) version = integer(f);
  }
  opsets.set(domain, version);
}

function decodeGraph(bytes: Uint8Array, depth: number, budget: Budget): OnnxGraph {
  if (depth > MAX_NESTING) throw new AppError("ONNX_NESTING", `graphs are nested more than ${MAX_NESTING} deep`);
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const inputs: OnnxValueInfo[] = [];
  const outputs: OnnxValueInfo[] = [];
  for (const f of fieldsOf(bytes)) {
    if (![1, 5, 11, 12, 15].includes(f.number)) continue;
    spend(budget);
    if (f.number === 1) nodes.push(decodeNode(content(f), depth, budget));
    else if (f.number === 5) initializers.push(decodeTensor(content(f), budget));
    else if (f.number === 11) inputs.push(decodeValueInfo(content(f), budget));
    else if (f.number === 12) outputs.push(decodeValueInfo(content(f), budget));
    else throw new AppError("ONNX_UNSUPPORTED", "the model holds sparse weights", { hint: "export it with dense ones" });
  }
  return { nodes, initializers, inputs, outputs };
}

function decodeNode(bytes: Uint8Array, depth: number, budget: Budget): OnnxNode {
  let [name, op, domain] = ["", "", ""];
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, OnnxAttribute>();
  for (const f of fieldsOf(bytes)) {
    if (f.number === 1 || f.number === 2) {
      spend(budget);
      (f.number === 1 ? inputs : outputs).push(text(f));
    } else if (f.number === 3) name = text(f);
    else if (f.number === 4) op = text(f);
    else if (f.number === 7) domain = text(f);
    else if (f.number === 5) {
      spend(budget);
      const [key, attribute] = decodeAttribute(content(f), depth, budget);
      attributes.set(key, attribute);
    }
  }
  return { name, op, domain: domain === "ai.onnx" ? "" : domain, inputs, outputs, attributes };
}

function decodeAttribute(bytes: Uint8Array, depth: number, budget: Budget): [string, OnnxAttribute] {
  let name = "";
  const single: { float?: number; int?: number; string?: string; tensor?: OnnxTensor; graph?: OnnxGraph } = {};
  const floats: number[] = [];
  const ints: number[] = [];
  const strings: string[] = [];
  for (const f of fieldsOf(bytes)) {
    if (f.number === 1) name = text(f);
    else if (f.number === 2) single.float = float(f);
    else if (f.number === 3) single.int = clamp(f);
    else if (f.number === 4) single.string = text(f);
    else if (f.number === 5) single.tensor = decodeTensor(content(f), budget);
    else if (f.number === 6) single.graph = decodeGraph(content(f), depth + 1, budget);
    else if (f.number === 7) {
      spend(budget, countFloats(f, 4));
      eachFloat(f, 4, (x) => floats.push(x));
    } else if (f.number === 8) {
      spend(budget, countIntegers(f));
      pushIntegers(f, ints);
    } else if (f.number === 9) {
      spend(budget);
      strings.push(text(f));
    }
  }
  return [name, { ...single, floats, ints, strings }];
}

/** Attributes such as `ends` may hold the largest int64: the nearest double serves as well. */
function clamp(f: Field): number {
  if (f.wire !== 0) throw protoError("an integer attribute is not a number");
  return Number(BigInt.asIntN(64, f.int));
}

/** Reads a TensorProto. The element count is not checked against the data here. */
function decodeTensor(bytes: Uint8Array, budget: Budget): OnnxTensor {
  spend(budget);
  let [name, elemType] = ["", 0];
  let raw: Uint8Array | null = null;
  let isExternal = false;
  const dims: number[] = [];
  const none = () => ({ count: 0, fields: [] as Field[] });
  const [ints, floats, doubles] = [none(), none(), none()];
  const external = new Map<string, string>();
  for (const f of fieldsOf(bytes)) {
    if (f.number === 1) {
      if (dims.length + countIntegers(f) > MAX_RANK) throw tooManyDimensions(`tensor ${name}`);
      pushIntegers(f, dims);
    } else if (f.number === 2) elemType = integer(f);
    else if (f.number === 4) keep(f, countFloats(f, 4), floats, budget);
    else if (f.number === 5 || f.number === 7 || f.number === 11) keep(f, countIntegers(f), ints, budget);
    else if (f.number === 8) name = text(f);
    else if (f.number === 9) raw = content(f);
    else if (f.number === 10) keep(f, countFloats(f, 8), doubles, budget);
    else if (f.number === 13) {
      spend(budget);
      const [key, value] = decodeEntry(content(f));
      external.set(key, value);
    } else if (f.number === 14) isExternal = integer(f) === 1;
  }
  return { name, dims, elemType, raw, ints, floats, doubles, external: isExternal ? external : null };
}

function tooManyDimensions(what: string): AppError {
  return new AppError("ONNX_TENSOR", `${what} has more than ${MAX_RANK} dimensions`);
}

function decodeEntry(bytes: Uint8Array): [string, string] {
  let [key, value] = ["", ""];
  for (const f of fieldsOf(bytes)) {
    if (f.number === 1) key = text(f);
    else if (f.number === 2) value = text(f);
  }
  return [key, value];
}

function decodeValueInfo(bytes: Uint8Array, budget: Budget): OnnxValueInfo {
  let [name, elemType] = ["", 0];
  let shape: (number | string)[] | null = null;
  for (const f of fieldsOf(bytes)) {
    if (f.number === 1) name = text(f);
    else if (f.number === 2)
      for (const t of fieldsOf(content(f)))
        if (t.number === 1)
          for (const g of fieldsOf(content(t))) {
            if (g.number === 1) elemType = integer(g);
            else if (g.number === 2) shape = decodeShape(content(g), budget);
          }
  }
  return { name, elemType, shape };
}

function decodeShape(bytes: Uint8Array, budget: Budget): (number | string)[] {
  const shape: (number | string)[] = [];
  for (const f of fieldsOf(bytes)) {
    if (f.number !== 1) continue;
    spend(budget);
    if (shape.length === MAX_RANK) throw tooManyDimensions("a value");
    let dim: number | string = "";
    for (const d of fieldsOf(content(f))) {
      if (d.number === 1) dim = integer(d);
      else if (d.number === 2) dim = text(d);
    }
    shape.push(dim);
  }
  return shape;
}
