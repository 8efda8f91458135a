import { describe, expect, it } from "vitest";
import { apartness } from "../../test/oracle.ts";
import { randomGraph } from "../../test/random-graph.ts";
import { randomSource } from "../base/random.ts";
import type { Graph, Value } from "../ir/value.ts";
import type { RefTensor } from "../ops/define-op.ts";
import { interpret } from "../ops/interpret.ts";
import { newBuilder, OPS, opRow } from "../ops/table.ts";
import { emitOnnx, inputName, outputName } from "./emit.ts";
import { importOnnx } from "./import.ts";

/** Writes a graph as ONNX, reads it back, and evaluates both. */
function throughOnnx(graph: Graph, feeds: Record<string, RefTensor>): void {
  const module = importOnnx(emitOnnx(graph, opRow).model);
  const b = newBuilder();
  const inputs = Object.fromEntries(module.inputs.map((i) => [i.name, b.input(i.name, i.dtype, i.shape.map(Number))]));
  const named = Object.fromEntries(Object.entries(feeds).map(([name, t]) => [inputName(name), t]));
  const back = interpret(b.graph(module.build(b, inputs)), named);
  const truth = interpret(graph, feeds);
  for (const name of Object.keys(graph.outputs)) expect(apartness(back[outputName(name)], truth[name]), name).toBeLessThan(1e-6);
}

describe("every row goes to ONNX and back", () => {
  it.each([...OPS.keys()])("%s", (name) => {
    const random = randomSource(9);
    const row = opRow(name);
    for (const sample of row.samples(() => random.uniform())) {
      const b = newBuilder();
      const feeds: Record<string, RefTensor> = {};
      const inputs = sample.inputs.map((t, i): Value | null => {
        if (!t) return null;
        feeds[`x${i}`] = t;
        return b.input(`x${i}`, t.dtype ?? "float32", t.shape);
      });
      const outputs = b.op(name, inputs, sample.attrs ?? {});
      throughOnnx(b.graph(Object.fromEntries(outputs.map((v, i) => [`y${i}`, v]))), feeds);
    }
  });

  it("as do random graphs", () => {
    for (let seed = 900; seed < 960; seed++) {
      const { graph, feeds } = randomGraph(randomSource(seed), 20);
      throughOnnx(graph, feeds);
    }
  });
});
