// ModelProto → plain data. Field numbers are those of onnx.proto3; fields nothing here needs are skipped.
import { AppError } from "../base/errors.ts";
import { content, type Field, fieldsOf, float, integer, MAX_NESTING, protoError, pushFloats, pushIntegers, text } from "./proto-reader.ts";

/** TensorProto as it lies in the file. `raw` is a view into the model's bytes. */
export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly elemType: number;
  readonly raw: Uint8Array | null;
  readonly ints: readonly bigint[];
  readonly floats: readonly number[];
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

export interface OnnxModel {
  /** Opset version by domain; "" is ai.onnx. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: OnnxGraph;
}

/** More nodes or tensors than any real model: a bomb. */
const MAX_ITEMS = 1_000_000;
const MAX_RANK = 32;

/** Reads a model. Nothing is copied but names. @throws AppError ONNX_PROTO, ONNX_NESTING, ONNX_LIMIT, ONNX_GRAPH */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  const opsets = new Map<string, number>();
  let graph: OnnxGraph | null = null;
  const budget = { items: MAX_ITEMS };
  for (const f of fieldsOf(bytes)) {
    if (f.number === 7) graph = decodeGraph(content(f), 1, budget);
    else if (f.number === 8) decodeOpset(content(f), opsets);
  }
  if (!graph) throw new AppError("ONNX_GRAPH", "the file holds no graph", { hint: "choose an ONNX model file" });
  if (!opsets.has("")) opsets.set("", opsets.get("ai.onnx") ?? 1);
  return { opsets, graph };
}

interface Budget {
  items: number;
}

function spend(budget: Budget): void {
  if (--budget.items < 0) throw new AppError("ONNX_LIMIT", `the model has more than ${MAX_ITEMS} nodes, tensors and attributes`);
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
    else if (f.number === 5) initializers.push(decodeTensor(content(f)));
    else if (f.number === 11) inputs.push(decodeValueInfo(content(f)));
    else if (f.number === 12) outputs.push(decodeValueInfo(content(f)));
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
    if (f.number === 1) inputs.push(text(f));
    else if (f.number === 2) outputs.push(text(f));
    else if (f.number === 3) name = text(f);
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
  const ints: bigint[] = [];
  const strings: string[] = [];
  for (const f of fieldsOf(bytes)) {
    if (f.number === 1) name = text(f);
    else if (f.number === 2) single.float = float(f);
    else if (f.number === 3) single.int = clamp(f);
    else if (f.number === 4) single.string = text(f);
    else if (f.number === 5) single.tensor = decodeTensor(content(f));
    else if (f.number === 6) single.graph = decodeGraph(content(f), depth + 1, budget);
    else if (f.number === 7) pushFloats(f, floats, 4);
    else if (f.number === 8) pushIntegers(f, ints);
    else if (f.number === 9) strings.push(text(f));
  }
  return [name, { ...single, floats, ints: ints.map(Number), strings }];
}

/** Attributes such as `ends` may hold the largest int64: the nearest double does as well. */
function clamp(f: Field): number {
  if (f.wire !== 0) throw protoError("an integer attribute is not a number");
  return Number(BigInt.asIntN(64, f.int));
}

/** Reads a TensorProto. The element count is not checked against the data here. */
function decodeTensor(bytes: Uint8Array): OnnxTensor {
  let [name, elemType] = ["", 0];
  let raw: Uint8Array | null = null;
  let isExternal = false;
  const dims: bigint[] = [];
  const ints: bigint[] = [];
  const floats: number[] = [];
  const external = new Map<string, string>();
  for (const f of fieldsOf(bytes)) {
    if (f.number === 1) pushIntegers(f, dims);
    else if (f.number === 2) elemType = integer(f);
    else if (f.number === 4) pushFloats(f, floats, 4);
    else if (f.number === 5 || f.number === 7 || f.number === 11) pushIntegers(f, ints);
    else if (f.number === 8) name = text(f);
    else if (f.number === 9) raw = content(f);
    else if (f.number === 10) pushFloats(f, floats, 8);
    else if (f.number === 13) {
      const [key, value] = decodeEntry(content(f));
      external.set(key, value);
    } else if (f.number === 14) isExternal = integer(f) === 1;
  }
  if (dims.length > MAX_RANK) throw new AppError("ONNX_TENSOR", `tensor ${name} has ${dims.length} dimensions`);
  return { name, dims: dims.map(Number), elemType, raw, ints, floats, external: isExternal ? external : null };
}

function decodeEntry(bytes: Uint8Array): [string, string] {
  let [key, value] = ["", ""];
  for (const f of fieldsOf(bytes)) {
    if (f.number === 1) key = text(f);
    else if (f.number === 2) value = text(f);
  }
  return [key, value];
}

function decodeValueInfo(bytes: Uint8Array): OnnxValueInfo {
  let [name, elemType] = ["", 0];
  let shape: (number | string)[] | null = null;
  for (const f of fieldsOf(bytes)) {
    if (f.number === 1) name = text(f);
    else if (f.number === 2)
      for (const t of fieldsOf(content(f)))
        if (t.number === 1)
          for (const g of fieldsOf(content(t))) {
            if (g.number === 1) elemType = integer(g);
            else if (g.number === 2) shape = decodeShape(content(g));
          }
  }
  return { name, elemType, shape };
}

function decodeShape(bytes: Uint8Array): (number | string)[] {
  const shape: (number | string)[] = [];
  for (const f of fieldsOf(bytes)) {
    if (f.number !== 1) continue;
    let dim: number | string = "";
    for (const d of fieldsOf(content(f))) {
      if (d.number === 1) dim = integer(d);
      else if (d.number === 2) dim = text(d);
    }
    shape.push(dim);
  }
  if (shape.length > MAX_RANK) throw new AppError("ONNX_TENSOR", `a value has ${shape.length} dimensions`);
  return shape;
}
