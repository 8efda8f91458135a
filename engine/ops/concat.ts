import { axisOf, ints, num, oneDType, ref, type, typeError } from "./check.ts";
import { defineOp, type OpRow } from "./define-op.ts";
import { uniform } from "./draw.ts";
import { zerosLike } from "./gradient.ts";
import { at, build, put } from "./reference.ts";

const Concat = defineOp({
  name: "Concat",
  infer: (inputs, attrs) => {
    const first = type("Concat", inputs, 0);
    const axis = axisOf("Concat", inputs, num(attrs, "axis"), first.shape.length);
    const shape = [...first.shape];
    shape[axis] = 0;
    inputs.forEach((_, i) => {
      const t = type("Concat", inputs, i);
      if (t.shape.length !== shape.length || t.shape.some((d, k) => k !== axis && d !== shape[k]))
        throw typeError("Concat", inputs, `shapes differ outside axis ${axis}`);
      shape[axis] = (shape[axis] ?? 0) + (t.shape[axis] ?? 0);
    });
    return [{ dtype: oneDType("Concat", inputs), shape }];
  },
  reference: (inputs, attrs) => {
    const parts = inputs.map((_, i) => ref(inputs, i));
    const shape = [...(parts[0]?.shape ?? [])];
    const axis = axisOf("Concat", [], num(attrs, "axis"), shape.length);
    shape[axis] = parts.reduce((n, p) => n + (p.shape[axis] ?? 0), 0);
    return [
      build(shape, (c) => {
        let k = c[axis] ?? 0;
        for (const p of parts) {
          const d = p.shape[axis] ?? 0;
          // Not broadcast: a part of size 1 is indexed as 0 anyway.
          if (k < d) return at(p, put(c, axis, k));
          k -= d;
        }
        return Number.NaN;
      }),
    ];
  },
  vjp: (c) => {
    const [dy] = c.dys;
    const [y] = c.outputs;
    if (!dy || !y) return [];
    const axis = axisOf("Concat", c.inputs, num(c.attrs, "axis"), y.shape.length);
    const sizes = c.inputs.map((x) => x?.shape[axis] ?? 0);
    if (c.needs.every(Boolean)) return c.b.split(dy, sizes, axis);
    let start = 0;
    return sizes.map((d, i) => {
      const at = start;
      start += d;
      return c.needs[i] ? c.b.slice(dy, axis, at, at + d) : null;
    });
  },
  samples: (rng) => [
    { inputs: [uniform(rng, [2, 3]), uniform(rng, [2, 1]), uniform(rng, [2, 4])], attrs: { axis: 1 } },
    { inputs: [uniform(rng, [1, 2, 2]), uniform(rng, [3, 2, 2])], attrs: { axis: -3 } },
    { inputs: [uniform(rng, [2]), uniform(rng, [0])], attrs: { axis: 0 } },
  ],
});

const Split = defineOp({
  name: "Split",
  constInputs: [["split", "int64"]],
  infer: (inputs, attrs) => {
    const t = type("Split", inputs, 0);
    const axis = axisOf("Split", inputs, num(attrs, "axis", 0), t.shape.length);
    const sizes = ints(attrs, "split");
    if (sizes.reduce((a, d) => a + d, 0) !== t.shape[axis]) throw typeError("Split", inputs, `[${sizes}] does not sum to axis ${axis}`);
    return sizes.map((d) => ({ dtype: t.dtype, shape: put(t.shape, axis, d) }));
  },
  reference: (inputs, attrs) => {
    const x = ref(inputs, 0);
    const axis = axisOf("Split", [], num(attrs, "axis", 0), x.shape.length);
    let start = 0;
    return ints(attrs, "split").map((d) => {
      const from = start;
      start += d;
      return build(put(x.shape, axis, d), (c) => at(x, put(c, axis, from + (c[axis] ?? 0))));
    });
  },
  vjp: (c) => {
    const [x] = c.inputs;
    if (!x) return [];
    const parts = c.outputs.map((y, i) => c.dys[i] ?? zerosLike(c.b, y.shape, y.dtype));
    return [c.b.concat(parts, num(c.attrs, "axis", 0))];
  },
  samples: (rng) => [
    { inputs: [uniform(rng, [2, 7])], attrs: { axis: 1, split: [3, 1, 3] } },
    { inputs: [uniform(rng, [4, 2])], attrs: { axis: -2, split: [2, 2] } },
    { inputs: [uniform(rng, [3])], attrs: { axis: 0, split: [3, 0] } },
  ],
});

export const concats: readonly OpRow[] = [Concat, Split];
