import type { Shape } from "../tensor/shape.ts";
import { sizeOf } from "../tensor/shape.ts";
import { f32 } from "../tensor/tensor.ts";
import { ints, num } from "./check.ts";
import type { Vjp } from "./define-op.ts";
import { dyOf, inputOf, outputOf, zerosLike } from "./gradient.ts";
import { build } from "./reference.ts";
import { extent, under, type Window, windowOf } from "./window.ts";

/** The winners' flat indices are the second output: one scatter puts every gradient back. */
export const maxPoolRule: Vjp = (c) => {
  const { b } = c;
  const x = inputOf(c, 0);
  const indices = outputOf(c, 1);
  const flatDy = b.reshape(dyOf(c), [sizeOf(indices.shape)]);
  const flatIndices = b.reshape(indices, [sizeOf(indices.shape)]);
  const zeros = zerosLike(b, [sizeOf(x.shape)], x.dtype);
  return [b.reshape(b.one("ScatterElements", [zeros, flatIndices, flatDy], { axis: 0, reduction: "add" }), x.shape)];
};

/** Equal maxima share the gradient. */
export const globalMaxRule: Vjp = (c) => {
  const { b } = c;
  const [x, y] = [inputOf(c, 0), outputOf(c, 0)];
  const axes = [...x.shape.keys()].slice(2);
  const hit = b.cast(b.one("Equal", [x, y]), x.dtype);
  return [b.mul(hit, b.div(dyOf(c), b.sum(hit, axes)))];
};

/** 1/count of every window, [1,1,…out]: constant except at the borders. */
function inverseCounts(spatial: Shape, out: Shape, w: Window, padsToo: boolean): Float32Array {
  const rank = spatial.length;
  return Float32Array.from(
    build(out, (to) => {
      let count = 1;
      to.forEach((t, i) => {
        let here = 0;
        for (let k = 0; k < (w.kernel[i] ?? 1); k++) {
          const from = under(w, i, t, k);
          const end = (spatial[i] ?? 0) + (padsToo ? (w.pads[i + rank] ?? 0) : 0);
          if (from < end && (padsToo || from >= 0)) here++;
        }
        count *= here;
      });
      return 1 / count;
    }).data,
  );
}

/** dy/count, spread over its window by a transposed convolution with ones, every channel a batch of its own. */
export const averagePoolRule: Vjp = (c) => {
  const { b } = c;
  const x = inputOf(c, 0);
  const dy = dyOf(c);
  const window = windowOf("AveragePool", c.inputs, ints(c.attrs, "kernel_shape"), c.attrs);
  const [n = 1, channels = 1, ...spatial] = x.shape;
  const out = dy.shape.slice(2);
  const rank = spatial.length;
  const counts = inverseCounts(spatial, out, window, num(c.attrs, "count_include_pad", 0) !== 0);
  const first = counts[0] ?? 1;
  const weight = counts.every((v) => v === first) ? b.scalar(first, dy.dtype) : b.cast(b.constant(f32([1, 1, ...out], counts)), dy.dtype);
  const scaled = b.reshape(b.mul(dy, weight), [n * channels, 1, ...out]);
  const ones = b.expand(b.scalar(1, dy.dtype), [1, 1, ...window.kernel]);
  // The windows cover this much; what they cover beyond the input (ceil_mode) is cut, what they miss is padded.
  const cover = out.map((o, i) => (o - 1) * (window.strides[i] ?? 1) + extent(window, i));
  const spread = b.one("ConvTranspose", [scaled, ones], { strides: window.strides, dilations: window.dilations, group: 1 });
  const before = window.pads.slice(0, rank).map((p) => -p);
  const after = spatial.map((d, i) => d + (window.pads[i] ?? 0) - (cover[i] ?? 0));
  const pads = [0, 0, ...before, 0, 0, ...after];
  const fitted = pads.every((p) => p === 0) ? spread : b.one("Pad", [spread], { mode: "constant", pads, value: 0 });
  return [b.reshape(fitted, x.shape)];
};
