// What a converter sees of one ONNX node.
import { AppError } from "../base/errors.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/value.ts";
import type { RefTensor } from "../ops/define-op.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { OnnxAttribute, OnnxNode } from "./decode.ts";
import { readTensor } from "./import-tensor.ts";

/** Known values of a graph being imported. */
export interface Environment {
  readonly b: Builder;
  readonly opset: number;
  value(name: string): Value | undefined;
  /** The numbers of a value that depends on no input; null for others. */
  constant(v: Value): RefTensor | null;
}

/** Turns one ONNX node into IR; the result has one value per output it supports. */
export type Converter = (node: ImportNode) => readonly Value[];

/** One node: its inputs as values, its attributes with defaults. Every complaint names the node. */
export class ImportNode {
  readonly b: Builder;
  readonly opset: number;
  readonly node: OnnxNode;
  readonly #environment: Environment;
  readonly #asked = new Set<string>();

  constructor(environment: Environment, node: OnnxNode) {
    this.b = environment.b;
    this.opset = environment.opset;
    this.node = node;
    this.#environment = environment;
  }

  /** `Conv "/layer1/conv"`. */
  get where(): string {
    return `${this.node.op} ${JSON.stringify(this.node.name || (this.node.outputs[0] ?? ""))}`;
  }

  error(code: string, why: string, hint?: string): AppError {
    return new AppError(code, `${this.where}: ${why}`, {
      ...(hint === undefined ? {} : { hint }),
      details: { op: this.node.op, node: this.node.name },
    });
  }

  has(i: number): boolean {
    return (this.node.inputs[i] ?? "") !== "";
  }

  /** Input `i`, which must be there. */
  value(i: number): Value {
    const v = this.optional(i);
    if (!v) throw this.error("ONNX_NODE", `input ${i} is missing`);
    return v;
  }

  optional(i: number): Value | null {
    const name = this.node.inputs[i] ?? "";
    if (name === "") return null;
    const v = this.#environment.value(name);
    if (!v) throw this.error("ONNX_NAME", `nothing gives ${JSON.stringify(name)} before it is used`);
    return v;
  }

  /** All inputs, none absent. */
  values(): readonly Value[] {
    return this.node.inputs.map((_, i) => this.value(i));
  }

  /** The numbers of input `i`, or null when it is absent. @throws AppError ONNX_DYNAMIC when they depend on an input */
  constant(i: number): RefTensor | null {
    const v = this.optional(i);
    if (!v) return null;
    const t = this.#environment.constant(v);
    if (!t) throw this.error("ONNX_DYNAMIC", `input ${i} must be known when the graph is built, but depends on the model's inputs`);
    return t;
  }

  /** A list from an attribute (older opsets) or a constant input (newer ones); null when neither is there. */
  list(attribute: string, input: number): readonly number[] | null {
    const given = this.#attribute(attribute);
    if (given) return given.ints.length ? given.ints : given.floats;
    const t = this.constant(input);
    return t ? Array.from(t.data) : null;
  }

  /** A number from an attribute or a constant input. */
  scalar(attribute: string, input: number): number | null {
    const given = this.#attribute(attribute);
    if (given) return given.float ?? given.int ?? null;
    return this.constant(input)?.data[0] ?? null;
  }

  int(name: string, fallback: number): number {
    return this.#attribute(name)?.int ?? fallback;
  }

  float(name: string, fallback: number): number {
    return this.#attribute(name)?.float ?? fallback;
  }

  string(name: string, fallback: string): string {
    return this.#attribute(name)?.string ?? fallback;
  }

  ints(name: string): readonly number[] | null {
    return this.#attribute(name)?.ints ?? null;
  }

  attribute(name: string): OnnxAttribute | undefined {
    return this.#attribute(name);
  }

  tensor(name: string): Tensor | null {
    const t = this.#attribute(name)?.tensor;
    return t ? readTensor(t) : null;
  }

  /** Attributes whose value changes nothing here. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#asked.add(name);
  }

  /** Refuses attributes the converter never looked at: ignoring them would be silently wrong. */
  checkAttributes(): void {
    const unknown = [...this.node.attributes.keys()].filter((k) => !this.#asked.has(k));
    if (unknown.length) throw this.error("ONNX_ATTRIBUTE", `attribute ${unknown.join(", ")} is not supported`);
  }

  #attribute(name: string): OnnxAttribute | undefined {
    this.#asked.add(name);
    return this.node.attributes.get(name);
  }
}
