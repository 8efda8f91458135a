import type { Attrs, TypeInfo } from "../ir/value.ts";
import type { Shape } from "../tensor/shape.ts";
import { floatType, ints, num, oneDType, ref, type Types, typeError } from "./check.ts";
import { convRule, convTransposeRule } from "./conv-gradient.ts";
import { defineOp, type OpRow } from "./define-op.ts";
import { uniform } from "./draw.ts";
import { at, build, flat, offset } from "./reference.ts";
import { extent, slideShape, under, type Window, windowOf } from "./window.ts";

function parts(op: string, inputs: Types): { x: TypeInfo; w: TypeInfo } {
  const [x, w] = [floatType(op, inputs, 0), floatType(op, inputs, 1)];
  if (x.shape.length < 3 || w.shape.length !== x.shape.length) throw typeError(op, inputs, "needs x [N,C,…] and w of the same rank");
  oneDType(op, inputs);
  return { x, w };
}

function checkBias(op: string, inputs: Types, channels: number): void {
  const bias = inputs[2];
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== channels)) throw typeError(op, inputs, `the bias must be [${channels}]`);
}

const Conv = defineOp({
  name: "Conv",
  infer: (inputs, attrs) => {
    const { x, w } = parts("Conv", inputs);
    const group = num(attrs, "group", 1);
    const [m = 0, perGroup = 0] = w.shape;
    if (perGroup * group !== x.shape[1] || m % group !== 0) throw typeError("Conv", inputs, `channels do not fit ${group} group(s)`);
    checkBias("Conv", inputs, m);
    const window = windowOf("Conv", inputs, w.shape.slice(2), attrs);
    return [{ dtype: x.dtype, shape: [x.shape[0] ?? 1, m, ...slideShape("Conv", inputs, x.shape.slice(2), window)] }];
  },
  reference: (inputs, attrs) => {
    const [x, w] = [ref(inputs, 0), ref(inputs, 1)];
    const bias = inputs[2];
    const window = windowOf("Conv", [], w.shape.slice(2), attrs);
    const group = num(attrs, "group", 1);
    const [m = 1, perGroup = 1] = w.shape;
    const shape = [x.shape[0] ?? 1, m, ...slideShape("Conv", [], x.shape.slice(2), window)];
    return [
      build(shape, (c) => {
        const [n = 0, o = 0, ...to] = c;
        const first = Math.floor(o / (m / group)) * perGroup;
        let sum = bias ? flat(bias, o) : 0;
        build([perGroup, ...window.kernel], (k) => {
          const from = to.map((t, i) => under(window, i, t, k[i + 1] ?? 0));
          if (from.every((f, i) => f >= 0 && f < (x.shape[i + 2] ?? 0))) sum += at(x, [n, first + (k[0] ?? 0), ...from]) * at(w, [o, ...k]);
          return 0;
        });
        return sum;
      }),
    ];
  },
  vjp: convRule,
  samples: (rng) => [
    { inputs: [uniform(rng, [1, 2, 5, 4]), uniform(rng, [3, 2, 3, 3]), uniform(rng, [3])], attrs: { pads: [1, 1, 1, 1] } },
    { inputs: [uniform(rng, [2, 4, 6, 5]), uniform(rng, [4, 2, 3, 2])], attrs: { group: 2, strides: [2, 1], pads: [0, 1, 1, 0] } },
    {
      inputs: [uniform(rng, [1, 3, 7, 7]), uniform(rng, [3, 1, 2, 3]), uniform(rng, [3])],
      attrs: { group: 3, dilations: [2, 1], strides: [2, 3] },
    },
    { inputs: [uniform(rng, [2, 2, 6]), uniform(rng, [2, 2, 3])], attrs: { strides: [2], pads: [1, 0] } },
    { inputs: [uniform(rng, [2, 3, 2, 2]), uniform(rng, [4, 3, 1, 1]), uniform(rng, [4])] },
    { inputs: [uniform(rng, [1, 1, 1, 1]), uniform(rng, [1, 1, 1, 1])] },
  ],
});

function transposedShape(spatial: Shape, window: Window, attrs: Attrs): number[] {
  const extra = ints(
    attrs,
    "output_padding",
    spatial.map(() => 0),
  );
  const n = spatial.length;
  return spatial.map(
    (d, i) => (d - 1) * (window.strides[i] ?? 1) + extent(window, i) - (window.pads[i] ?? 0) - (window.pads[i + n] ?? 0) + (extra[i] ?? 0),
  );
}

const ConvTranspose = defineOp({
  name: "ConvTranspose",
  infer: (inputs, attrs) => {
    const { x, w } = parts("ConvTranspose", inputs);
    const group = num(attrs, "group", 1);
    const [c = 0, perGroup = 0] = w.shape;
    if (c !== x.shape[1] || c % group !== 0) throw typeError("ConvTranspose", inputs, `channels do not fit ${group} group(s)`);
    checkBias("ConvTranspose", inputs, perGroup * group);
    const window = windowOf("ConvTranspose", inputs, w.shape.slice(2), attrs);
    const spatial = transposedShape(x.shape.slice(2), window, attrs);
    if (spatial.some((d) => d < 1)) throw typeError("ConvTranspose", inputs, "the pads cut everything away");
    return [{ dtype: x.dtype, shape: [x.shape[0] ?? 1, perGroup * group, ...spatial] }];
  },
  reference: (inputs, attrs) => {
    const [x, w] = [ref(inputs, 0), ref(inputs, 1)];
    const bias = inputs[2];
    const window = windowOf("ConvTranspose", [], w.shape.slice(2), attrs);
    const group = num(attrs, "group", 1);
    const [c = 1, perGroup = 1] = w.shape;
    const spatial = transposedShape(x.shape.slice(2), window, attrs);
    const shape = [x.shape[0] ?? 1, perGroup * group, ...spatial];
    const out = build(shape, (o) => (bias ? flat(bias, o[1] ?? 0) : 0));
    build(x.shape, (from, i) => {
      const [n = 0, ic = 0, ...at0] = from;
      const first = Math.floor(ic / (c / group)) * perGroup;
      build([perGroup, ...window.kernel], (k) => {
        const to = at0.map((t, a) => under(window, a, t, k[a + 1] ?? 0));
        if (!to.every((t, a) => t >= 0 && t < (spatial[a] ?? 0))) return 0;
        const o = offset(shape, [n, first + (k[0] ?? 0), ...to]);
        out.data[o] = (out.data[o] ?? 0) + flat(x, i) * at(w, [ic, ...k]);
        return 0;
      });
      return 0;
    });
    return [out];
  },
  vjp: convTransposeRule,
  samples: (rng) => [
    { inputs: [uniform(rng, [1, 2, 3, 4]), uniform(rng, [2, 3, 3, 3]), uniform(rng, [3])], attrs: { pads: [1, 1, 1, 1], strides: [2, 2] } },
    { inputs: [uniform(rng, [2, 4, 3, 3]), uniform(rng, [4, 2, 2, 3])], attrs: { group: 2, strides: [2, 3], output_padding: [1, 2] } },
    { inputs: [uniform(rng, [1, 2, 5]), uniform(rng, [2, 2, 3])], attrs: { dilations: [2], pads: [1, 0] } },
    { inputs: [uniform(rng, [1, 1, 1, 1]), uniform(rng, [1, 1, 1, 1])] },
  ],
});

export const convolutions: readonly OpRow[] = [Conv, ConvTranspose];
