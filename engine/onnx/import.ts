// ONNX → IR, at known shapes. What exporters compute from shapes at run time is computed here and becomes constants, so
// that a user's model is an ordinary differentiable graph.
import { AppError, toAppError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import type { Builder } from "../ir/builder.ts";
import { reach } from "../ir/graph.ts";
import type { Value } from "../ir/value.ts";
import type { RefTensor } from "../ops/define-op.ts";
import { interpret } from "../ops/interpret.ts";
import { newBuilder } from "../ops/table.ts";
import { type DType, isFloat } from "../tensor/dtype.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { type DecodedModel, decodeModel, type OnnxGraph, type OnnxNode, type OnnxTensor } from "./decode.ts";
import { COMPUTE_CONVERTERS } from "./import-compute.ts";
import { type Converter, type Environment, ImportNode } from "./import-node.ts";
import { SHAPE_CONVERTERS } from "./import-shape.ts";
import { SIMPLE_CONVERTERS } from "./import-simple.ts";
import { dtypeOf, fromNumbers, readTensor, weightSource } from "./import-tensor.ts";
import { VISION_CONVERTERS } from "./import-vision.ts";

/** A declared input. A dimension is a number, a symbol, or "" when unknown. */
export interface OnnxInput {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
}

/** An output. Dimensions that are not known without the inputs' shapes are -1. */
export interface OnnxOutput {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

export interface ImportOptions {
  /** Absolute path of the file: external data lies below its folder, and large weights are mapped from it. */
  readonly path?: string;
  /** Where external data really lies, by what the model calls it; else below the folder of `path`. */
  readonly external?: ReadonlyMap<string, string>;
  /** Shapes of inputs whose declared shape is not fixed. Outputs then have their real shapes. */
  readonly inputs?: Readonly<Record<string, Shape>>;
}

export interface OnnxModule {
  /** Inputs to feed: initializers are not among them. */
  readonly inputs: readonly OnnxInput[];
  readonly outputs: readonly OnnxOutput[];
  /** Files that hold external data, as the model calls them, with the bytes they must have. Whoever opens them checks what they are. */
  readonly externalFiles: readonly { readonly location: string; readonly bytes: number }[];
  /** Builds the model for the shapes of `values` (one per input, by name). @returns its outputs by name */
  build(b: Builder, values: Readonly<Record<string, Value>>): Record<string, Value>;
}

const CONVERTERS: ReadonlyMap<string, Converter> = new Map([
  ...SIMPLE_CONVERTERS,
  ...SHAPE_CONVERTERS,
  ...COMPUTE_CONVERTERS,
  ...VISION_CONVERTERS,
]);
const DOMAINS = new Set(["", "com.microsoft"]);
/** Initializers up to this size may decide shapes; float ones above a scalar are weights all the same. */
const SMALL = 64;
/** Results up to this size that depend on no input are computed while importing, by the plain reference evaluation. */
const FOLDED = 2 ** 13;
/** Elements of one value: beyond it no machine could run the model. */
const MAX_ELEMENTS = 2 ** 33;

const decoded = new WeakMap<Uint8Array, DecodedModel>();

/**
 * Opens an ONNX model. Weights are named `<file>:<hash of path>/<name in the file>`.
 * @throws AppError ONNX_UNSUPPORTED listing every operator there is no rule for; ONNX_PROTO, ONNX_NESTING, ONNX_LIMIT,
 * ONNX_GRAPH, ONNX_TENSOR, ONNX_DTYPE, ONNX_EXTERNAL, ONNX_EXTERNAL_PATH, ONNX_NAME, ONNX_DYNAMIC, ONNX_ATTRIBUTE, ONNX_NODE, ONNX_INPUT
 */
export function importOnnx(bytes: Uint8Array, options: ImportOptions = {}): OnnxModule {
  let model = decoded.get(bytes);
  if (!model) {
    model = decodeModel(bytes);
    decoded.set(bytes, model);
  }
  const { graph } = model;
  refuseUnsupported(graph);
  const weights = sourcesOf(graph, bytes, options);
  const prefix =
    options.path === undefined ? "onnx/" : `${options.path.slice(options.path.lastIndexOf("/") + 1)}:${sha256(options.path).slice(0, 8)}/`;
  const fed = graph.inputs.filter((i) => !weights.has(i.name));
  const inputs = fed.map(
    ({ name, elemType, shape }): OnnxInput => ({
      name,
      dtype: dtypeOf(elemType, `input ${name}`),
      shape: options.inputs?.[name] ?? shape ?? [],
    }),
  );
  const known = model;
  const build = (b: Builder, values: Readonly<Record<string, Value>>): Record<string, Value> => {
    const walk = new Walk(b, known, prefix, weights);
    for (const port of inputs) {
      const v = Object.hasOwn(values, port.name) ? values[port.name] : undefined;
      checkInput(port, v, fed.find((i) => i.name === port.name)?.shape ?? null);
      if (v) walk.define(port.name, v);
    }
    return walk.run(graph);
  };
  const fixed = inputs.every((i) => i.shape.every((d) => typeof d === "number" && d >= 0));
  const outputs =
    options.inputs && fixed
      ? shapesOf(inputs, build)
      : graph.outputs.map((o) => ({
          name: o.name,
          dtype: dtypeOf(o.elemType || 1, `output ${o.name}`),
          shape: (o.shape ?? []).map((d) => (typeof d === "number" ? d : -1)),
        }));
  return { inputs, outputs, externalFiles: externalFiles(weights), build };
}

function shapesOf(inputs: readonly OnnxInput[], build: OnnxModule["build"]): OnnxOutput[] {
  const b = newBuilder();
  const values = Object.fromEntries(inputs.map((i) => [i.name, b.input(`>${i.name}`, i.dtype, i.shape.map(Number))]));
  return Object.entries(build(b, values)).map(([name, v]) => ({ name, dtype: v.dtype, shape: v.shape }));
}

function checkInput(port: OnnxInput, v: Value | undefined, declared: readonly (number | string)[] | null): void {
  if (!v) throw new AppError("ONNX_INPUT", `input ${port.name} is missing`);
  const fits =
    !declared || (declared.length === v.shape.length && declared.every((d, i) => typeof d === "string" || d <= 0 || d === v.shape[i]));
  if (v.dtype !== port.dtype || !fits)
    throw new AppError("ONNX_INPUT", `input ${port.name} wants ${port.dtype} [${declared ?? "any shape"}], got ${v.dtype} [${v.shape}]`);
}

/** Every operator without a rule, subgraphs included, in one message. */
function refuseUnsupported(graph: OnnxGraph): void {
  const missing = new Map<string, number>();
  const visit = (g: OnnxGraph) => {
    for (const node of g.nodes) {
      const known = DOMAINS.has(node.domain) && (CONVERTERS.has(node.op) || node.op === "If");
      const name = node.domain === "" ? node.op : `${node.domain}.${node.op}`;
      if (!known) missing.set(name, (missing.get(name) ?? 0) + 1);
      for (const a of node.attributes.values()) if (a.graph) visit(a.graph);
    }
  };
  visit(graph);
  if (missing.size === 0) return;
  const names = [...missing].sort(([a], [c]) => (a < c ? -1 : 1)).map(([name, count]) => (count === 1 ? name : `${name} (${count} times)`));
  throw new AppError("ONNX_UNSUPPORTED", `the model uses operators that are not supported: ${names.join(", ")}`, {
    hint: "export it again without them, or cut the model before them",
    details: { operators: [...missing.keys()] },
  });
}

type Source = ReturnType<typeof weightSource> & { readonly tensor: OnnxTensor };

function sourcesOf(graph: OnnxGraph, bytes: Uint8Array, { path, external }: ImportOptions): Map<string, Source> {
  const sources = new Map<string, Source>();
  for (const t of graph.initializers) {
    if (t.name === "" || sources.has(t.name)) throw new AppError("ONNX_NAME", `two initializers are called ${JSON.stringify(t.name)}`);
    sources.set(t.name, { ...weightSource(t, bytes, path, external), tensor: t });
  }
  return sources;
}

function externalFiles(weights: ReadonlyMap<string, Source>): { location: string; bytes: number }[] {
  const files = new Map<string, number>();
  for (const { tensor, source } of weights.values()) {
    const location = tensor.external?.get("location");
    if (location !== undefined && source.kind === "file")
      files.set(location, Math.max(files.get(location) ?? 0, source.offset + source.length));
  }
  return [...files].map(([location, bytes]) => ({ location, bytes }));
}

/** One pass over a graph's nodes, in order. */
class Walk implements Environment {
  readonly b: Builder;
  readonly #model: DecodedModel;
  readonly #prefix: string;
  readonly #weights: ReadonlyMap<string, Source>;
  readonly #values = new Map<string, Value>();
  /** Values that depend on no input: true when they may be folded, false when they depend on weights. */
  readonly #fixed: Map<number, boolean>;
  readonly #numbers = new Map<number, RefTensor>();
  readonly #around: Walk | null;

  constructor(b: Builder, model: DecodedModel, prefix: string, weights: ReadonlyMap<string, Source>, around: Walk | null = null) {
    this.b = b;
    this.#model = model;
    this.#prefix = prefix;
    this.#weights = weights;
    this.#around = around;
    this.#fixed = around ? around.#fixed : new Map();
  }

  get opset(): number {
    return this.#model.opsets.get("") ?? 1;
  }

  value(name: string): Value | undefined {
    const known = this.#values.get(name) ?? this.#around?.value(name);
    if (known) return known;
    const weight = this.#weights.get(name);
    if (!weight) return undefined;
    const v = this.#leaf(name, weight);
    this.#values.set(name, v);
    return v;
  }

  constant(v: Value): RefTensor | null {
    if (v.def.kind !== "constant" && !this.#fixed.has(v.id)) return null;
    const graph = this.b.graph({ v });
    const { weights, constants, nodes } = reach(graph);
    const sizes = [...weights, ...constants, ...nodes.flatMap((n) => n.outputs)].map((x) => sizeOf(x.shape));
    if (v.def.kind !== "constant" && sizes.some((n) => n > FOLDED)) return null;
    const known = this.#numbers.get(v.id) ?? interpret(graph, {}).v;
    if (known) this.#numbers.set(v.id, known);
    return known ?? null;
  }

  define(name: string, v: Value): void {
    if (name === "") return;
    if (this.#values.has(name) || this.#weights.has(name)) throw new AppError("ONNX_NAME", `${JSON.stringify(name)} is given twice`);
    this.#values.set(name, v);
  }

  run(graph: OnnxGraph): Record<string, Value> {
    for (const node of graph.nodes) this.#node(node);
    const outputs = graph.outputs.map(({ name }): [string, Value] => {
      const v = this.value(name);
      if (!v) throw new AppError("ONNX_NAME", `nothing gives the output ${JSON.stringify(name)}`);
      return [name, v];
    });
    return Object.fromEntries(outputs);
  }

  #leaf(name: string, { dtype, shape, source }: Source): Value {
    const isWeight = sizeOf(shape) > SMALL || (isFloat(dtype) && shape.length > 0) || source.kind === "file";
    if (!isWeight && source.kind === "host") return this.b.constant(source.tensor);
    const v = this.b.weight(this.#prefix + name, dtype, shape, source);
    if (source.kind === "host") this.#fixed.set(v.id, false);
    return v;
  }

  #node(node: OnnxNode): void {
    const outputs = node.op === "If" && DOMAINS.has(node.domain) ? this.#branch(node) : this.#convert(node);
    node.outputs.forEach((name, i) => {
      const v = outputs[i];
      if (v) this.define(name, v);
    });
  }

  #convert(node: OnnxNode): readonly Value[] {
    const n = new ImportNode(this, node);
    const convert = CONVERTERS.get(node.op);
    if (!convert) throw n.error("ONNX_UNSUPPORTED", "no rule");
    let outputs: readonly Value[];
    try {
      outputs = convert(n);
    } catch (error) {
      const cause = toAppError(error, "ONNX_NODE");
      throw cause.code.startsWith("ONNX_") ? cause : new AppError("ONNX_NODE", `${n.where}: ${cause.message}`, { cause });
    }
    n.checkAttributes();
    for (const v of outputs) if (!(sizeOf(v.shape) <= MAX_ELEMENTS)) throw n.error("ONNX_LIMIT", `a result of shape [${v.shape}]`);
    return this.#fold(n, outputs);
  }

  /** Results that depend on no input and no weight become literals. */
  #fold(n: ImportNode, outputs: readonly Value[]): readonly Value[] {
    const inputs = n.node.inputs.flatMap((_, i) => n.optional(i) ?? []);
    if (!inputs.every((v) => v.def.kind === "constant" || this.#fixed.has(v.id))) return outputs;
    const free = inputs.every((v) => v.def.kind === "constant" || this.#fixed.get(v.id) === true);
    return outputs.map((v) => {
      if (v.def.kind === "constant") return v;
      this.#fixed.set(v.id, free);
      if (!free || sizeOf(v.shape) > FOLDED || inputs.some((i) => sizeOf(i.shape) > FOLDED)) return v;
      const t = this.constant(v);
      return t ? this.b.constant(fromNumbers(v.dtype, v.shape, t.data)) : v;
    });
  }

  /** A conditional whose condition is known is its branch. Branches see the names around them. */
  #branch(node: OnnxNode): readonly Value[] {
    const n = new ImportNode(this, node);
    const branch = n.attribute((n.constant(0)?.data[0] ?? 0) !== 0 ? "then_branch" : "else_branch")?.graph;
    if (!branch) throw n.error("ONNX_NODE", "a branch is missing");
    const inside = new Walk(this.b, this.#model, this.#prefix, new Map(), this);
    for (const t of branch.initializers) inside.define(t.name, this.b.constant(readTensor(t)));
    return Object.values(inside.run(branch));
  }
}
