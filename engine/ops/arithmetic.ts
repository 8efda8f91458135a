import type { TypeInfo, Value } from "../ir/value.ts";
import { toFloat32 } from "../tensor/convert.ts";
import { isFloat } from "../tensor/dtype.ts";
import { broadcastOf, num, oneDType, ref, type, typeError } from "./check.ts";
import { defineOp, nonDifferentiable, type OpRow, type OpSample, type RefTensor, type Vjp } from "./define-op.ts";
import { apart, distinct, integers, type Rng, uniform } from "./draw.ts";
import { dyOf, inputOf, outputOf } from "./gradient.ts";
import { broadcast } from "./reference.ts";

type Draw = (rng: Rng, shape: readonly number[]) => RefTensor;

function pairs(rng: Rng, left: Draw, right: Draw): OpSample[] {
  const shapes: [number[], number[]][] = [
    [
      [2, 3],
      [2, 3],
    ],
    [
      [2, 3, 4],
      [3, 1],
    ],
    [[1], [4, 1, 2]],
    [[], [3]],
    [[1, 1], [1]],
    [
      [0, 3],
      [1, 3],
    ],
  ];
  return shapes.map(([a, c]) => ({ inputs: [left(rng, a), right(rng, c)] }));
}

function binary(name: string, f: (a: number, c: number, integer: boolean) => number, vjp: Vjp, samples: OpRow["samples"]): OpRow {
  return defineOp({
    name,
    elementwise: true,
    infer: (inputs): TypeInfo[] => {
      type(name, inputs, 1);
      return [{ dtype: oneDType(name, inputs), shape: broadcastOf(name, inputs) }];
    },
    reference: (inputs) => {
      const [a, c] = [ref(inputs, 0), ref(inputs, 1)];
      const integer = a.dtype !== undefined && !isFloat(a.dtype);
      return [broadcast((x, y) => f(x, y, integer), a, c)];
    },
    vjp,
    samples,
  });
}

const Add = binary(
  "Add",
  (a, c) => a + c,
  (c) => [dyOf(c), dyOf(c)],
  (rng) => [...pairs(rng, uniform, uniform), { inputs: [integers(rng, [2, 1], -5, 5), integers(rng, [3], -5, 5)] }],
);

const Sub = binary(
  "Sub",
  (a, c) => a - c,
  (c) => [dyOf(c), c.needs[1] ? c.b.neg(dyOf(c)) : null],
  (rng) => pairs(rng, uniform, uniform),
);

const Mul = binary(
  "Mul",
  (a, c) => a * c,
  (c) => [c.needs[0] ? c.b.mul(dyOf(c), inputOf(c, 1)) : null, c.needs[1] ? c.b.mul(dyOf(c), inputOf(c, 0)) : null],
  (rng) => pairs(rng, uniform, uniform),
);

const Div = binary(
  "Div",
  (a, c, integer) => (integer ? Math.trunc(a / c) : a / c),
  (c) => {
    const { b } = c;
    const [right, y] = [inputOf(c, 1), outputOf(c, 0)];
    const da = b.div(dyOf(c), right);
    return [c.needs[0] ? da : null, c.needs[1] ? b.neg(b.mul(da, y)) : null];
  },
  (rng) => [...pairs(rng, uniform, (r, s) => apart(r, s, 0.5, 3)), { inputs: [integers(rng, [5], -9, 9), integers(rng, [1], 2, 5)] }],
);

/** A float literal without a zero. */
function hasNoZero(v: Value): boolean {
  if (v.def.kind !== "constant") return false;
  const t = v.def.tensor;
  const numbers = t.dtype === "float64" ? t.data : toFloat32(t);
  return numbers.every((x: number | bigint) => x !== 0);
}

/**
 * d/dx = p·xᵖ⁻¹ and d/dp = xᵖ·log x, both 0 at x = 0 where the formula is 0·∞: for p = 0, and for p ≥ 0. x is replaced there,
 * not the result, so that the second derivative is finite too.
 */
const powRule: Vjp = (c) => {
  const { b } = c;
  const [x, p, y] = [inputOf(c, 0), inputOf(c, 1), outputOf(c, 0)];
  const dy = dyOf(c);
  const zero = b.scalar(0, x.dtype);
  const offZero = (exponent: "Equal" | "GreaterOrEqual") =>
    b.where(b.one("And", [b.one("Equal", [x, zero]), b.one(exponent, [p, zero])]), 1, x);
  const slope = () => b.mul(p, b.pow(hasNoZero(p) ? x : offZero("Equal"), b.sub(p, 1)));
  return [c.needs[0] ? b.mul(dy, slope()) : null, c.needs[1] ? b.mul(dy, b.mul(y, b.log(offZero("GreaterOrEqual")))) : null];
};

const Pow = binary(
  "Pow",
  // As IEEE 754: JavaScript has NaN for 1 to an infinite power.
  (x, p) => (x === 1 || (x === -1 && Math.abs(p) === Infinity) ? 1 : x ** p),
  powRule,
  (rng) =>
    pairs(
      rng,
      (r, s) => uniform(r, s, 0.3, 2),
      (r, s) => uniform(r, s, -2, 3),
    ),
);

function extreme(name: "Max" | "Min", loses: "Less" | "Greater"): OpRow {
  return binary(
    name,
    name === "Max" ? (a, c) => Math.max(a, c) : (a, c) => Math.min(a, c),
    (c) => {
      const { b } = c;
      const [left, right, dy] = [inputOf(c, 0), inputOf(c, 1), dyOf(c)];
      // Equal operands share the gradient, as in ReduceMax.
      const share = () => b.where(b.one("Equal", [left, right]), b.mul(dy, 0.5), dy);
      const own = (a: Value, other: Value) => b.where(b.one(loses, [a, other]), 0, share());
      return [c.needs[0] ? own(left, right) : null, c.needs[1] ? own(right, left) : null];
    },
    (rng) =>
      pairs(
        rng,
        (r, s) => distinct(r, s),
        (r, s) => distinct(r, s, 0.13),
      ),
  );
}

const Mod = defineOp({
  name: "Mod",
  infer: (inputs) => {
    const dtype = oneDType("Mod", inputs);
    if (isFloat(dtype)) throw typeError("Mod", inputs, "integers only");
    type("Mod", inputs, 1);
    return [{ dtype, shape: broadcastOf("Mod", inputs) }];
  },
  reference: (inputs, attrs) => {
    const fmod = num(attrs, "fmod", 0);
    return [broadcast((a, c) => (fmod ? a % c : a - c * Math.floor(a / c)), ref(inputs, 0), ref(inputs, 1))];
  },
  vjp: nonDifferentiable("integers only", "zero"),
  samples: (rng) => [
    { inputs: [integers(rng, [2, 3], -9, 9), integers(rng, [3], 2, 5)] },
    { inputs: [integers(rng, [5], -9, 9), integers(rng, [], -5, -2)] },
    { inputs: [integers(rng, [5], -9, 9), integers(rng, [1], 2, 5)], attrs: { fmod: 1 } },
  ],
});

export const arithmetic: readonly OpRow[] = [Add, Sub, Mul, Div, Pow, extreme("Max", "Less"), extreme("Min", "Greater"), Mod];
