import { floatType, ref, type, typeError } from "./check.ts";
import { defineOp, nonDifferentiable, type OpRow, type Vjp } from "./define-op.ts";
import { apart, distinct, type Rng, uniform } from "./draw.ts";
import { erf } from "./erf.ts";
import { unaryRule } from "./gradient.ts";
import { broadcast } from "./reference.ts";

type Draw = (rng: Rng, shape: readonly number[]) => ReturnType<typeof uniform>;

/** A function of one element. `numeric` also takes integers. */
function unary(name: string, f: (x: number) => number, vjp: OpRow["vjp"], draw: Draw = uniform, numeric = false): OpRow {
  return defineOp({
    name,
    elementwise: true,
    infer: (inputs) => {
      const t = numeric ? type(name, inputs, 0) : floatType(name, inputs, 0);
      if (t.dtype === "bool") throw typeError(name, inputs, "not on booleans");
      return [{ dtype: t.dtype, shape: t.shape }];
    },
    reference: (inputs) => [broadcast(f, ref(inputs, 0))],
    vjp,
    samples: (rng) => [[2, 3, 4], [5], [], [1, 1], [0, 2]].map((shape) => ({ inputs: [draw(rng, shape)] })),
  });
}

const positive: Draw = (rng, shape) => uniform(rng, shape, 0.2, 3);
const steps = nonDifferentiable("piecewise constant", "zero");
/** Far from the jumps of Floor, Ceil and Round. */
const fractional: Draw = (rng, shape) => {
  const t = uniform(rng, shape, 0.1, 0.4);
  return { shape, data: t.data.map((x) => Math.fround(Math.floor(rng() * 7 - 3) + (rng() < 0.5 ? x : x + 0.5))) };
};

/** Half to even, as ONNX Round. */
function roundEven(x: number): number {
  const r = Math.round(x);
  return Math.abs(x % 1) === 0.5 && r % 2 !== 0 ? r - 1 : r;
}

const erfRule: Vjp = unaryRule((b, dy, x) => b.mul(dy, b.mul(b.exp(b.neg(b.mul(x, x))), 2 / Math.sqrt(Math.PI))));

export const unaries: readonly OpRow[] = [
  unary(
    "Neg",
    (x) => -x,
    unaryRule((b, dy) => b.neg(dy)),
    uniform,
    true,
  ),
  unary(
    "Abs",
    Math.abs,
    unaryRule((b, dy, x) => b.mul(dy, b.one("Sign", [x]))),
    apart,
    true,
  ),
  unary(
    "Exp",
    Math.exp,
    unaryRule((b, dy, _, y) => b.mul(dy, y)),
  ),
  unary(
    "Log",
    Math.log,
    unaryRule((b, dy, x) => b.div(dy, x)),
    positive,
  ),
  unary(
    "Sqrt",
    Math.sqrt,
    unaryRule((b, dy, _, y) => b.div(b.mul(dy, 0.5), y)),
    positive,
  ),
  unary(
    "Reciprocal",
    (x) => 1 / x,
    unaryRule((b, dy, _, y) => b.neg(b.mul(dy, b.mul(y, y)))),
    (r, s) => apart(r, s, 0.4, 3),
  ),
  unary("Erf", erf, erfRule),
  unary(
    "Sin",
    Math.sin,
    unaryRule((b, dy, x) => b.mul(dy, b.one("Cos", [x]))),
  ),
  unary(
    "Cos",
    Math.cos,
    unaryRule((b, dy, x) => b.neg(b.mul(dy, b.one("Sin", [x])))),
  ),
  unary(
    "Tan",
    Math.tan,
    unaryRule((b, dy, _, y) => b.mul(dy, b.add(b.mul(y, y), 1))),
    (r, s) => uniform(r, s, -1, 1),
  ),
  unary(
    "Atan",
    Math.atan,
    unaryRule((b, dy, x) => b.div(dy, b.add(b.mul(x, x), 1))),
  ),
  unary("Floor", Math.floor, steps, fractional),
  unary("Ceil", Math.ceil, steps, fractional),
  unary("Round", roundEven, steps, fractional),
  unary("Sign", Math.sign, steps, (r, s) => distinct(r, s), true),
];
