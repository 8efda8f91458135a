// Operators that are rows of the op table as they stand: attributes pass through, nothing is rewritten.
import type { Attr } from "../ir/value.ts";
import type { Converter } from "./import-node.ts";

/** name → attributes with their ONNX default; `i` integer, `f` float. */
const SIMPLE: Readonly<Record<string, Readonly<Record<string, readonly ["i" | "f", number]>>>> = {
  Neg: {},
  Abs: {},
  Exp: {},
  Log: {},
  Sqrt: {},
  Reciprocal: {},
  Erf: {},
  Tanh: {},
  Sigmoid: {},
  Relu: {},
  Softplus: {},
  HardSwish: {},
  Mish: {},
  Sin: {},
  Cos: {},
  Tan: {},
  Atan: {},
  Floor: {},
  Ceil: {},
  Round: {},
  Sign: {},
  Not: {},
  And: {},
  Or: {},
  Xor: {},
  Equal: {},
  Less: {},
  LessOrEqual: {},
  Greater: {},
  GreaterOrEqual: {},
  Where: {},
  MatMul: {},
  GlobalAveragePool: {},
  GlobalMaxPool: {},
  Mod: { fmod: ["i", 0] },
  LeakyRelu: { alpha: ["f", 0.01] },
  Elu: { alpha: ["f", 1] },
  HardSigmoid: { alpha: ["f", 0.2], beta: ["f", 0.5] },
  QuickGelu: { alpha: ["f", 1.702] },
  Flatten: { axis: ["i", 1] },
  Concat: { axis: ["i", 0] },
  Gather: { axis: ["i", 0] },
  GatherElements: { axis: ["i", 0] },
  GatherND: { batch_dims: ["i", 0] },
  ArgMax: { axis: ["i", 0], keepdims: ["i", 1], select_last_index: ["i", 0] },
  ArgMin: { axis: ["i", 0], keepdims: ["i", 1], select_last_index: ["i", 0] },
  LpNormalization: { axis: ["i", -1], p: ["i", 2] },
  InstanceNormalization: { epsilon: ["f", 1e-5] },
  QuantizeLinear: { axis: ["i", 1] },
  DequantizeLinear: { axis: ["i", 1] },
};

/** Attributes that change nothing here. */
const IGNORED: Readonly<Record<string, readonly string[]>> = {
  QuantizeLinear: ["saturate", "precision", "output_dtype"],
  DequantizeLinear: ["output_dtype"],
  // Old opsets marked broadcasting, which is now the rule, and in-place hints.
  Relu: ["consumed_inputs"],
  Sigmoid: ["consumed_inputs"],
  Tanh: ["consumed_inputs"],
};

export const SIMPLE_CONVERTERS: ReadonlyMap<string, Converter> = new Map(
  Object.entries(SIMPLE).map(([op, attributes]) => {
    const convert: Converter = (n) => {
      const attrs: Record<string, Attr> = {};
      for (const [name, [kind, fallback]] of Object.entries(attributes))
        attrs[name] = kind === "i" ? n.int(name, fallback) : n.float(name, fallback);
      n.ignore(...(IGNORED[op] ?? []));
      return n.b.op(
        op,
        n.node.inputs.map((_, i) => n.optional(i)),
        attrs,
      );
    };
    return [op, convert];
  }),
);
