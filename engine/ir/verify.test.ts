import { expect, test } from "vitest";
import { randomGraph } from "../../test/random-graph.ts";
import { grad } from "../autodiff/grad.ts";
import { randomSource } from "../base/random.ts";
import { newBuilder, OP_TYPES } from "../ops/table.ts";
import { f32 } from "../tensor/tensor.ts";
import type { Node, Value } from "./value.ts";
import { assertSound, verifyGraph } from "./verify.ts";

const codes = (y: Value) => verifyGraph({ outputs: { y } }, OP_TYPES).map((i) => i.code);

test("accepts random graphs and their gradients", () => {
  for (let seed = 500; seed < 560; seed++) {
    const g = randomGraph(randomSource(seed), 20);
    const grads = grad(g.b, g.loss, g.inputs);
    expect(verifyGraph(g.b.graph({ ...g.graph.outputs, ...Object.fromEntries(grads.map((v, i) => [`d${i}`, v])) }), OP_TYPES)).toEqual([]);
  }
});

/** A node put together by hand, which the builder would refuse. */
function forged(op: string, inputs: Value[], shape: number[], id = 100, scope = ""): Value {
  const outputs: Value[] = [];
  const node: Node = { id, op, inputs, attrs: {}, outputs, scope };
  outputs.push({ id: id + 1, dtype: "float32", shape, def: { kind: "node", node, index: 0 } });
  return outputs[0] ?? inputs[0] ?? forged(op, inputs, shape);
}

test("finds wrong types, unknown ops and values used before they are made", () => {
  const b = newBuilder();
  const x = b.input("x", "float32", [2, 3]);
  expect(codes(forged("Relu", [x], [3, 2]))).toEqual(["IR_TYPE"]);
  expect(codes(forged("Frobnicate", [x], [2, 3]))).toEqual(["IR_TYPE"]);
  expect(codes(forged("Relu", [forged("Relu", [x], [2, 3], 200)], [2, 3], 100))).toEqual(["IR_ORDER"]);
});

test("finds literals and weights that do not fill their shape, and names used twice", () => {
  const x: Value = { id: 1, dtype: "float32", shape: [3], def: { kind: "constant", tensor: f32([2], [1, 2]) } };
  expect(codes(x)).toEqual(["IR_CONSTANT"]);
  const w: Value = {
    id: 1,
    dtype: "float32",
    shape: [3],
    def: { kind: "weight", name: "w", source: { kind: "file", path: "f", offset: 0, length: 8 } },
  };
  expect(codes(w)).toEqual(["IR_WEIGHT"]);
  const [p, q] = [newBuilder().input("x", "float32", [1]), { ...newBuilder().input("x", "float32", [1]), id: 7 }];
  expect(codes(forged("Add", [p, q], [1]))).toEqual(["IR_NAME"]);
});

test("finds a scope that is opened twice", () => {
  const b = newBuilder();
  const x = b.input("x", "float32", [1]);
  const step = (v: Value, scope: string) => b.scope(scope, () => b.add(v, v));
  expect(codes(step(step(step(x, "a"), "b"), "c"))).toEqual([]);
  expect(codes(step(step(step(x, "a"), "b"), "a"))).toEqual(["IR_SCOPE"]);
  expect(() => assertSound({ outputs: { y: step(step(step(x, "a"), "b"), "a") } }, OP_TYPES)).toThrow(/scope a is opened again/);
});
