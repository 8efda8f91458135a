// Names and literals of the emitted model, whatever the inputs are called and whichever numbers occur.
import { describe, expect, it, test } from "vitest";
import { runOrt } from "../../test/oracle.ts";
import type { Builder } from "../ir/builder.ts";
import { hashGraph } from "../ir/print.ts";
import type { Attrs, Graph, Value } from "../ir/value.ts";
import { newBuilder, opRow } from "../ops/table.ts";
import { f32 } from "../tensor/tensor.ts";
import { emitOnnx } from "./emit.ts";
import { assertEmitted } from "./verify-emitted.ts";

const one = (x: number) => ({ shape: [1], data: Float64Array.of(x) });

describe("names", () => {
  // Every kind of name that the emitter has ever made up, and those of its outputs and inputs.
  const made = ["c", "k", "v", "w"].flatMap((letter) => Array.from({ length: 12 }, (_, i) => `${letter}${i}`));
  const names = [...made, ">y", "<x", "<", ">", "", "y", "x_in_3", "w1n4", "#3", "graph", "__proto__"];

  it.each(names)("an input called %j is itself", async (name) => {
    const b = newBuilder();
    const [x, other] = [b.input(name, "float32", [1]), b.input("other", "float32", [1])];
    // A scalar, a constant, a literal input and nodes stand around it.
    const clipped = b.one("Clip", [b.add(b.mul(x, b.constant(f32([1], [3]))), 5)], { min: -100, max: 100 });
    const graph = b.graph({ y: b.mul(clipped, other), [name || "z"]: x });
    const feeds = Object.fromEntries([
      [name, one(7)],
      ["other", one(2)],
    ]);
    const ours = await runOrt(graph, feeds);
    expect(ours.y?.data[0]).toBe(name === "y" ? 7 : 52);
    expect(ours[name || "z"]?.data[0]).toBe(7);
  });

  it("in float64 are nobody else's either", () => {
    const b = newBuilder();
    const [x, y] = [b.input("x", "float32", [1]), b.input("x_in_2", "float32", [1])];
    const graph = b.graph({ z: b.add(b.tanh(x), y) });
    expect(() => emitOnnx(graph, opRow, { inDouble: (node) => node.op === "Tanh" || node.op === "Add" })).not.toThrow();
  });

  it("of an input and a weight that are the same are refused", () => {
    const b = newBuilder();
    const w = b.weight("x", "float32", [1], { kind: "host", tensor: f32([1], [2]) });
    const graph = b.graph({ y: b.add(b.input("x", "float32", [1]), w) });
    expect(() => emitOnnx(graph, opRow)).toThrow(expect.objectContaining({ code: "ONNX_EMIT" }));
  });
});

/** Numbers that JSON cannot tell apart, and similar ones. */
const NUMBERS = [Infinity, -Infinity, Number.NaN, 0, -0, 1e-45, Number.MAX_VALUE];

describe("numbers", () => {
  const pads = (b: Builder, x: Value, value: number) => b.one("Pad", [x], { mode: "constant", pads: [0, 1], value });

  it("of two literals never merge: each Pad keeps its own", async () => {
    const b = newBuilder();
    const x = b.input("x", "float32", [1]);
    const outputs = Object.fromEntries(NUMBERS.map((value, i) => [`y${i}`, pads(b, x, value)]));
    const ours = await runOrt(b.graph(outputs), { x: one(1) });
    expect(NUMBERS.map((_, i) => ours[`y${i}`]?.data[1])).toEqual(NUMBERS.map(Math.fround));
  });

  it("of two attributes never merge: each node and each hash is its own", () => {
    const kinds: Attrs[] = [
      ...NUMBERS.map((value) => ({ value })),
      ...NUMBERS.map((value) => ({ value: [value] })),
      ...NUMBERS.map((value) => ({ value: [value, 1] })),
      ...[true, "true", "Infinity", "null", "[1]", ["1"], [1]].map((value) => ({ value })),
    ];
    const b = newBuilder();
    const x = b.input("x", "float32", [1]);
    const made = kinds.map((attrs) => b.one("Identity", [x], attrs));
    expect(new Set(made.map((v) => v.id)).size).toBe(kinds.length);
    expect(new Set(made.map((y) => hashGraph(b.graph({ y })))).size).toBe(kinds.length);
    kinds.forEach((attrs, i) => {
      const v = made[i];
      expect(v?.def.kind === "node" && v.def.node.attrs).toStrictEqual(attrs);
      expect(b.one("Identity", [x], { ...attrs })).toBe(v);
    });
  });

  it("of scalars never merge", () => {
    const b = newBuilder();
    expect(new Set(NUMBERS.map((x) => b.scalar(x).id)).size).toBe(NUMBERS.length);
    expect(b.scalar(Number.NaN)).toBe(b.scalar(Number.NaN));
  });

  it.each([
    ["Slice", { starts: [0.5], ends: [1], axes: [0], steps: [1] }],
    ["Slice", { starts: [0], ends: [2 ** 63], axes: [0], steps: [1] }],
    ["Transpose", { perm: [Number.NaN] }],
  ])("that a %s cannot hold are refused by place: %j", (op, attrs) => {
    const b = newBuilder();
    const x = b.input("x", "float32", [1]);
    const node = { id: 5, op, inputs: [x], attrs, outputs: [] as Value[], scope: "" };
    const y: Value = { id: 6, dtype: "float32", shape: [1], def: { kind: "node", node, index: 0 } };
    node.outputs.push(y);
    expect(() => emitOnnx({ outputs: { y } }, opRow)).toThrow(
      expect.objectContaining({ code: "ONNX_EMIT", message: expect.stringContaining(op) }),
    );
  });
});

test("weights of one name and two sources are refused, not taken for each other", () => {
  const b = newBuilder();
  const host = (x: number) => ({ kind: "host" as const, tensor: f32([1], [x]) });
  const w = b.weight("w", "float32", [1], host(1));
  expect(b.weight("w", "float32", [1], host(1))).toBe(w);
  expect(() => b.weight("w", "float32", [1], host(2))).toThrow(expect.objectContaining({ code: "IR_NAME" }));
  const file = (offset: number) => ({ kind: "file" as const, path: "/m", offset, length: 4 });
  const v = b.weight("v", "float32", [1], file(0));
  expect(b.weight("v", "float32", [1], file(0))).toBe(v);
  expect(() => b.weight("v", "float32", [1], file(4))).toThrow(expect.objectContaining({ code: "IR_NAME" }));
  expect(() => b.weight("w", "float32", [1], file(0))).toThrow(expect.objectContaining({ code: "IR_NAME" }));
});

describe("the emitted model is compared with its graph", () => {
  const build = (value: number, swap = false, times = 3, name = "x"): Graph => {
    const b = newBuilder();
    const [x, y] = [b.input(name, "float32", [2]), b.input("y", "float32", [2])];
    const pad = b.one("Pad", [b.mul(x, b.constant(f32([2], [times, times])))], { mode: "constant", pads: [0, 1], value });
    const cut = b.slice(pad, 0, 0, 2);
    return b.graph({ out: swap ? b.sub(y, cut) : b.sub(cut, y), soft: b.softmax(b.reshape(cut, [1, 2]), swap ? 0 : 1) });
  };
  const model = emitOnnx(build(Infinity), opRow).model;
  const seen = expect.objectContaining({ code: "ONNX_EMIT" });

  it("and passes as it is", () => {
    expect(() => assertEmitted(build(Infinity), opRow, model)).not.toThrow();
  });

  it.each([
    ["another literal", build(-Infinity)],
    ["a literal that is not a number", build(Number.NaN)],
    ["other wiring", build(Infinity, true)],
    ["another constant", build(Infinity, false, 4)],
    ["another input", build(Infinity, false, 3, "z")],
  ])("%s is seen", (_, graph) => {
    expect(() => assertEmitted(graph, opRow, model)).toThrow(seen);
  });

  it("a name given to two values is seen", () => {
    const b = newBuilder();
    const graph = b.graph({ y: b.add(b.input("a", "float32", [1]), b.input("b", "float32", [1])) });
    const clean = emitOnnx(graph, opRow).model;
    // `<b` becomes `<a`.
    const swapped = Uint8Array.from(clean, (byte, i) => (byte === 0x62 && clean[i - 1] === 0x3c ? 0x61 : byte));
    expect(() => assertEmitted(graph, opRow, swapped)).toThrow(seen);
  });
});
