// Writes ONNX models for tests in any opset's spelling: what exporters of other years produce.
import { ELEM_TYPE } from "../engine/onnx/elem-type.ts";
import { message, type ProtoWriter } from "../engine/onnx/proto.ts";
import type { DType } from "../engine/tensor/dtype.ts";
import { bytesOfTensor, type Tensor } from "../engine/tensor/tensor.ts";

type TestAttribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: Tensor }
  | { readonly graph: TestGraph };

export interface TestNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attrs?: Readonly<Record<string, TestAttribute>>;
  readonly domain?: string;
}

export interface TestGraph {
  readonly nodes: readonly TestNode[];
  readonly inputs?: readonly { readonly name: string; readonly dtype?: DType; readonly shape: readonly (number | string)[] }[];
  readonly outputs: readonly string[];
  readonly initializers?: Readonly<Record<string, Tensor | ProtoWriter>>;
}

/** TensorProto with inline data. */
export function tensorProto(name: string, t: Tensor): ProtoWriter {
  return message((w) => {
    for (const d of t.shape) w.int(1, d);
    w.int(2, ELEM_TYPE[t.dtype]);
    w.data(8, name);
    w.data(9, bytesOfTensor(t));
  });
}

/** TensorProto whose data lies elsewhere. */
export function externalProto(
  name: string,
  dtype: DType,
  shape: readonly number[],
  entries: Readonly<Record<string, string>>,
): ProtoWriter {
  return message((w) => {
    for (const d of shape) w.int(1, d);
    w.int(2, ELEM_TYPE[dtype]);
    w.data(8, name);
    for (const [key, value] of Object.entries(entries))
      w.data(
        13,
        message((e) => {
          e.data(1, key);
          e.data(2, value);
        }),
      );
    w.int(14, 1);
  });
}

function attributeProto(name: string, value: TestAttribute): ProtoWriter {
  return message((w) => {
    w.data(1, name);
    if (typeof value === "number") w.int(3, value);
    else if (typeof value === "string") w.data(4, value);
    else if ("float" in value) w.float(2, value.float);
    else if ("floats" in value) for (const x of value.floats) w.float(7, x);
    else if ("tensor" in value) w.data(5, tensorProto("", value.tensor));
    else if ("graph" in value) w.data(6, graphProto(value.graph));
    else for (const x of value) w.int(8, x);
    const type =
      typeof value === "number"
        ? 2
        : typeof value === "string"
          ? 3
          : "float" in value
            ? 1
            : "floats" in value
              ? 6
              : "tensor" in value
                ? 4
                : "graph" in value
                  ? 5
                  : 7;
    w.int(20, type);
  });
}

function valueInfo(name: string, dtype: DType, shape: readonly (number | string)[] | null): ProtoWriter {
  const type = message((t) => {
    t.int(1, ELEM_TYPE[dtype]);
    if (shape)
      t.data(
        2,
        message((s) => {
          for (const d of shape)
            s.data(
              1,
              message((dim) => (typeof d === "number" ? dim.int(1, d) : dim.data(2, d))),
            );
        }),
      );
  });
  return message((w) => {
    w.data(1, name);
    w.data(
      2,
      message((t) => t.data(1, type)),
    );
  });
}

export function graphProto(graph: TestGraph): ProtoWriter {
  return message((g) => {
    for (const node of graph.nodes)
      g.data(
        1,
        message((n) => {
          for (const i of node.inputs) n.data(1, i);
          for (const o of node.outputs) n.data(2, o);
          n.data(3, `test/${node.outputs[0]}`);
          n.data(4, node.op);
          for (const [name, value] of Object.entries(node.attrs ?? {})) n.data(5, attributeProto(name, value));
          if (node.domain) n.data(7, node.domain);
        }),
      );
    g.data(2, "test");
    for (const [name, t] of Object.entries(graph.initializers ?? {})) g.data(5, "dtype" in t ? tensorProto(name, t) : t);
    for (const i of graph.inputs ?? []) g.data(11, valueInfo(i.name, i.dtype ?? "float32", i.shape));
    for (const o of graph.outputs)
      g.data(
        12,
        message((w) => w.data(1, o)),
      );
  });
}

/** A whole model file. */
export function onnxModelBytes(graph: TestGraph, opset = 21): Uint8Array {
  const domains = new Set(graph.nodes.flatMap((n) => (n.domain ? [n.domain] : [])));
  return message((m) => {
    m.int(1, 8);
    m.data(7, graphProto(graph));
    for (const [domain, version] of [["", opset] as const, ...[...domains].map((d) => [d, 1] as const)])
      m.data(
        8,
        message((o) => {
          o.data(1, domain);
          o.int(2, version);
        }),
      );
  }).bytes.slice();
}
