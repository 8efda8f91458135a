// The intermediate representation: an immutable SSA graph. A value is made once by a Builder and never changes.
import { type BlockFormat, packedBytes } from "../tensor/blocks.ts";
import { bytesOf, type DType } from "../tensor/dtype.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Attribute values of a node. Everything static (axes, target shapes, pads …) is an attribute, never an input. */
export type Attr = number | string | boolean | readonly number[] | readonly string[];
export type Attrs = Readonly<Record<string, Attr>>;

/** dtype and shape of a value. */
export interface TypeInfo {
  readonly dtype: DType;
  readonly shape: Shape;
}

/**
 * Where the numbers of a weight live. A file source is mapped, never copied, when the device allows; one that is packed in blocks is a
 * float32 weight that is unpacked when it is read.
 */
export type WeightSource =
  | { readonly kind: "host"; readonly tensor: Tensor }
  | {
      readonly kind: "file";
      readonly path: string;
      readonly offset: number;
      readonly length: number;
      readonly packing?: BlockFormat | undefined;
    };

/** Whether a source has as many bytes as the weight needs. */
export function fills(source: WeightSource, { dtype, shape }: TypeInfo): boolean {
  const weights = sizeOf(shape);
  if (source.kind === "host") return source.tensor.data.byteLength === weights * bytesOf(dtype);
  if (source.packing === undefined) return source.length === weights * bytesOf(dtype);
  return dtype === "float32" && source.length === packedBytes(source.packing, weights);
}

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
