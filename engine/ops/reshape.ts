// Ops that give the same elements another shape, and their broadcast cousins.
import type { Attrs, TypeInfo } from "../ir/value.ts";
import { broadcastShapes, type Shape, sameShape, sizeOf } from "../tensor/shape.ts";
import { axesOf, ints, num, ref, type, typeError } from "./check.ts";
import { defineOp, type OpRow } from "./define-op.ts";
import { uniform } from "./draw.ts";
import { movementRule, sumTo } from "./gradient.ts";
import { at, build, offset, reshaped } from "./reference.ts";

const backToShape = movementRule((c, dy, x) => c.b.reshape(dy, x.shape));

function view(name: string, shapeOf: (t: TypeInfo, attrs: Attrs) => Shape, samples: OpRow["samples"], extra: Partial<OpRow> = {}): OpRow {
  return defineOp({
    name,
    ...extra,
    infer: (inputs, attrs) => {
      const t = type(name, inputs, 0);
      const shape = shapeOf(t, attrs);
      if (shape.some((d) => !Number.isInteger(d) || d < 0) || sizeOf(shape) !== sizeOf(t.shape))
        throw typeError(name, inputs, `the elements do not fill [${shape}]`);
      return [{ dtype: t.dtype, shape }];
    },
    reference: (inputs, attrs) => {
      const x = ref(inputs, 0);
      return [reshaped(x, shapeOf({ dtype: x.dtype ?? "float32", shape: x.shape }, attrs))];
    },
    vjp: backToShape,
    samples,
  });
}

const Reshape = view(
  "Reshape",
  (_, attrs) => ints(attrs, "shape"),
  (rng) => [
    { inputs: [uniform(rng, [2, 6])], attrs: { shape: [3, 4] } },
    { inputs: [uniform(rng, [1, 1])], attrs: { shape: [] } },
    { inputs: [uniform(rng, [0, 3])], attrs: { shape: [2, 0] } },
  ],
  { constInputs: [["shape", "int64"]], onnxAttrs: { allowzero: 1 } },
);

const Flatten = view(
  "Flatten",
  (t, attrs) => {
    const axis = num(attrs, "axis", 1);
    const k = axis < 0 ? axis + t.shape.length : axis;
    return [sizeOf(t.shape.slice(0, k)), sizeOf(t.shape.slice(k))];
  },
  (rng) => [
    { inputs: [uniform(rng, [2, 3, 4])] },
    { inputs: [uniform(rng, [2, 3, 4])], attrs: { axis: -1 } },
    { inputs: [uniform(rng, [3])], attrs: { axis: 0 } },
  ],
);

const Unsqueeze = view(
  "Unsqueeze",
  (t, attrs) => {
    const axes = ints(attrs, "axes");
    const rank = t.shape.length + axes.length;
    const at = new Set(axesOf("Unsqueeze", [t], axes, rank));
    let next = 0;
    return Array.from({ length: rank }, (_, i) => (at.has(i) ? 1 : (t.shape[next++] ?? 1)));
  },
  (rng) => [
    { inputs: [uniform(rng, [2, 3])], attrs: { axes: [0, -1] } },
    { inputs: [uniform(rng, [])], attrs: { axes: [0] } },
    { inputs: [uniform(rng, [4])], attrs: { axes: [1] } },
  ],
  { constInputs: [["axes", "int64"]] },
);

const Squeeze = view(
  "Squeeze",
  (t, attrs) => {
    const gone = new Set(axesOf("Squeeze", [t], ints(attrs, "axes"), t.shape.length));
    return t.shape.filter((_, i) => !gone.has(i));
  },
  (rng) => [
    { inputs: [uniform(rng, [1, 3, 1])], attrs: { axes: [0, 2] } },
    { inputs: [uniform(rng, [1])], attrs: { axes: [-1] } },
    { inputs: [uniform(rng, [1, 2])], attrs: { axes: [0] } },
  ],
  { constInputs: [["axes", "int64"]] },
);

const Transpose = defineOp({
  name: "Transpose",
  infer: (inputs, attrs) => {
    const t = type("Transpose", inputs, 0);
    const perm = ints(attrs, "perm");
    if (perm.length !== t.shape.length) throw typeError("Transpose", inputs, `perm [${perm}] has another rank`);
    if (
      !sameShape(
        [...perm].sort((a, b) => a - b),
        t.shape.map((_, i) => i),
      )
    )
      throw typeError("Transpose", inputs, `perm [${perm}] is no permutation`);
    return [{ dtype: t.dtype, shape: perm.map((p) => t.shape[p] ?? 1) }];
  },
  reference: (inputs, attrs) => {
    const x = ref(inputs, 0);
    const perm = ints(attrs, "perm");
    const from = new Array<number>(perm.length).fill(0);
    return [
      build(
        perm.map((p) => x.shape[p] ?? 1),
        (c) => {
          perm.forEach((p, i) => {
            from[p] = c[i] ?? 0;
          });
          return at(x, from);
        },
      ),
    ];
  },
  vjp: movementRule((c, dy) => {
    const perm = ints(c.attrs, "perm");
    return c.b.transpose(
      dy,
      perm.map((_, i) => perm.indexOf(i)),
    );
  }),
  samples: (rng) => [
    { inputs: [uniform(rng, [2, 3, 4])], attrs: { perm: [2, 0, 1] } },
    { inputs: [uniform(rng, [1, 5])], attrs: { perm: [1, 0] } },
    { inputs: [uniform(rng, [3])], attrs: { perm: [0] } },
    { inputs: [uniform(rng, [0, 2])], attrs: { perm: [1, 0] } },
  ],
});

const Expand = defineOp({
  name: "Expand",
  constInputs: [["shape", "int64"]],
  infer: (inputs, attrs) => {
    const t = type("Expand", inputs, 0);
    const to = ints(attrs, "shape");
    if (!sameShape(broadcastShapes(t.shape, to), to)) throw typeError("Expand", inputs, `does not broadcast to [${to}]`);
    return [{ dtype: t.dtype, shape: to }];
  },
  reference: (inputs, attrs) => {
    const x = ref(inputs, 0);
    return [build(ints(attrs, "shape"), (c) => at(x, c))];
  },
  vjp: movementRule((_, dy) => dy),
  samples: (rng) => [
    { inputs: [uniform(rng, [3, 1])], attrs: { shape: [2, 3, 4] } },
    { inputs: [uniform(rng, [])], attrs: { shape: [2, 2] } },
    { inputs: [uniform(rng, [1])], attrs: { shape: [1] } },
    { inputs: [uniform(rng, [1, 2])], attrs: { shape: [0, 2] } },
  ],
});

const Tile = defineOp({
  name: "Tile",
  constInputs: [["repeats", "int64"]],
  infer: (inputs, attrs) => {
    const t = type("Tile", inputs, 0);
    const repeats = ints(attrs, "repeats");
    if (repeats.length !== t.shape.length) throw typeError("Tile", inputs, `repeats [${repeats}] has another rank`);
    return [{ dtype: t.dtype, shape: t.shape.map((d, i) => d * (repeats[i] ?? 1)) }];
  },
  reference: (inputs, attrs) => {
    const x = ref(inputs, 0);
    const repeats = ints(attrs, "repeats");
    return [
      build(
        x.shape.map((d, i) => d * (repeats[i] ?? 1)),
        (c) =>
          x.data[
            offset(
              x.shape,
              c.map((v, i) => v % (x.shape[i] ?? 1)),
            )
          ] ?? 0,
      ),
    ];
  },
  vjp: movementRule((c, dy, x) => {
    const repeats = ints(c.attrs, "repeats");
    const split = x.shape.flatMap((d, i) => [repeats[i] ?? 1, d]);
    const to = x.shape.flatMap((d) => [1, d]);
    return c.b.reshape(sumTo(c.b, c.b.reshape(dy, split), split, to), x.shape);
  }),
  samples: (rng) => [
    { inputs: [uniform(rng, [2, 3])], attrs: { repeats: [2, 3] } },
    { inputs: [uniform(rng, [1, 3])], attrs: { repeats: [4, 1] } },
    { inputs: [uniform(rng, [2])], attrs: { repeats: [1] } },
  ],
});

export const reshapes: readonly OpRow[] = [Reshape, Flatten, Unsqueeze, Squeeze, Transpose, Expand, Tile];
