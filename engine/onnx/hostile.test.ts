// Malicious files: each is refused with its own code, quickly, and without reading anything outside.
import { describe, expect, it } from "vitest";
import { externalProto, graphProto, onnxModelBytes, type TestGraph } from "../../test/onnx-model-bytes.ts";
import { AppError } from "../base/errors.ts";
import { randomSource } from "../base/random.ts";
import { reach } from "../ir/graph.ts";
import { newBuilder } from "../ops/table.ts";
import { f32, tensor } from "../tensor/tensor.ts";
import { importOnnx } from "./import.ts";
import { message, type ProtoWriter } from "./proto.ts";

const x = { name: "x", shape: [2, 3] };
const withWeight = (w: ProtoWriter): TestGraph => ({
  nodes: [{ op: "Add", inputs: ["x", "w"], outputs: ["y"] }],
  inputs: [x],
  outputs: ["y"],
  initializers: { w },
});
const open = (graph: TestGraph) => importOnnx(onnxModelBytes(graph), { path: "/models/onnx/net.onnx", inputs: { x: [2, 3] } });
const refused = (code: string) => expect.objectContaining({ name: "AppError", code });

describe("external data", () => {
  const at = (location: string, more: Record<string, string> = {}) => externalProto("w", "float32", [2, 3], { location, ...more });

  it("is addressed below the model's folder, and reported", () => {
    const module = open(withWeight(at("weights/net.bin", { offset: "64", length: "24" })));
    expect(module.externalFiles).toEqual([{ location: "weights/net.bin", bytes: 88 }]);
    const b = newBuilder();
    const built = module.build(b, { x: b.input("x", "float32", [2, 3]) });
    expect(reach(b.graph(built)).weights[0]?.def).toMatchObject({
      source: { kind: "file", path: "/models/onnx/weights/net.bin", offset: 64, length: 24 },
    });
  });

  it.each([
    "../net.bin",
    "weights/../../net.bin",
    "/etc/passwd",
    "..",
    ".",
    "",
    "a//b",
    "./net.bin",
    "..\\net.bin",
    "C:\\net.bin",
    "C:net.bin",
    "file:///etc/passwd",
    "net.bin\u0000.txt",
    "weights/..",
    "\n/etc/passwd",
  ])("does not leave it: %j", (location) => {
    expect(() => open(withWeight(at(location)))).toThrow(refused("ONNX_EXTERNAL_PATH"));
  });

  it.each([
    { offset: "-1" },
    { offset: "99999999999999999999" },
    { offset: "1e3" },
    { offset: "0x10" },
    { offset: " 1" },
    { length: "23" },
    { length: "25" },
    { length: "-24" },
    { length: "" },
  ])("has a sound range: %j", (entries) => {
    expect(() => open(withWeight(at("net.bin", entries)))).toThrow(refused("ONNX_EXTERNAL"));
  });

  it("needs a folder, and may not decide shapes", () => {
    expect(() => importOnnx(onnxModelBytes(withWeight(at("net.bin"))))).toThrow(refused("ONNX_EXTERNAL"));
    const graph: TestGraph = {
      nodes: [{ op: "Reshape", inputs: ["x", "w"], outputs: ["y"] }],
      inputs: [x],
      outputs: ["y"],
      initializers: { w: externalProto("w", "int64", [1], { location: "net.bin" }) },
    };
    expect(() => open(graph)).toThrow(refused("ONNX_DYNAMIC"));
  });
});

describe("tensors", () => {
  const proto = (dims: (number | bigint)[], bytes: number, type = 1) =>
    message((w) => {
      for (const d of dims) w.int(1, d);
      w.int(2, type);
      w.data(8, "w");
      w.data(9, new Uint8Array(bytes));
    });

  it.each([
    ["too few bytes", proto([2, 3], 20)],
    ["too many bytes", proto([2, 3], 28)],
    ["a negative dimension", proto([-2, 3], 24)],
    ["more elements than numbers can count", proto([2n ** 40n, 2n ** 40n], 24)],
    ["a product that wraps to its size", proto([2n ** 32n, 2n ** 32n, 6], 24)],
    ["99 dimensions", proto(new Array<number>(99).fill(1), 4)],
  ])("with %s are refused", (_, w) => {
    expect(() => open(withWeight(w))).toThrow(refused("ONNX_TENSOR"));
  });

  it("of unknown types are refused", () => {
    expect(() => open(withWeight(proto([2, 3], 24, 99)))).toThrow(refused("ONNX_DTYPE"));
    expect(() => open(withWeight(proto([2, 3], 24, 8)))).toThrow(refused("ONNX_DTYPE"));
  });
});

describe("the wire", () => {
  const valid = onnxModelBytes({
    nodes: [{ op: "Add", inputs: ["x", "w"], outputs: ["y"] }],
    inputs: [x],
    outputs: ["y"],
    initializers: { w: f32([3], [1, 2, 3]) },
  });

  it("refuses every truncation of a model, or reads a graph that is whole", () => {
    for (let n = 0; n < valid.length; n++)
      try {
        importOnnx(valid.slice(0, n), { inputs: { x: [2, 3] } });
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
      }
  });

  it("refuses endless numbers, unknown wire types and lengths beyond the file", () => {
    expect(() => importOnnx(Uint8Array.from([0x08, ...new Array<number>(11).fill(0xff)]))).toThrow(refused("ONNX_PROTO"));
    expect(() => importOnnx(Uint8Array.from([0x3b]))).toThrow(refused("ONNX_PROTO"));
    expect(() => importOnnx(Uint8Array.from([0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]))).toThrow(refused("ONNX_PROTO"));
    expect(() => importOnnx(Uint8Array.from([0x00, 0x00]))).toThrow(refused("ONNX_PROTO"));
    expect(() => importOnnx(new Uint8Array(0))).toThrow(refused("ONNX_GRAPH"));
  });

  it("refuses graphs nested without end", () => {
    let graph: TestGraph = { nodes: [{ op: "Neg", inputs: ["x"], outputs: ["y"] }], outputs: ["y"] };
    for (let i = 0; i < 70; i++)
      graph = { nodes: [{ op: "If", inputs: ["c"], outputs: ["y"], attrs: { then_branch: { graph } } }], outputs: ["y"] };
    const bytes = message((m) => m.data(7, graphProto(graph))).bytes.slice();
    expect(() => importOnnx(bytes)).toThrow(refused("ONNX_NESTING"));
  });

  it("refuses a bomb of empty nodes before it fills memory", () => {
    const nodes = new Uint8Array(2 * 1_000_001);
    for (let i = 0; i < nodes.length; i += 2) nodes[i] = 0x0a;
    expect(() => importOnnx(message((m) => m.data(7, nodes)).bytes.slice())).toThrow(refused("ONNX_LIMIT"));
  });

  it("takes names like __proto__ for names", () => {
    const graph: TestGraph = {
      nodes: [{ op: "Neg", inputs: ["__proto__"], outputs: ["constructor"] }],
      inputs: [{ name: "__proto__", shape: [2] }],
      outputs: ["constructor"],
    };
    const module = importOnnx(onnxModelBytes(graph));
    const b = newBuilder();
    const values = JSON.parse('{"__proto__": 0}');
    Object.defineProperty(values, "__proto__", { value: b.input("x", "float32", [2]), enumerable: true });
    expect(Object.hasOwn(module.build(b, values), "constructor")).toBe(true);
    expect(() => module.build(newBuilder(), {})).toThrow(refused("ONNX_INPUT"));
  });
});

describe("fuzzing", () => {
  const model = onnxModelBytes({
    nodes: [
      { op: "Shape", inputs: ["x"], outputs: ["s"] },
      { op: "ConstantOfShape", inputs: ["s"], outputs: ["zeros"] },
      { op: "Conv", inputs: ["x", "w"], outputs: ["c"], attrs: { pads: [1, 1, 1, 1], strides: [1, 1] } },
      { op: "Reshape", inputs: ["c", "target"], outputs: ["r"] },
      { op: "Slice", inputs: ["r", "one", "end"], outputs: ["p"] },
      { op: "Softmax", inputs: ["p"], outputs: ["q"], attrs: { axis: -1 } },
      { op: "Tile", inputs: ["q", "repeats"], outputs: ["t"] },
      { op: "Resize", inputs: ["zeros", "", "scales"], outputs: ["z"], attrs: { mode: "linear" } },
    ],
    inputs: [{ name: "x", shape: [1, 2, 4, 4] }],
    outputs: ["t", "z"],
    initializers: {
      w: f32([3, 2, 3, 3], new Float32Array(54)),
      target: tensor("int64", [2], BigInt64Array.of(3n, -1n)),
      one: tensor("int64", [1], BigInt64Array.of(1n)),
      end: tensor("int64", [1], BigInt64Array.of(2n ** 62n)),
      repeats: tensor("int64", [2], BigInt64Array.of(2n, 3n)),
      scales: f32([4], [1, 1, 2, 2]),
    },
  });

  it("of bytes, lengths and numbers only ever gives typed errors", () => {
    const random = randomSource(42);
    let opened = 0;
    for (let i = 0; i < 2500; i++) {
      let bytes = model.slice();
      for (let k = random.below(4); k >= 0; k--) {
        const at = random.below(bytes.length);
        const kind = random.below(5);
        if (kind === 0) bytes[at] = random.below(256);
        else if (kind === 1) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
        else if (kind === 2) bytes = bytes.slice(0, at);
        else if (kind === 3) bytes = Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + random.below(20))]);
        else
          bytes.set([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f].slice(0, Math.min(1 + random.below(9), bytes.length - at)), at);
        if (bytes.length === 0) break;
      }
      try {
        importOnnx(bytes, { inputs: { x: [1, 2, 4, 4] } });
        opened++;
      } catch (error) {
        if (!(error instanceof AppError) || !error.code.startsWith("ONNX_")) throw new Error(`case ${i}`, { cause: error });
      }
    }
    // Some mutations are harmless: the reader must not refuse everything.
    expect(opened).toBeGreaterThan(60);
  });
});
