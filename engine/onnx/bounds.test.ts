// What repeats in a model file is counted before it is kept, and numbers come out as they went in, packed or not.
import { describe, expect, it } from "vitest";
import { onnxModelBytes } from "../../test/onnx-model-bytes.ts";
import { decodeModel } from "./decode.ts";
import { ELEM_TYPE } from "./elem-type.ts";
import { importOnnx } from "./import.ts";
import { readTensor } from "./import-tensor.ts";
import { message, type ProtoWriter } from "./proto.ts";

const refused = (code: string) => expect.objectContaining({ name: "AppError", code });

/** A model of one initializer or node, given its message. */
const holding = (field: 1 | 5 | 11 | 12, part: ProtoWriter) =>
  message((m) =>
    m.data(
      7,
      message((g) => g.data(field, part)),
    ),
  ).bytes.slice();
const varints = (xs: readonly (number | bigint)[]) => {
  const w = message((m) => {
    for (const x of xs) m.int(1, x);
  }).bytes;
  // Without the keys, which are one byte each, all 0x08.
  const out: number[] = [];
  for (let i = 0, start = true; i < w.length; i++) {
    if (start) {
      start = false;
      continue;
    }
    out.push(w[i] ?? 0);
    if ((w[i] ?? 0) < 0x80) start = true;
  }
  return Uint8Array.from(out);
};
const tensorMessage = (dims: readonly number[], type: number, fill: (w: ProtoWriter) => void) =>
  message((w) => {
    for (const d of dims) w.int(1, d);
    w.int(2, type);
    w.data(8, "w");
    fill(w);
  });
const read = (part: ProtoWriter) => {
  const [t] = decodeModel(holding(5, part)).graph.initializers;
  if (!t) throw new Error("no tensor");
  return readTensor(t);
};

describe("numbers of tensors", () => {
  const int64s = [
    0n,
    1n,
    -1n,
    127n,
    128n,
    2n ** 31n,
    -(2n ** 31n),
    2n ** 32n,
    2n ** 35n - 1n,
    2n ** 40n,
    2n ** 63n - 1n,
    -(2n ** 63n),
    -5n,
  ];

  it("int64_data is exact, packed and one by one", () => {
    const packed = read(tensorMessage([int64s.length], ELEM_TYPE.int64, (w) => w.data(7, varints(int64s))));
    const single = read(
      tensorMessage([int64s.length], ELEM_TYPE.int64, (w) => {
        for (const x of int64s) w.int(7, x);
      }),
    );
    const split = read(
      tensorMessage([int64s.length], ELEM_TYPE.int64, (w) => {
        w.data(7, varints(int64s.slice(0, 4)));
        w.int(7, int64s[4] ?? 0n);
        w.data(7, varints(int64s.slice(5)));
      }),
    );
    for (const t of [packed, single, split]) expect([...t.data]).toEqual(int64s);
  });

  it.each([
    ["int32", 5, [-2147483648, 2147483647, -1, 0]],
    ["int8", 5, [-128, 127, -1]],
    ["uint8", 5, [255, 0, 128]],
    ["uint16", 5, [65535, 1]],
    ["uint32", 11, [4294967295, 0]],
    ["bool", 5, [1, 0]],
    ["float16", 5, [0x3c00, 0xfc00]],
  ] as const)("%s lies in field %i", (dtype, field, xs) => {
    expect([...read(tensorMessage([xs.length], ELEM_TYPE[dtype], (w) => w.data(field, varints(xs)))).data]).toEqual([...xs]);
  });

  it("float_data and double_data are exact, and not taken for each other", () => {
    const xs = [1.5, -0, Infinity, 1e-45].map(Math.fround);
    const floats = new Uint8Array(Float32Array.from(xs).buffer);
    const doubles = new Uint8Array(Float64Array.of(0.1, -0).buffer);
    expect([...read(tensorMessage([4], ELEM_TYPE.float32, (w) => w.data(4, floats))).data]).toEqual(xs);
    expect([...read(tensorMessage([2], ELEM_TYPE.float64, (w) => w.data(10, doubles))).data]).toEqual([0.1, -0]);
    expect(() => read(tensorMessage([2], ELEM_TYPE.float32, (w) => w.data(10, doubles)))).toThrow(refused("ONNX_TENSOR"));
  });

  it("are counted against the shape before anything is allocated", () => {
    const many = new Uint8Array(2 ** 24);
    for (const [type, field] of [
      [ELEM_TYPE.int64, 7],
      [ELEM_TYPE.float32, 4],
      [ELEM_TYPE.float64, 10],
      [ELEM_TYPE.int8, 5],
    ] as const)
      for (const dims of [[3], [2 ** 40]])
        expect(() => read(tensorMessage(dims, type, (w) => w.data(field, many)))).toThrow(refused("ONNX_TENSOR"));
  });

  it("hold nothing but views until they are read", () => {
    const bytes = holding(
      5,
      tensorMessage([2 ** 22], ELEM_TYPE.int64, (w) => w.data(7, new Uint8Array(2 ** 22))),
    );
    const [t] = decodeModel(bytes).graph.initializers;
    expect(t?.ints.count).toBe(2 ** 22);
    expect(t?.ints.fields.map((f) => f.bytes.buffer)).toEqual([bytes.buffer]);
    expect(t && readTensor(t).data.length).toBe(2 ** 22);
  });

  it("that are cut off or too long are refused", () => {
    const part = (bytes: number[]) => tensorMessage([1], ELEM_TYPE.int64, (w) => w.data(7, Uint8Array.from(bytes)));
    expect(() => read(part([0x80]))).toThrow(refused("ONNX_PROTO"));
    expect(() => read(part([...new Array<number>(10).fill(0x80), 0]))).toThrow(refused("ONNX_PROTO"));
    expect(() => read(tensorMessage([1], ELEM_TYPE.float32, (w) => w.data(4, new Uint8Array(3))))).toThrow(refused("ONNX_PROTO"));
  });

  it("beyond 2^26 in one model are refused", () => {
    const zeros = new Uint8Array(2 ** 25 + 1);
    const part = tensorMessage([1], ELEM_TYPE.int64, (w) => {
      w.data(7, zeros);
      w.data(5, zeros);
    });
    expect(() => decodeModel(holding(5, part))).toThrow(refused("ONNX_LIMIT"));
  });
});

describe("every repeated field has a bound", () => {
  const MANY = 1_000_001;
  /** `MANY` empty or one-byte entries of a field. */
  const repeated = (field: number, wire: 0 | 2 | 5) => {
    const entry = wire === 5 ? [(field << 3) | 5, 0, 0, 0, 0] : [(field << 3) | wire, 0];
    const bytes = new Uint8Array(MANY * entry.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = entry[i % entry.length] ?? 0;
    return bytes;
  };
  const inside = (field: number, bytes: Uint8Array) => message((w) => w.data(field, bytes));
  const raw = (bytes: Uint8Array) => holdingRaw(5, bytes);
  const holdingRaw = (field: number, bytes: Uint8Array) => message((m) => m.data(7, inside(field, bytes))).bytes.slice();
  const attribute = (bytes: Uint8Array) => holding(1, inside(5, bytes));
  const shape = (bytes: Uint8Array) => holding(11, inside(2, inside(1, inside(2, bytes).bytes).bytes));

  const CASES: readonly [string, () => Uint8Array, string][] = [
    ["opsets", () => repeated(8, 2), "ONNX_LIMIT"],
    ["nodes", () => message((m) => m.data(7, repeated(1, 2))).bytes.slice(), "ONNX_LIMIT"],
    ["initializers", () => message((m) => m.data(7, repeated(5, 2))).bytes.slice(), "ONNX_LIMIT"],
    ["inputs", () => message((m) => m.data(7, repeated(11, 2))).bytes.slice(), "ONNX_LIMIT"],
    ["outputs", () => message((m) => m.data(7, repeated(12, 2))).bytes.slice(), "ONNX_LIMIT"],
    ["inputs of a node", () => holdingRaw(1, repeated(1, 2)), "ONNX_LIMIT"],
    ["outputs of a node", () => holdingRaw(1, repeated(2, 2)), "ONNX_LIMIT"],
    ["attributes of a node", () => holdingRaw(1, repeated(5, 2)), "ONNX_LIMIT"],
    ["floats of an attribute", () => attribute(repeated(7, 5)), "ONNX_LIMIT"],
    ["packed floats of an attribute", () => attribute(inside(7, new Uint8Array(4 * MANY)).bytes), "ONNX_LIMIT"],
    ["integers of an attribute", () => attribute(repeated(8, 0)), "ONNX_LIMIT"],
    ["packed integers of an attribute", () => attribute(inside(8, new Uint8Array(MANY)).bytes), "ONNX_LIMIT"],
    ["strings of an attribute", () => attribute(repeated(9, 2)), "ONNX_LIMIT"],
    ["tensors of an attribute", () => attribute(repeated(5, 2)), "ONNX_LIMIT"],
    ["dimensions of a tensor", () => raw(repeated(1, 0)), "ONNX_TENSOR"],
    ["packed dimensions of a tensor", () => raw(inside(1, new Uint8Array(MANY)).bytes), "ONNX_TENSOR"],
    ["float_data", () => raw(repeated(4, 5)), "ONNX_LIMIT"],
    ["int32_data", () => raw(repeated(5, 0)), "ONNX_LIMIT"],
    ["int64_data", () => raw(repeated(7, 0)), "ONNX_LIMIT"],
    ["uint64_data", () => raw(repeated(11, 0)), "ONNX_LIMIT"],
    ["external data entries", () => raw(repeated(13, 2)), "ONNX_LIMIT"],
    ["dimensions of an input", () => shape(repeated(1, 2)), "ONNX_TENSOR"],
  ];

  it.each(CASES)("%s", (_, bytes, code) => {
    expect(() => decodeModel(bytes())).toThrow(refused(code));
  });
});

describe("Node's Buffer, a view into a pool whose slice() copies nothing", () => {
  it("reads as the same bytes in an array of their own", () => {
    const w = { dtype: "float32" as const, shape: [3], data: Float32Array.of(1, -2, 3) };
    const index = { dtype: "int64" as const, shape: [2], data: BigInt64Array.of(2n, 0n) };
    const model = onnxModelBytes({
      nodes: [
        { op: "Mul", inputs: ["x", "w"], outputs: ["m"] },
        { op: "Gather", inputs: ["m", "index"], outputs: ["y"], attrs: { axis: 0 } },
      ],
      inputs: [{ name: "x", shape: [3] }],
      outputs: ["y"],
      initializers: { w, index },
    });
    for (let offset = 0; offset < 9; offset++) {
      const pool = Buffer.alloc(model.length + 32, 0xff);
      pool.set(model, offset);
      const [ours, index2] = decodeModel(pool.subarray(offset, offset + model.length)).graph.initializers;
      expect(ours && readTensor(ours)).toEqual(w);
      expect(index2 && readTensor(index2)).toEqual(index);
      expect(importOnnx(pool.subarray(offset, offset + model.length)).outputs.map((o) => o.name)).toEqual(["y"]);
    }
  });
});
