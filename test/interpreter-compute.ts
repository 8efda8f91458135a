import { withGradients } from "../engine/autodiff/with-gradients.ts";
import { AppError } from "../engine/base/errors.ts";
import type { Compute, Feeds } from "../engine/ir/compute.ts";
import type { Graph } from "../engine/ir/value.ts";
import { interpret, toReference } from "../engine/ops/interpret.ts";
import { tensor } from "../engine/tensor/tensor.ts";

/** A Compute that evaluates graphs by the reference interpreter (float64 inside, float32 results): for tests without a runtime. */
export function interpreterCompute(): Compute {
  const run = async (graph: Graph, feeds: Feeds) => {
    const results = interpret(graph, Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, toReference(t)])));
    return Object.fromEntries(
      Object.entries(graph.outputs).map(([name, v]) => {
        const r = results[name];
        if (!r || v.dtype !== "float32") throw new AppError("TEST_COMPUTE", `output ${name} is ${v.dtype}`);
        return [name, tensor("float32", r.shape, Float32Array.from(r.data))];
      }),
    );
  };
  const predictedPeak = { weights: 0, activations: 0, peak: 0 };
  const ready = async (graph: Graph) => ({ strategy: "whole" as const, predictedPeak, run: (feeds: Feeds) => run(graph, feeds) });
  return {
    device: "cpu",
    memory: { wholeBytes: 2 ** 34, keptWeightBytes: 2 ** 33 },
    compile: ready,
    grad: (graph, loss, wrt) => ready(withGradients(graph, loss, wrt)),
    run,
  };
}
