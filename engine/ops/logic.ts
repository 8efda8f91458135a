import { isFloat } from "../tensor/dtype.ts";
import { broadcastOf, oneDType, ref, type, typeError } from "./check.ts";
import { defineOp, nonDifferentiable, type OpRow } from "./define-op.ts";
import { bools, integers, type Rng, uniform } from "./draw.ts";
import { dyOf } from "./gradient.ts";
import { broadcast } from "./reference.ts";

const discrete = nonDifferentiable("the result is boolean", "zero");

function compare(name: string, f: (a: number, c: number) => boolean): OpRow {
  return defineOp({
    name,
    elementwise: true,
    infer: (inputs) => {
      type(name, inputs, 1);
      oneDType(name, inputs);
      return [{ dtype: "bool", shape: broadcastOf(name, inputs) }];
    },
    reference: (inputs) => [broadcast((a, c) => Number(f(a, c)), ref(inputs, 0), ref(inputs, 1))],
    vjp: discrete,
    samples: (rng: Rng) => [
      { inputs: [integers(rng, [3, 4], 0, 3, "float32"), integers(rng, [4], 0, 3, "float32")] },
      { inputs: [integers(rng, [2, 1], 0, 3), integers(rng, [1, 5], 0, 3)] },
      { inputs: [uniform(rng, []), uniform(rng, [0])] },
    ],
  });
}

function logical(name: string, f: (a: boolean, c: boolean) => boolean): OpRow {
  return defineOp({
    name,
    elementwise: true,
    infer: (inputs) => {
      type(name, inputs, 1);
      if (oneDType(name, inputs) !== "bool") throw typeError(name, inputs, "booleans only");
      return [{ dtype: "bool", shape: broadcastOf(name, inputs) }];
    },
    reference: (inputs) => [broadcast((a, c) => Number(f(a !== 0, c !== 0)), ref(inputs, 0), ref(inputs, 1))],
    vjp: discrete,
    samples: (rng: Rng) => [{ inputs: [bools(rng, [2, 3]), bools(rng, [3])] }, { inputs: [bools(rng, []), bools(rng, [1, 4])] }],
  });
}

const Not = defineOp({
  name: "Not",
  elementwise: true,
  infer: (inputs) => {
    const t = type("Not", inputs, 0);
    if (t.dtype !== "bool") throw typeError("Not", inputs, "booleans only");
    return [{ dtype: "bool", shape: t.shape }];
  },
  reference: (inputs) => [broadcast((a) => Number(a === 0), ref(inputs, 0))],
  vjp: discrete,
  samples: (rng) => [{ inputs: [bools(rng, [2, 3])] }, { inputs: [bools(rng, [])] }, { inputs: [bools(rng, [0])] }],
});

const Where = defineOp({
  name: "Where",
  elementwise: true,
  infer: (inputs) => {
    type("Where", inputs, 2);
    if (type("Where", inputs, 0).dtype !== "bool") throw typeError("Where", inputs, "the condition must be boolean");
    return [{ dtype: oneDType("Where", inputs.slice(1)), shape: broadcastOf("Where", inputs) }];
  },
  reference: (inputs) => [broadcast((c, x, y) => (c !== 0 ? x : y), ref(inputs, 0), ref(inputs, 1), ref(inputs, 2))],
  vjp: (c) => {
    const [condition, x] = c.inputs;
    if (!condition || !x || !isFloat(x.dtype)) return [];
    const dy = dyOf(c);
    return [null, c.needs[1] ? c.b.where(condition, dy, 0) : null, c.needs[2] ? c.b.where(condition, 0, dy) : null];
  },
  samples: (rng) => [
    { inputs: [bools(rng, [2, 3]), uniform(rng, [2, 3]), uniform(rng, [2, 3])] },
    { inputs: [bools(rng, [3, 1]), uniform(rng, [1, 4]), uniform(rng, [])] },
    { inputs: [bools(rng, []), uniform(rng, [4]), uniform(rng, [2, 1])] },
    { inputs: [bools(rng, [4]), integers(rng, [4], -5, 5), integers(rng, [1], -5, 5)] },
  ],
});

export const logic: readonly OpRow[] = [
  Not,
  logical("And", (a, c) => a && c),
  logical("Or", (a, c) => a || c),
  logical("Xor", (a, c) => a !== c),
  compare("Equal", (a, c) => a === c),
  compare("Less", (a, c) => a < c),
  compare("LessOrEqual", (a, c) => a <= c),
  compare("Greater", (a, c) => a > c),
  compare("GreaterOrEqual", (a, c) => a >= c),
  Where,
];
