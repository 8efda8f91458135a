// Reads an emitted model back and compares it with the graph it was made from. A name that stands for two values, or a
// literal that stands for two numbers, gives wrong results without a word from the runtime: nothing else can see it.
import { AppError } from "../base/errors.ts";
import { attrText } from "../ir/attr-text.ts";
import { nameOf, reach } from "../ir/graph.ts";
import type { Attr, Graph, Node, Value } from "../ir/value.ts";
import { castTarget } from "../ops/cast.ts";
import type { OpRow } from "../ops/define-op.ts";
import { toReference } from "../ops/interpret.ts";
import type { DType } from "../tensor/dtype.ts";
import { bytesOfTensor } from "../tensor/tensor.ts";
import { type DecodedModel, decodeModel, type OnnxAttribute, type OnnxNode, type OnnxTensor } from "./decode.ts";
import { ELEM_TYPE } from "./elem-type.ts";
import { readTensor } from "./import-tensor.ts";

/**
 * Every name is given once and before its use, every node reads the values and holds the attributes that the graph's node
 * does, every literal is the constant it stands for, and every output is the graph's.
 * @param bytes what `emitOnnx` wrote for `graph`
 * @throws AppError ONNX_EMIT naming node and value
 */
export function assertEmitted(graph: Graph, rows: (op: string) => OpRow, bytes: Uint8Array): void {
  new Check(decodeModel(bytes)).run(graph, rows);
}

class Check {
  readonly #model: DecodedModel;
  /** What each name stands for. */
  readonly #values = new Map<string, Value>();
  readonly #literals = new Map<string, OnnxTensor>();
  readonly #given = new Set<string>();

  constructor(model: DecodedModel) {
    this.#model = model;
  }

  run(graph: Graph, rows: (op: string) => OpRow): void {
    const { inputs, weights, constants, nodes } = reach(graph);
    const { initializers, inputs: ports, nodes: written, outputs } = this.#model.graph;
    const leaves = new Map<string, Value>();
    for (const v of [...inputs, ...weights]) {
      const name = nameOf(v);
      if (leaves.has(`<${name}`)) throw new AppError("ONNX_EMIT", `two inputs or weights of the graph are called ${JSON.stringify(name)}`);
      leaves.set(`<${name}`, v);
    }
    for (const { name } of ports) this.#give(name, leaves.get(name));
    for (const t of initializers) {
      this.#give(t.name, leaves.get(t.name));
      if (!leaves.has(t.name)) this.#literals.set(t.name, t);
    }
    for (const v of constants) this.#constant(v);
    const byId = new Map(nodes.map((n) => [String(n.id), n]));
    for (const node of written) {
      // Casts around a node in float64 and the Identity of an output have no name: they stand for what they read.
      const own = byId.get(node.name.slice(node.name.lastIndexOf("#") + 1));
      if (node.name === "") this.#alias(node);
      else if (own) this.#node(node, own, rows(own.op));
      else throw wrong(`node ${node.name} is not of the graph`);
    }
    for (const { name } of outputs)
      if (!name.startsWith(">") || graph.outputs[name.slice(1)]?.id !== this.#values.get(name)?.id)
        throw wrong(`output ${name} is another value`);
  }

  #give(name: string, v: Value | undefined): void {
    if (this.#given.has(name)) throw wrong(`${JSON.stringify(name)} is given twice`);
    this.#given.add(name);
    if (v) this.#values.set(name, v);
  }

  /** Constants are initializers `c<id>`, byte for byte. */
  #constant(v: Value): void {
    const t = this.#literals.get(`c${v.id}`);
    if (v.def.kind !== "constant" || !t?.raw) throw wrong(`constant ${v.id} is missing`);
    if (t.elemType !== ELEM_TYPE[v.dtype] || !sameBytes(t.raw, bytesOfTensor(v.def.tensor)))
      throw wrong(`constant ${v.id} has other numbers`);
    this.#values.set(t.name, v);
  }

  #alias(node: OnnxNode): void {
    const [from = ""] = node.inputs;
    const [to = ""] = node.outputs;
    this.#give(to, this.#values.get(from));
  }

  #node(node: OnnxNode, own: Node, row: OpRow): void {
    const where = `${own.op} ${JSON.stringify(node.name)}`;
    const from = row.constFrom ?? own.inputs.length;
    const consts = row.constInputs ?? [];
    own.inputs.forEach((v, i) => {
      const name = node.inputs[i] ?? "";
      if (v ? this.#values.get(name)?.id !== v.id : name !== "") throw wrong(`input ${i} of ${where} is another value`);
    });
    const literals = new Set<string>();
    consts.forEach((entry, i) => {
      if (!entry) return;
      literals.add(entry[0]);
      const value = own.attrs[entry[0]];
      const t = this.#literals.get(node.inputs[from + i] ?? "");
      if (value === undefined ? (node.inputs[from + i] ?? "") !== "" : !t || !holds(t, value))
        throw wrong(`${entry[0]} of ${where} is not ${JSON.stringify(value)}`);
    });
    for (const [key, value] of Object.entries({ ...own.attrs, ...row.onnxAttrs })) {
      if (literals.has(key)) continue;
      const a = node.attributes.get(key);
      const expected = own.op === "Cast" && key === "to" ? ELEM_TYPE[castTarget(own.attrs)] : value;
      if (!a || !attributeHolds(a, expected)) throw wrong(`${key} of ${where} is not ${attrText(value)}`);
    }
    node.outputs.forEach((name, i) => {
      const v = own.outputs[i];
      // In float64 the outputs carry another name until a Cast brings them back.
      if (name !== "") this.#give(name, v);
    });
  }
}

/** The literal holds the attribute's numbers, in its own precision. */
function holds(t: OnnxTensor, value: Attr): boolean {
  const read = readTensor(t);
  const expected = typeof value === "object" ? value.map(Number) : [Number(value)];
  const found = toReference(read).data;
  return found.length === expected.length && expected.every((x, i) => Object.is(found[i], roundTo(read.dtype, x)));
}

function roundTo(dtype: DType, x: number): number {
  if (dtype === "float32") return Math.fround(x);
  if (dtype === "float16") return Math.f16round(x);
  return dtype.startsWith("float") ? x : x + 0;
}

function attributeHolds(a: OnnxAttribute, value: Attr): boolean {
  if (typeof value === "boolean") return a.int === Number(value);
  if (typeof value === "number") return a.float === undefined ? a.int === value : Object.is(a.float, Math.fround(value));
  if (typeof value === "string") return a.string === value;
  const found: readonly (number | string)[] = a.strings.length ? a.strings : a.floats.length ? a.floats : a.ints;
  return (
    found.length === value.length && value.every((x, i) => (typeof x === "number" && a.floats.length ? Math.fround(x) : x) === found[i])
  );
}

function sameBytes(a: Uint8Array, c: Uint8Array): boolean {
  if (a.length !== c.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== c[i]) return false;
  return true;
}

function wrong(why: string): AppError {
  return new AppError("ONNX_EMIT", `the emitted model differs from its graph: ${why}`, {
    hint: "this is a fault of the program: report it with the workflow",
  });
}
