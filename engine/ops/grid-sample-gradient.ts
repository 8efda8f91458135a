// Bilinear sampling y = Σ over the four neighbours of weight·x. Neighbours are addressed as rows of x laid out [N·H·W, C].
import type { Builder } from "../ir/builder.ts";
import type { Attrs, Value } from "../ir/value.ts";
import { sizeOf } from "../tensor/shape.ts";
import { tensor } from "../tensor/tensor.ts";
import { choice, num } from "./check.ts";
import type { Vjp } from "./define-op.ts";
import { scatterAdd } from "./gather.ts";
import { dyOf, inputOf } from "./gradient.ts";

/** One axis of the grid in pixels: lower neighbour, distance to it, and d pixel / d grid. */
interface Axis {
  readonly low: Value;
  readonly fraction: Value;
  readonly slope: Value | number;
  readonly size: number;
}

function pixelAxis(b: Builder, grid: Value, which: 0 | 1, size: number, attrs: Attrs): Axis {
  const g = b.reshape(b.slice(grid, 3, which, which + 1), [sizeOf(grid.shape) / 2, 1]);
  const aligned = num(attrs, "align_corners", 0) !== 0;
  const factor = aligned ? (size - 1) / 2 : size / 2;
  const free = b.add(b.mul(g, factor), (size - 1) / 2);
  if (choice(attrs, "padding_mode", ["zeros", "border"]) === "zeros") {
    const low = b.one("Floor", [free]);
    return { low, fraction: b.sub(free, low), slope: factor, size };
  }
  const clamped = b.one("Clip", [free], { min: 0, max: size - 1 });
  const low = b.one("Floor", [clamped]);
  const inside = b.cast(b.one("Equal", [free, clamped]), grid.dtype);
  return { low, fraction: b.sub(clamped, low), slope: b.mul(inside, factor), size };
}

/** The neighbour `low + step`: index clamped into the picture, and 1 or 0 for inside or outside. */
function neighbour(b: Builder, a: Axis, step: 0 | 1): { index: Value; inside: Value } {
  const at = step ? b.add(a.low, 1) : a.low;
  const index = b.one("Clip", [at], { min: 0, max: a.size - 1 });
  return { index, inside: b.cast(b.one("Equal", [at, index]), a.low.dtype) };
}

export const gridSampleRule: Vjp = (c) => {
  const { b } = c;
  const [x, grid] = [inputOf(c, 0), inputOf(c, 1)];
  const [n = 1, channels = 1, h = 1, w = 1] = x.shape;
  const count = sizeOf(grid.shape) / 2;
  const horizontal = pixelAxis(b, grid, 0, w, c.attrs);
  const vertical = pixelAxis(b, grid, 1, h, c.attrs);
  // First row of each sample of the batch, one per grid point.
  const first = b.constant(
    tensor(
      "int64",
      [count, 1],
      BigInt64Array.from({ length: count }, (_, i) => BigInt(Math.floor(i / (count / n)) * h * w)),
    ),
  );
  const dyRows = b.reshape(b.transpose(dyOf(c), [0, 2, 3, 1]), [count, channels]);
  const corners = ([0, 1] as const).flatMap((dy) =>
    ([0, 1] as const).map((dx) => {
      const [py, px] = [neighbour(b, vertical, dy), neighbour(b, horizontal, dx)];
      const plane = b.add(b.mul(b.cast(py.index, "int64"), w), b.cast(px.index, "int64"));
      return {
        row: b.add(plane, first),
        inside: b.mul(py.inside, px.inside),
        wx: dx ? horizontal.fraction : b.sub(1, horizontal.fraction),
        wy: dy ? vertical.fraction : b.sub(1, vertical.fraction),
        signX: dx ? 1 : -1,
        signY: dy ? 1 : -1,
      };
    }),
  );
  const dx = () => {
    const indices = b.concat(
      corners.map((k) => k.row),
      0,
    );
    const updates = b.concat(
      corners.map((k) => b.mul(dyRows, b.mul(k.inside, b.mul(k.wx, k.wy)))),
      0,
    );
    const rows = scatterAdd(b, [n * h * w, channels], indices, updates);
    return b.transpose(b.reshape(rows, [n, h, w, channels]), [0, 3, 1, 2]);
  };
  const dGrid = () => {
    const rows = b.reshape(b.transpose(x, [0, 2, 3, 1]), [n * h * w, channels]);
    let [gx, gy]: [Value | null, Value | null] = [null, null];
    for (const k of corners) {
      const picked = b.gather(rows, b.reshape(k.row, [count]), 0);
      const along = b.mul(b.sum(b.mul(picked, dyRows), [1]), k.inside);
      const [ax, ay] = [b.mul(along, b.mul(k.wy, k.signX)), b.mul(along, b.mul(k.wx, k.signY))];
      gx = gx ? b.add(gx, ax) : ax;
      gy = gy ? b.add(gy, ay) : ay;
    }
    if (!gx || !gy) return null;
    return b.reshape(b.concat([b.mul(gx, horizontal.slope), b.mul(gy, vertical.slope)], 1), grid.shape);
  };
  return [c.needs[0] ? dx() : null, c.needs[1] ? dGrid() : null];
};
