import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { onnxModelBytes, type TestGraph, type TestNode } from "../../test/onnx-model-bytes.ts";
import { apartness, centralDifferences } from "../../test/oracle.ts";
import { grad } from "../autodiff/grad.ts";
import { randomSource } from "../base/random.ts";
import { reach } from "../ir/graph.ts";
import type { RefTensor } from "../ops/define-op.ts";
import { interpret } from "../ops/interpret.ts";
import { newBuilder } from "../ops/table.ts";
import { sizeOf } from "../tensor/shape.ts";
import { f32, tensor } from "../tensor/tensor.ts";
import { importOnnx } from "./import.ts";

const random = randomSource(3);
const draw = (shape: readonly number[]): RefTensor => ({
  shape,
  data: Float64Array.from({ length: sizeOf(shape) }, () => Math.fround(random.normal())),
});
const i64 = (...xs: number[]) => tensor("int64", [xs.length], BigInt64Array.from(xs, BigInt));
const weight = (...shape: number[]) => f32(shape, Float32Array.from(draw(shape).data));

/** Runs the file itself in ONNX Runtime. */
async function runFile(bytes: Uint8Array, feeds: Record<string, RefTensor>): Promise<Record<string, RefTensor>> {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const fed = Object.fromEntries(
    Object.entries(feeds).map(([name, t]) => [name, new ort.Tensor("float32", Float32Array.from(t.data), [...t.shape])]),
  );
  const results = await session.run(fed);
  const out = Object.fromEntries(
    Object.entries(results).map(([name, t]) => [name, { shape: t.dims, data: Float64Array.from(t.data as ArrayLike<number>, Number) }]),
  );
  await session.release();
  return out;
}

/** Imported and evaluated, the file gives what ONNX Runtime gives. */
async function agrees(graph: TestGraph, opset: number, feeds: Record<string, RefTensor>): Promise<void> {
  const bytes = onnxModelBytes(graph, opset);
  const module = importOnnx(bytes, { inputs: Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, t.shape])) });
  const b = newBuilder();
  const built = module.build(
    b,
    Object.fromEntries(module.inputs.map((i) => [i.name, b.input(i.name, i.dtype, feeds[i.name]?.shape ?? [])])),
  );
  const [ours, truth] = [interpret(b.graph(built), feeds), await runFile(bytes, feeds)];
  module.outputs.forEach((o) => {
    expect(o.shape).toEqual(truth[o.name]?.shape);
  });
  for (const name of Object.keys(truth)) expect(apartness(ours[name], truth[name]), name).toBeLessThan(2e-6);
}

const x = (...shape: (number | string)[]) => ({ name: "x", shape });
const node = (op: string, inputs: string[], attrs: TestNode["attrs"] = {}, outputs = ["y"]): TestNode => ({ op, inputs, outputs, attrs });
const one = (op: string, attrs: TestNode["attrs"], initializers: TestGraph["initializers"] = {}): TestGraph => ({
  nodes: [node(op, ["x", ...Object.keys(initializers)], attrs)],
  inputs: [x("a", "b", "c", "d")],
  outputs: ["y"],
  initializers,
});
const PICTURE = [1, 2, 6, 4];

const SPELLINGS: [string, number, TestGraph, number[]][] = [
  ["Softmax over a flat tail, before 13", 11, one("Softmax", { axis: 2 }), PICTURE],
  ["LogSoftmax with the old default axis", 9, one("LogSoftmax", {}), PICTURE],
  ["Softmax, default axis", 13, one("Softmax", {}), PICTURE],
  ["Clip by attributes", 6, one("Clip", { min: { float: -0.5 }, max: { float: 0.25 } }), PICTURE],
  [
    "Clip, one bound given",
    13,
    { nodes: [node("Clip", ["x", "", "hi"])], inputs: [x("n")], outputs: ["y"], initializers: { hi: f32([], [0.3]) } },
    [7],
  ],
  ["Squeeze by attribute", 11, one("Squeeze", { axes: [0] }), PICTURE],
  ["Squeeze of every 1", 13, one("Squeeze", {}), PICTURE],
  ["Unsqueeze by attribute", 11, one("Unsqueeze", { axes: [0, 5] }), PICTURE],
  ["Slice by attributes", 9, one("Slice", { starts: [1, 0], ends: [2 ** 40, -1], axes: [2, 3] }), PICTURE],
  [
    "Slice to the largest int64",
    13,
    one("Slice", {}, { starts: i64(1), ends: tensor("int64", [1], BigInt64Array.of(2n ** 63n - 1n)), axes: i64(2) }),
    PICTURE,
  ],
  ["Pad by attributes", 2, one("Pad", { mode: "reflect", pads: [0, 0, 1, 2, 0, 0, 0, 1] }), PICTURE],
  ["Pad on some axes", 18, { ...one("Pad", {}, { pads: i64(1, 2, 0, 1), value: f32([], [3]), axes: i64(2, -1) }) }, PICTURE],
  [
    "Split evenly",
    11,
    { nodes: [node("Split", ["x"], { axis: 2 }, ["y", "z", "w"])], inputs: [x("n", "c", "h", "w")], outputs: ["y", "z", "w"] },
    PICTURE,
  ],
  [
    "Split unevenly by count",
    18,
    { nodes: [node("Split", ["x"], { axis: 0, num_outputs: 3 }, ["y", "z", "w"])], inputs: [x("n")], outputs: ["y", "z", "w"] },
    [7],
  ],
  [
    "RotaryEmbedding, heads first",
    17,
    {
      nodes: [{ ...node("RotaryEmbedding", ["x", "at", "cos", "sin"], { interleaved: 1 }), domain: "com.microsoft" }],
      inputs: [x("b", "h", "s", "d")],
      outputs: ["y"],
      initializers: { at: i64(1), cos: weight(9, 2), sin: weight(9, 2) },
    },
    PICTURE,
  ],
  ["ReduceMean by attribute", 13, one("ReduceMean", { axes: [1, -1], keepdims: 0 }), PICTURE],
  ["ReduceSum over nothing", 13, one("ReduceSum", { noop_with_empty_axes: 1 }), PICTURE],
  ["ReduceL2 of all", 18, one("ReduceL2", { keepdims: 0 }), PICTURE],
  [
    "ReduceLogSum",
    18,
    {
      nodes: [node("Exp", ["x"], {}, ["e"]), node("ReduceLogSum", ["e", "axes"])],
      inputs: [x("n", "m")],
      outputs: ["y"],
      initializers: { axes: i64(1) },
    },
    [3, 4],
  ],
  ["Upsample", 9, one("Upsample", { mode: "nearest" }, { scales: f32([4], [1, 1, 2, 3]) }), PICTURE],
  ["Resize before 11", 10, one("Resize", { mode: "linear" }, { scales: f32([4], [1, 1, 1.5, 2]) }), PICTURE],
  [
    "Resize by sizes",
    13,
    {
      nodes: [node("Resize", ["x", "", "", "sizes"], { mode: "linear", coordinate_transformation_mode: "align_corners" })],
      inputs: [x("a", "b", "c", "d")],
      outputs: ["y"],
      initializers: { sizes: i64(1, 2, 9, 3) },
    },
    PICTURE,
  ],
  [
    "Conv, SAME_UPPER",
    11,
    one("Conv", { auto_pad: "SAME_UPPER", strides: [2, 2], kernel_shape: [3, 2] }, { w: weight(3, 2, 3, 2), bias: weight(3) }),
    [1, 2, 5, 4],
  ],
  ["Conv, SAME_LOWER", 11, one("Conv", { auto_pad: "SAME_LOWER" }, { w: weight(3, 2, 2, 2) }), PICTURE],
  [
    "ConvTranspose to a given shape",
    11,
    one("ConvTranspose", { strides: [2, 2], output_shape: [12, 8] }, { w: weight(2, 3, 3, 3) }),
    PICTURE,
  ],
  ["AveragePool, VALID", 11, one("AveragePool", { auto_pad: "VALID", kernel_shape: [2, 2], strides: [2, 2] }), PICTURE],
  ["MaxPool, ceil", 12, one("MaxPool", { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1, pads: [0, 0, 1, 1] }), PICTURE],
  [
    "BatchNormalization",
    9,
    one(
      "BatchNormalization",
      { epsilon: { float: 0.01 }, momentum: { float: 0.9 } },
      { s: weight(2), b: weight(2), m: weight(2), v: f32([2], [0.5, 2]) },
    ),
    PICTURE,
  ],
  ["InstanceNormalization", 6, one("InstanceNormalization", {}, { s: weight(2), b: weight(2) }), PICTURE],
  ["Dropout", 12, one("Dropout", {}), PICTURE],
  [
    "Selu, Celu, Softsign",
    13,
    {
      nodes: [node("Selu", ["x"], {}, ["a"]), node("Celu", ["a"], { alpha: { float: 2 } }, ["b"]), node("Softsign", ["b"])],
      inputs: [x("n")],
      outputs: ["y"],
    },
    [9],
  ],
  [
    "Sum, Max, Min, Mean of many",
    13,
    {
      nodes: [
        node("Neg", ["x"], {}, ["n"]),
        node("Sum", ["x", "n", "x"], {}, ["s"]),
        node("Max", ["s", "n", "x"], {}, ["a"]),
        node("Min", ["a", "s"], {}, ["i"]),
        node("Mean", ["a", "i", "x"]),
      ],
      inputs: [x("n")],
      outputs: ["y"],
    },
    [9],
  ],
  [
    "Pow with an integer exponent",
    13,
    { nodes: [node("Pow", ["x", "p"])], inputs: [x("n")], outputs: ["y"], initializers: { p: i64(3) } },
    [5],
  ],
  [
    "DepthToSpace, both modes",
    13,
    {
      nodes: [
        node("DepthToSpace", ["x"], { blocksize: 2, mode: "CRD" }, ["a"]),
        node("SpaceToDepth", ["a"], { blocksize: 2 }, ["b"]),
        node("DepthToSpace", ["b"], { blocksize: 2 }),
      ],
      inputs: [x("n", "c", "h", "w")],
      outputs: ["y"],
    },
    [1, 8, 2, 3],
  ],
  [
    "Gemm without C",
    13,
    {
      nodes: [node("Flatten", ["x"], {}, ["f"]), node("Gemm", ["f", "w"], { transB: 1 })],
      inputs: [x("a", "b", "c", "d")],
      outputs: ["y"],
      initializers: { w: weight(3, 48) },
    },
    PICTURE,
  ],
  [
    "a flattening computed from Shape",
    13,
    {
      nodes: [
        node("Shape", ["x"], {}, ["shape"]),
        node("Gather", ["shape", "zero"], {}, ["batch"]),
        node("Unsqueeze", ["batch", "axis"], {}, ["batch1"]),
        node("Concat", ["batch1", "rest"], { axis: 0 }, ["target"]),
        node("Reshape", ["x", "target"]),
      ],
      inputs: [x("a", "b", "c", "d")],
      outputs: ["y"],
      initializers: { zero: tensor("int64", [], BigInt64Array.of(0n)), axis: i64(0), rest: i64(-1) },
    },
    [2, 2, 3, 4],
  ],
  [
    "a position grid from ConstantOfShape, Range and Cast",
    13,
    {
      nodes: [
        node("Shape", ["x"], {}, ["shape"]),
        node("ConstantOfShape", ["shape"], { value: { tensor: f32([1], [2]) } }, ["twos"]),
        node("Gather", ["shape", "one"], {}, ["width"]),
        node("Range", ["zero", "width", "step"], {}, ["r"]),
        node("Cast", ["r"], { to: 1 }, ["rf"]),
        node("Mul", ["twos", "rf"], {}, ["grid"]),
        node("Add", ["x", "grid"]),
      ],
      inputs: [x("a", "b")],
      outputs: ["y"],
      initializers: {
        zero: tensor("int64", [], BigInt64Array.of(0n)),
        one: tensor("int64", [], BigInt64Array.of(1n)),
        step: tensor("int64", [], BigInt64Array.of(1n)),
      },
    },
    [2, 5],
  ],
  [
    "an If whose condition follows from shapes",
    13,
    {
      nodes: [
        node("Shape", ["x"], {}, ["shape"]),
        node("Gather", ["shape", "zero"], {}, ["d"]),
        node("Equal", ["d", "one"], {}, ["is1"]),
        node("If", ["is1"], {
          then_branch: { graph: { nodes: [node("Squeeze", ["x", "axis"], {}, ["t"])], outputs: ["t"] } },
          else_branch: { graph: { nodes: [node("Neg", ["x"], {}, ["t"])], outputs: ["t"] } },
        }),
      ],
      inputs: [x("a", "b")],
      outputs: ["y"],
      initializers: { zero: tensor("int64", [], BigInt64Array.of(0n)), one: tensor("int64", [], BigInt64Array.of(1n)), axis: i64(0) },
    },
    [1, 4],
  ],
];

const EINSUMS: [string, number[], number[]][] = [
  ["bhid,bhjd->bhij", [2, 3, 4, 5], [2, 3, 6, 5]],
  ["bij,jk->bik", [2, 3, 4], [4, 5]],
  ["ij,ij->i", [3, 4], [3, 4]],
  ["ab,cd->adcb", [2, 3], [4, 5]],
  ["nchw,vw->nchv", [1, 2, 3, 4], [5, 4]],
  ["ij,jk", [3, 4], [4, 2]],
  ["i,i->", [5], [5]],
];

describe("importOnnx", () => {
  it.each(EINSUMS)("reads einsum %s", async (equation, left, right) => {
    const graph = {
      nodes: [node("Einsum", ["x", "w"], { equation })],
      inputs: [x(...left)],
      outputs: ["y"],
      initializers: { w: weight(...right) },
    };
    await agrees(graph, 13, { x: draw(left) });
  });

  it("aligns a slope per channel as [C]", () => {
    const graph = { nodes: [node("PRelu", ["x", "w"])], inputs: [x(1, 3, 2, 5)], outputs: ["y"], initializers: { w: f32([3], [1, 2, 3]) } };
    const b = newBuilder();
    const { y } = importOnnx(onnxModelBytes(graph, 9)).build(b, { x: b.input("x", "float32", [1, 3, 2, 5]) });
    const result = y && interpret(b.graph({ y }), { x: { shape: [1, 3, 2, 5], data: new Float64Array(30).fill(-1) } }).y;
    expect(Array.from(result?.data ?? [])).toEqual(Array.from({ length: 30 }, (_, i) => -1 - Math.floor(i / 10)));
  });

  it.each(SPELLINGS)("reads %s", async (_, opset, graph, shape) => {
    await agrees(graph, opset, { x: draw(shape) });
  });

  it("shows sockets before shapes are known, and asks only for what is not in the file", () => {
    const graph = {
      nodes: [node("MatMul", ["x", "w"])],
      inputs: [x("batch", 4), { name: "w", shape: [4, 2] }],
      outputs: ["y"],
      initializers: { w: weight(4, 2) },
    };
    const module = importOnnx(onnxModelBytes(graph));
    expect(module.inputs).toEqual([{ name: "x", dtype: "float32", shape: ["batch", 4] }]);
    expect(module.outputs.map((o) => o.name)).toEqual(["y"]);
    expect(importOnnx(onnxModelBytes(graph), { inputs: { x: [3, 4] } }).outputs).toEqual([{ name: "y", dtype: "float32", shape: [3, 2] }]);
  });

  it("lets gradients through, to the input and to the file's weights", () => {
    const graph = {
      nodes: [
        node("Conv", ["x", "w"], { pads: [1, 1, 1, 1] }, ["c"]),
        node("PRelu", ["c", "slope"], {}, ["p"]),
        node("GlobalAveragePool", ["p"]),
      ],
      inputs: [x(1, 2, 4, 4)],
      outputs: ["y"],
      initializers: { w: weight(3, 2, 3, 3), slope: f32([3, 1, 1], [0.1, 0.2, 0.3]) },
    };
    const module = importOnnx(onnxModelBytes(graph));
    const b = newBuilder();
    const input = b.input("x", "float32", [1, 2, 4, 4]);
    const { y = input } = module.build(b, { x: input });
    const loss = b.sum(b.mul(y, y), [], false);
    const w = reach(b.graph({ y })).weights.filter((v) => v.def.kind === "weight" && v.def.name === "onnx/w");
    const [dx, dw] = grad(b, loss, [input, ...w]);
    const feeds = { x: draw([1, 2, 4, 4]), "onnx/w": draw([3, 2, 3, 3]) };
    const grads = interpret(b.graph(dx && dw ? { dx, dw } : {}), feeds);
    expect(apartness(grads.dx, centralDifferences(b.graph({ loss }), "loss", feeds, "x"))).toBeLessThan(1e-7);
    expect(apartness(grads.dw, centralDifferences(b.graph({ loss }), "loss", feeds, "onnx/w"))).toBeLessThan(1e-7);
  });

  it("lists every unsupported operator at once, those in branches too", () => {
    const graph = {
      nodes: [
        node("LSTM", ["x"], {}, ["a"]),
        node("Loop", ["a"], { body: { graph: { nodes: [node("NonZero", ["a"])], outputs: ["y"] } } }, ["b"]),
        node("LSTM", ["b"], {}, ["c"]),
        { ...node("MyOp", ["c"]), domain: "my.domain" },
      ],
      inputs: [x(1)],
      outputs: ["y"],
    };
    expect(() => importOnnx(onnxModelBytes(graph))).toThrow("LSTM (2 times), Loop, NonZero, my.domain.MyOp");
  });

  it.each([
    ["ONNX_DYNAMIC", { nodes: [node("Cast", ["x"], { to: 7 }, ["i"]), node("Reshape", ["x", "i"])], inputs: [x(2)], outputs: ["y"] }],
    ["ONNX_NAME", { nodes: [node("Neg", ["nowhere"])], inputs: [x(2)], outputs: ["y"] }],
    ["ONNX_NAME", { nodes: [node("Neg", ["x"]), node("Abs", ["x"])], inputs: [x(2)], outputs: ["y"] }],
    ["ONNX_NAME", { nodes: [], inputs: [x(2)], outputs: ["y"] }],
    ["ONNX_NODE", { nodes: [node("MatMul", ["x", "x"])], inputs: [x(2, 3)], outputs: ["y"] }],
    ["ONNX_NODE", { nodes: [node("Add", ["x"])], inputs: [x(2, 3)], outputs: ["y"] }],
    ["ONNX_ATTRIBUTE", { nodes: [node("Relu", ["x"], { unheard_of: 1 })], inputs: [x(2)], outputs: ["y"] }],
    ["ONNX_ATTRIBUTE", { nodes: [node("Conv", ["x", "x"], { auto_pad: "SOMEHOW" })], inputs: [x(1, 1, 2, 2)], outputs: ["y"] }],
    ["ONNX_LIMIT", { nodes: [node("Expand", ["x", "big"])], inputs: [x(1)], outputs: ["y"], initializers: { big: i64(2 ** 30, 2 ** 10) } }],
    ["ONNX_DTYPE", { nodes: [node("Cast", ["x"], { to: 8 })], inputs: [x(1)], outputs: ["y"] }],
  ] satisfies [string, TestGraph][])("refuses with %s", (code, graph) => {
    const bytes = onnxModelBytes(graph);
    const shape = graph.inputs[0]?.shape.map(Number) ?? [];
    expect(() => importOnnx(bytes, { inputs: { x: shape } })).toThrow(expect.objectContaining({ code }));
  });

  it("refuses inputs of another type or shape than declared", () => {
    const module = importOnnx(onnxModelBytes({ nodes: [node("Neg", ["x"])], inputs: [x("n", 3)], outputs: ["y"] }));
    const b = newBuilder();
    expect(() => module.build(b, {})).toThrow("input x is missing");
    expect(() => module.build(b, { x: b.input("p", "float32", [2, 4]) })).toThrow(expect.objectContaining({ code: "ONNX_INPUT" }));
    expect(() => module.build(b, { x: b.input("q", "int64", [2, 3]) })).toThrow(expect.objectContaining({ code: "ONNX_INPUT" }));
    expect(module.build(b, { x: b.input("r", "float32", [5, 3]) }).y?.shape).toEqual([5, 3]);
  });
});
