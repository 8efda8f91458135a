import { AppError } from "../../engine/base/errors.ts";
import type { Builder } from "../../engine/ir/builder.ts";
import type { Compute } from "../../engine/ir/compute.ts";
import type { Graph, Value } from "../../engine/ir/value.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import { expectDType, f32 } from "../../engine/tensor/tensor.ts";
import { planes } from "../shared/faces/crop-face.ts";

/** One evaluation: [size, size, 3] pixels in 0..1 to the network's outputs, flat. */
export type Look = (pixels: Float32Array) => Promise<(output: string) => Float32Array>;

/** A network that looks at one square picture [1, 3, size, size] at a time, so that one session serves every picture. */
export interface SquareNet {
  readonly size: number;
  open(compute: Compute): Promise<Look>;
}

/** Wraps a network; its graph is built when it is first needed. */
export function squareNet(size: number, build: (b: Builder, x: Value) => Readonly<Record<string, Value>>): SquareNet {
  let graph: Graph | undefined;
  return {
    size,
    async open(compute) {
      if (!graph) {
        const b = newBuilder();
        graph = b.graph(build(b, b.input("picture", "float32", [1, 3, size, size])));
      }
      const net = await compute.compile(graph);
      return async (pixels) => {
        const results = await net.run({ picture: f32([1, 3, size, size], planes(pixels)) });
        return (output) => {
          const t = results[output];
          if (!t) throw new AppError("FACE_NET", `the network has no output ${output}`);
          return expectDType(t, "float32", output);
        };
      };
    },
  };
}
