// The intermediate representation: an immutable SSA graph. A value is made once by a Builder and never changes.
import type { DType } from "../tensor/dtype.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Attribute values of a node. Everything static (axes, target shapes, pads …) is an attribute, never an input. */
export type Attr = number | string | boolean | readonly number[] | readonly string[];
export type Attrs = Readonly<Record<string, Attr>>;

/** dtype and shape of a value. */
export interface TypeInfo {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** Where the numbers of a weight live. A file source is mapped, never copied, when the device allows. */
export type WeightSource =
  | { readonly kind: "host"; readonly tensor: Tensor }
  | { readonly kind: "file"; readonly path: string; readonly offset: number; readonly length: number };

/** How a value comes to be. */
export type Definition =
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "weight"; readonly name: string; readonly source: WeightSource }
  | { readonly kind: "constant"; readonly tensor: Tensor }
  | { readonly kind: "node"; readonly node: Node; readonly index: number };

export interface Value extends TypeInfo {
  /** Creation order within one builder: a topological order. */
  readonly id: number;
  readonly def: Definition;
}

export interface Node {
  readonly id: number;
  /** Name of a row of the op table, e.g. `MatMul`. */
  readonly op: string;
  /** `null` is an absent optional input. */
  readonly inputs: readonly (Value | null)[];
  readonly attrs: Attrs;
  readonly outputs: readonly Value[];
  /** Segment this node was built in (`transformer_blocks.3`), "" outside any. */
  readonly scope: string;
}

/** A graph is its outputs by name; inputs, weights and nodes are what they reach. */
export interface Graph {
  readonly outputs: Readonly<Record<string, Value>>;
}
