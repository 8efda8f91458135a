import type { Builder } from "../ir/builder.ts";
import type { Attrs, TypeInfo, Value } from "../ir/value.ts";
import type { Shape } from "../tensor/shape.ts";

/** A tensor of the float64 reference interpreter. Integers and booleans are held as numbers too. */
export interface RefTensor {
  readonly shape: Shape;
  readonly data: Float64Array;
  /** Set where integer or boolean arithmetic differs from float (Div, Cast …); absent = float32. */
  readonly dtype?: TypeInfo["dtype"];
}

/** What a gradient rule sees. `dys[i]` is null when output i has no gradient. */
export interface VjpContext {
  readonly b: Builder;
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly Value[];
  readonly dys: readonly (Value | null)[];
  readonly attrs: Attrs;
  /** Whether input i needs a gradient: skip the work where it is false. */
  readonly needs: readonly boolean[];
}

/**
 * One gradient per input (null = none). A gradient may still have the broadcast shape of the output:
 * the reverse walk sums it to the input's shape. It must have the input's dtype.
 */
export type Vjp = (c: VjpContext) => readonly (Value | null)[];

/** Marks an op through which no gradient flows, with the reason. `zero` stops silently (derivative is 0 a.e.); `error` refuses. */
export interface NonDifferentiable {
  readonly kind: "zero" | "error";
  readonly reason: string;
}

/** A case for the table test. `inputs` are drawn with `rng`; `diff` names the inputs to differentiate (default: every float input). */
export interface OpSample {
  readonly inputs: readonly (RefTensor | null)[];
  readonly attrs?: Attrs;
  readonly diff?: readonly number[];
}

/** One row of the op table. */
export interface OpRow {
  /** As in ONNX. */
  readonly name: string;
  /** ONNX domain; absent = ai.onnx (opset 21). */
  readonly domain?: string;
  /**
   * Attributes that ONNX takes as trailing constant inputs, in input position order, with their tensor dtype
   * (Reshape: [["shape","int64"]]). `null` leaves a position empty, as an absent attribute does.
   * A number is emitted as a scalar, a list as a 1-D tensor.
   */
  readonly constInputs?: readonly (readonly [attr: string, dtype: "int64" | "float32" | "same"] | null)[];
  /** Position of the first const input; default = number of inputs of the node. */
  readonly constFrom?: number;
  /** Attributes added to every ONNX node of this op, whatever the IR says (Reshape: allowzero). */
  readonly onnxAttrs?: Attrs;
  /** Outputs from this position on are optional in ONNX: they are asked for only where something uses them. */
  readonly optionalOutputsFrom?: number;
  /** Result i,j,… depends only on (broadcast) inputs at i,j,…: its rule takes `dys` that still need broadcasting. */
  readonly elementwise?: true;
  /** Result types. @throws AppError with code OP_TYPE naming op and shapes. */
  readonly infer: (inputs: readonly (TypeInfo | null)[], attrs: Attrs) => readonly TypeInfo[];
  readonly vjp: Vjp | NonDifferentiable;
  /** float64 evaluation, used as the truth in tests and for constant folding. */
  readonly reference: (inputs: readonly (RefTensor | null)[], attrs: Attrs) => readonly RefTensor[];
  /** At least: plain, broadcast or odd shape, and an edge size. `rng()` is uniform in [0,1). */
  readonly samples: (rng: () => number) => readonly OpSample[];
  /** Tolerance of the f32 comparison with ORT; default 1e-5 relative. */
  readonly tol?: number;
}

/** Identity with type checking: the row is the declaration. */
export function defineOp(row: OpRow): OpRow {
  return row;
}

/** A `vjp` entry for ops without a useful gradient. */
export function nonDifferentiable(reason: string, kind: NonDifferentiable["kind"] = "error"): NonDifferentiable {
  return { kind, reason };
}
