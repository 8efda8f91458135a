import { expect, test } from "vitest";
import { newBuilder } from "../ops/table.ts";
import { f32 } from "../tensor/tensor.ts";
import { hashGraph, printGraph } from "./print.ts";
import type { Graph, Value } from "./value.ts";

function layer(name: string, values: number[], noise = 0): Graph {
  const b = newBuilder();
  // Values nobody reaches shift the ids and must not be printed.
  for (let i = 0; i < noise; i++) b.input(`unused${i}`, "float32", [i]);
  const x = b.input("x", "float32", [2, 2]);
  const w = b.weight(name, "float32", [2, 2], { kind: "host", tensor: f32([2, 2], values) });
  return b.graph({ y: b.scope(`block.${name}`, () => b.relu(b.add(b.matmul(x, w), 0.5))) });
}

test("prints one line per value, in order", () => {
  expect(printGraph(layer("a", [1, 2, 3, 4]))).toMatch(
    new RegExp(
      [
        '^%0 = input "x" : float32\\[2,2\\]',
        '%1 = weight "a" [0-9a-f]{32} : float32\\[2,2\\]',
        "%2 = MatMul\\(%0, %1\\) : float32\\[2,2\\]  # block.a",
        "%3 = constant \\(0.5\\) : float32\\[\\]",
        "%4 = Add\\(%2, %3\\) : float32\\[2,2\\]  # block.a",
        "%5 = Relu\\(%4\\) : float32\\[2,2\\]  # block.a",
        'return "y"=%5\n$',
      ].join("\n"),
    ),
  );
});

test("hashes structure and weights: by identity they differ, by position equal layers agree", () => {
  const [a, b] = [layer("a", [1, 2, 3, 4]), layer("b", [5, 6, 7, 8], 3)];
  expect(hashGraph(a)).not.toBe(hashGraph(b));
  expect(hashGraph(a)).not.toBe(hashGraph(layer("a", [1, 2, 3, 5])));
  expect(hashGraph(a)).toBe(hashGraph(layer("a", [1, 2, 3, 4], 5)));
  expect(hashGraph(a, { weights: "position" })).toBe(hashGraph(b, { weights: "position" }));
});

test("tells apart attributes, constants and wiring", () => {
  const make = (f: (b: ReturnType<typeof newBuilder>) => Graph) => hashGraph(f(newBuilder()));
  const hashes = [
    make((b) => b.graph({ y: b.softmax(b.input("x", "float32", [2, 2]), 0) })),
    make((b) => b.graph({ y: b.softmax(b.input("x", "float32", [2, 2]), 1) })),
    make((b) => b.graph({ y: b.sub(b.input("x", "float32", [2, 2]), b.input("z", "float32", [2, 2])) })),
    make((b) => b.graph({ y: b.sub(b.input("z", "float32", [2, 2]), b.input("x", "float32", [2, 2])) })),
    make((b) => b.graph({ y: b.mul(b.input("x", "float32", [1]), b.scalar(0)) })),
    make((b) => b.graph({ y: b.mul(b.input("x", "float32", [1]), b.scalar(-0)) })),
  ];
  expect(new Set(hashes).size).toBe(hashes.length);
});

test("no output's name can pass for another graph's outputs", () => {
  const make = (f: (x: Value, y: Value) => Readonly<Record<string, Value>>) => {
    const b = newBuilder();
    const x = b.input("x", "float32", [1]);
    return printGraph(b.graph(f(x, b.relu(x))));
  };
  expect(make((x, y) => ({ a: x, b: y }))).not.toBe(make((_x, y) => ({ "a=%0, b": y })));
  expect(make((x, y) => ({ a: x, b: y }))).not.toBe(make((_x, y) => ({ 'a"=%0, "b': y })));
});
