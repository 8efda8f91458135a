// Sliding windows shared by convolution and pooling.
import type { Attrs } from "../ir/value.ts";
import type { Shape } from "../tensor/shape.ts";
import { ints, num, type Types, typeError } from "./check.ts";

/** A window over n spatial axes, everything explicit. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Before each axis, then after each axis, as in ONNX. */
  readonly pads: readonly number[];
}

/** Reads strides, dilations and pads with their ONNX defaults. */
export function windowOf(op: string, inputs: Types, kernel: Shape, attrs: Attrs): Window {
  const n = kernel.length;
  const ones = kernel.map(() => 1);
  const window = {
    kernel,
    strides: ints(attrs, "strides", ones),
    dilations: ints(attrs, "dilations", ones),
    pads: ints(attrs, "pads", [...ones, ...ones].fill(0)),
  };
  if (window.strides.length !== n || window.dilations.length !== n || window.pads.length !== 2 * n)
    throw typeError(op, inputs, `strides, dilations and pads must fit ${n} spatial axes`);
  if ([...kernel, ...window.strides, ...window.dilations].some((v) => v < 1))
    throw typeError(op, inputs, "kernel, strides and dilations start at 1");
  if (window.pads.some((p) => p < 0)) throw typeError(op, inputs, "negative pads");
  return window;
}

/** Extent of the dilated kernel on axis `i`. */
export function extent(w: Window, i: number): number {
  return ((w.kernel[i] ?? 1) - 1) * (w.dilations[i] ?? 1) + 1;
}

/** Output size on each spatial axis. `ceilMode`: a last window may start inside the input but not end in it. */
export function slideShape(op: string, inputs: Types, spatial: Shape, w: Window, ceilMode = false): number[] {
  const n = spatial.length;
  return spatial.map((d, i) => {
    const [before, after] = [w.pads[i] ?? 0, w.pads[i + n] ?? 0];
    const stride = w.strides[i] ?? 1;
    const room = d + before + after - extent(w, i);
    if (room < 0) throw typeError(op, inputs, `the window does not fit axis ${i}`);
    if (!ceilMode) return Math.floor(room / stride) + 1;
    const out = Math.ceil(room / stride) + 1;
    return (out - 1) * stride >= d + before ? out - 1 : out;
  });
}

/** The input coordinate under kernel element `k` of output `o` on axis `i`; may lie in the padding. */
export function under(w: Window, i: number, o: number, k: number): number {
  return o * (w.strides[i] ?? 1) + k * (w.dilations[i] ?? 1) - (w.pads[i] ?? 0);
}

/** Whether pooling rounds sizes up. */
export function ceils(attrs: Attrs): boolean {
  return num(attrs, "ceil_mode", 0) !== 0;
}
