import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/value.ts";
import { choice, ints, num, ref, type, typeError } from "./check.ts";
import { defineOp, type OpRow } from "./define-op.ts";
import { uniform } from "./draw.ts";
import { movementRule } from "./gradient.ts";
import { at, build } from "./reference.ts";
import { padAxis, reverse } from "./slice.ts";

const MODES = ["constant", "edge", "reflect"] as const;

/** The source index of padded index `i`, or -1 for the constant. */
function source(i: number, d: number, mode: (typeof MODES)[number]): number {
  if (i >= 0 && i < d) return i;
  if (mode === "constant") return -1;
  if (mode === "edge") return i < 0 ? 0 : d - 1;
  return i < 0 ? -i : 2 * (d - 1) - i;
}

/** Adds what the padding of one axis copied back to where it came from. */
function foldAxis(b: Builder, g: Value, axis: number, d: number, before: number, after: number, mode: "edge" | "reflect"): Value {
  let out = b.slice(g, axis, before, before + d);
  const fold = (start: number, length: number, left: boolean): Value => {
    const part = b.slice(g, axis, start, start + length);
    if (mode === "edge") {
      const sum = b.sum(part, [axis]);
      return left ? padAxis(b, sum, axis, 0, d - 1) : padAxis(b, sum, axis, d - 1, 0);
    }
    const mirrored = reverse(b, part, axis);
    return left ? padAxis(b, mirrored, axis, 1, d - 1 - length) : padAxis(b, mirrored, axis, d - 1 - length, 1);
  };
  if (before > 0) out = b.add(out, fold(0, before, true));
  if (after > 0) out = b.add(out, fold(before + d, after, false));
  return out;
}

const Pad = defineOp({
  name: "Pad",
  constInputs: [
    ["pads", "int64"],
    ["value", "same"],
  ],
  infer: (inputs, attrs) => {
    const t = type("Pad", inputs, 0);
    const pads = ints(attrs, "pads");
    const rank = t.shape.length;
    const mode = choice(attrs, "mode", MODES);
    if (pads.length !== 2 * rank) throw typeError("Pad", inputs, `pads [${pads}] must hold ${2 * rank} numbers`);
    const shape = t.shape.map((d, i) => {
      const [before, after] = [pads[i] ?? 0, pads[i + rank] ?? 0];
      if (mode !== "constant" && (before < 0 || after < 0)) throw typeError("Pad", inputs, `negative pads with mode ${mode}`);
      if (mode === "reflect" && Math.max(before, after) >= Math.max(1, d))
        throw typeError("Pad", inputs, `axis ${i} is too short to reflect`);
      return d + before + after;
    });
    if (shape.some((d) => d < 0)) throw typeError("Pad", inputs, `pads [${pads}] cut away more than there is`);
    return [{ dtype: t.dtype, shape }];
  },
  reference: (inputs, attrs) => {
    const x = ref(inputs, 0);
    const pads = ints(attrs, "pads");
    const mode = choice(attrs, "mode", MODES);
    const rank = x.shape.length;
    const shape = x.shape.map((d, i) => d + (pads[i] ?? 0) + (pads[i + rank] ?? 0));
    return [
      build(shape, (c) => {
        const from = c.map((v, i) => source(v - (pads[i] ?? 0), x.shape[i] ?? 1, mode));
        return from.includes(-1) ? num(attrs, "value", 0) : at(x, from);
      }),
    ];
  },
  vjp: movementRule((c, dy, x) => {
    const { b } = c;
    const pads = ints(c.attrs, "pads");
    const mode = choice(c.attrs, "mode", MODES);
    const rank = x.shape.length;
    if (pads.some((p) => p < 0)) return b.one("Pad", [dy], { mode: "constant", pads: pads.map((p) => -p), value: 0 });
    let g = dy;
    x.shape.forEach((d, axis) => {
      const [before, after] = [pads[axis] ?? 0, pads[axis + rank] ?? 0];
      if (before === 0 && after === 0) return;
      g = mode === "constant" ? b.slice(g, axis, before, before + d) : foldAxis(b, g, axis, d, before, after, mode);
    });
    return g;
  }),
  samples: (rng) => [
    { inputs: [uniform(rng, [2, 3])], attrs: { mode: "constant", pads: [1, 0, 2, 3], value: 0.5 } },
    { inputs: [uniform(rng, [3, 4])], attrs: { mode: "constant", pads: [-1, 1, 0, -2], value: 0 } },
    { inputs: [uniform(rng, [2, 3])], attrs: { mode: "edge", pads: [2, 1, 0, 2] } },
    { inputs: [uniform(rng, [3, 4])], attrs: { mode: "reflect", pads: [2, 1, 1, 3] } },
    { inputs: [uniform(rng, [1, 1])], attrs: { mode: "edge", pads: [1, 1, 1, 1] } },
    { inputs: [uniform(rng, [0, 2])], attrs: { mode: "constant", pads: [1, 0, 0, 0], value: 2 } },
  ],
});

export const pads: readonly OpRow[] = [Pad];
