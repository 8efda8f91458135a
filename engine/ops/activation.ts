import type { Attrs } from "../ir/value.ts";
import { broadcastShapes, sameShape } from "../tensor/shape.ts";
import { choice, floatType, num, oneDType, ref, type, typeError } from "./check.ts";
import { defineOp, type OpRow, type OpSample, type Vjp } from "./define-op.ts";
import { apart, type Rng, uniform } from "./draw.ts";
import { erf } from "./erf.ts";
import { dyOf, inputOf, unaryRule, zerosLike } from "./gradient.ts";
import { broadcast } from "./reference.ts";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

function activation(
  name: string,
  f: (x: number, attrs: Attrs) => number,
  vjp: Vjp,
  variants: readonly Attrs[] = [{}],
  domain?: string,
): OpRow {
  return defineOp({
    name,
    ...(domain === undefined ? {} : { domain }),
    elementwise: true,
    infer: (inputs) => {
      const t = floatType(name, inputs, 0);
      return [{ dtype: t.dtype, shape: t.shape }];
    },
    reference: (inputs, attrs) => [broadcast((x) => f(x, attrs), ref(inputs, 0))],
    vjp,
    samples: (rng: Rng): OpSample[] =>
      variants.flatMap((attrs) => [[2, 3, 4], [7], [], [0, 2]].map((shape) => ({ inputs: [apart(rng, shape, 0.02, 2.5)], attrs }))),
  });
}

/** x·σ(αx): dy·(s + αy(1−s)). */
const quickGelu: Vjp = unaryRule((b, dy, x, y, c) => {
  const alpha = num(c.attrs, "alpha", 1.702);
  const s = b.sigmoid(b.mul(x, alpha));
  const ay = b.mul(y, alpha);
  return b.mul(dy, b.add(s, b.sub(ay, b.mul(ay, s))));
});

/**
 * tanh form: y = x·s with s = σ(2u), u = c(x + kx³), so y' = s + y(1−s)·2u' — six fewer operations than through tanh.
 * erf form: Φ(x) + xφ(x), and Φ(x) = (1 + erf(x/√2))/2.
 */
const geluRule: Vjp = unaryRule((b, dy, x, y, c) => {
  if (choice(c.attrs, "approximate", ["none", "tanh"]) === "none") {
    const phi = b.mul(b.exp(b.mul(b.mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    const cdf = b.add(b.mul(b.one("Erf", [b.mul(x, Math.SQRT1_2)]), 0.5), 0.5);
    return b.mul(dy, b.add(cdf, b.mul(x, phi)));
  }
  const c2 = 2 * Math.sqrt(2 / Math.PI);
  const q = b.add(b.mul(b.mul(x, x), 0.044715 * c2), c2);
  const s = b.sigmoid(b.mul(x, q));
  const t = b.mul(y, b.sub(b.mul(q, 3), 2 * c2));
  return b.mul(dy, b.add(s, b.sub(t, b.mul(t, s))));
});

function gelu(x: number, attrs: Attrs): number {
  if (choice(attrs, "approximate", ["none", "tanh"]) === "none") return 0.5 * x * (1 + erf(x * Math.SQRT1_2));
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

const Clip = defineOp({
  name: "Clip",
  elementwise: true,
  constInputs: [
    ["min", "same"],
    ["max", "same"],
  ],
  infer: (inputs) => {
    const t = type("Clip", inputs, 0);
    return [{ dtype: t.dtype, shape: t.shape }];
  },
  reference: (inputs, attrs) => {
    const [lo, hi] = [num(attrs, "min", -Infinity), num(attrs, "max", Infinity)];
    return [broadcast((x) => Math.min(hi, Math.max(lo, x)), ref(inputs, 0))];
  },
  // The bounds belong to the inside: a value on one can move back. Bounds the wrong way round make a constant.
  vjp: unaryRule((b, dy, x, y, { attrs }) =>
    num(attrs, "min", -Infinity) > num(attrs, "max", Infinity) ? zerosLike(b, x.shape, x.dtype) : b.where(b.one("Equal", [x, y]), dy, 0),
  ),
  samples: (rng) => [
    { inputs: [uniform(rng, [3, 4])], attrs: { min: -0.51, max: 0.73 } },
    { inputs: [uniform(rng, [5])], attrs: { min: 0.11 } },
    { inputs: [uniform(rng, [])], attrs: { max: 0.12 } },
    { inputs: [uniform(rng, [0, 2])], attrs: {} },
  ],
});

const PRelu = defineOp({
  name: "PRelu",
  elementwise: true,
  infer: (inputs) => {
    const [x, slope] = [floatType("PRelu", inputs, 0), floatType("PRelu", inputs, 1)];
    const dtype = oneDType("PRelu", inputs);
    if (!sameShape(broadcastShapes(x.shape, slope.shape), x.shape)) throw typeError("PRelu", inputs, "slope must broadcast to x");
    return [{ dtype, shape: x.shape }];
  },
  reference: (inputs) => [broadcast((x, s) => (x < 0 ? s * x : x), ref(inputs, 0), ref(inputs, 1))],
  vjp: (c) => {
    const { b } = c;
    const [x, slope] = [inputOf(c, 0), inputOf(c, 1)];
    const dy = dyOf(c);
    const positive = b.one("Greater", [x, b.scalar(0, x.dtype)]);
    return [c.needs[0] ? b.mul(dy, b.where(positive, 1, slope)) : null, c.needs[1] ? b.mul(dy, b.min(x, 0)) : null];
  },
  samples: (rng) => [
    { inputs: [apart(rng, [2, 3, 4]), uniform(rng, [3, 1], 0, 0.5)] },
    { inputs: [apart(rng, [2, 3]), uniform(rng, [2, 3], 0, 0.5)] },
    { inputs: [apart(rng, [1, 4]), uniform(rng, [1], 0, 0.5)] },
  ],
});

const hardSigmoid = (x: number, a: Attrs): number => Math.min(1, Math.max(0, num(a, "alpha", 0.2) * x + num(a, "beta", 0.5)));

export const activations: readonly OpRow[] = [
  activation(
    "Tanh",
    Math.tanh,
    unaryRule((b, dy, _, y) => b.mul(dy, b.sub(1, b.mul(y, y)))),
  ),
  activation(
    "Sigmoid",
    sigmoid,
    unaryRule((b, dy, _, y) => b.mul(dy, b.sub(y, b.mul(y, y)))),
  ),
  activation(
    "Relu",
    (x) => Math.max(0, x),
    unaryRule((b, dy, _, y) => b.mul(dy, b.one("Sign", [y]))),
  ),
  activation(
    "LeakyRelu",
    (x, a) => (x < 0 ? num(a, "alpha", 0.01) * x : x),
    unaryRule((b, dy, x, _, c) => b.where(b.one("Greater", [x, b.scalar(0, x.dtype)]), dy, b.mul(dy, num(c.attrs, "alpha", 0.01)))),
    [{}, { alpha: 0.2 }],
  ),
  activation(
    "Elu",
    (x, a) => (x < 0 ? num(a, "alpha", 1) * Math.expm1(x) : x),
    unaryRule((b, dy, x, y, c) => b.mul(dy, b.where(b.one("Greater", [x, b.scalar(0, x.dtype)]), 1, b.add(y, num(c.attrs, "alpha", 1))))),
    [{}, { alpha: 0.5 }],
  ),
  activation(
    "HardSigmoid",
    hardSigmoid,
    unaryRule((b, dy, _, y, c) => b.mul(dy, b.mul(b.one("Sign", [b.mul(y, b.sub(1, y))]), num(c.attrs, "alpha", 0.2)))),
    [{}, { alpha: 0.31, beta: 0.45 }],
  ),
  activation(
    "HardSwish",
    (x) => x * Math.min(1, Math.max(0, x / 6 + 0.5)),
    // h + x·h' with h = HardSigmoid(1/6, 1/2); h' = 1/6 strictly inside (0, 1). Outside, x may be infinite: any bound does.
    unaryRule((b, dy, x) => {
      const h = b.one("HardSigmoid", [x], { alpha: 1 / 6, beta: 0.5 });
      const inside = b.one("Sign", [b.mul(h, b.sub(1, h))]);
      return b.mul(dy, b.add(h, b.mul(b.mul(b.one("Clip", [x], { min: -3, max: 3 }), inside), 1 / 6)));
    }),
  ),
  activation(
    "Softplus",
    softplus,
    unaryRule((b, dy, x) => b.mul(dy, b.sigmoid(x))),
  ),
  activation(
    "Mish",
    (x) => x * Math.tanh(softplus(x)),
    unaryRule((b, dy, x) => {
      const t = b.tanh(b.one("Softplus", [x]));
      return b.mul(dy, b.add(t, b.mul(b.mul(x, b.sigmoid(x)), b.sub(1, b.mul(t, t)))));
    }),
  ),
  activation("Gelu", gelu, geluRule, [{ approximate: "none" }, { approximate: "tanh" }]),
  activation("QuickGelu", (x, a) => x * sigmoid(num(a, "alpha", 1.702) * x), quickGelu, [{}, { alpha: 1 }], "com.microsoft"),
  Clip,
  PRelu,
];
