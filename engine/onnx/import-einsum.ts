// Einsum of one or two operands as Transpose, MatMul and ReduceSum.
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/value.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Converter } from "./import-node.ts";

interface Term {
  readonly v: Value;
  readonly labels: readonly string[];
}

/** Sums over the labels that occur nowhere else. */
function sumOut(b: Builder, { v, labels }: Term, keep: (label: string) => boolean): Term {
  const axes = labels.flatMap((l, i) => (keep(l) ? [] : [i]));
  return axes.length ? { v: b.sum(v, axes, false), labels: labels.filter(keep) } : { v, labels };
}

/** Orders the axes by `groups` and merges each group into one axis. */
function grouped(b: Builder, { v, labels }: Term, groups: readonly (readonly string[])[]): Value {
  const ordered = b.transpose(
    v,
    groups.flat().map((l) => labels.indexOf(l)),
  );
  const size = (l: string) => v.shape[labels.indexOf(l)] ?? 1;
  return b.reshape(
    ordered,
    groups.map((g) => sizeOf(g.map(size))),
  );
}

/** Batched product over the labels that both operands have and the result has not. */
function contract(b: Builder, left: Term, right: Term, out: readonly string[]): Term {
  const both = left.labels.filter((l) => right.labels.includes(l));
  const batch = both.filter((l) => out.includes(l));
  const inner = both.filter((l) => !out.includes(l));
  const rows = left.labels.filter((l) => !both.includes(l));
  const columns = right.labels.filter((l) => !both.includes(l));
  const product = b.matmul(grouped(b, left, [batch, rows, inner]), grouped(b, right, [batch, inner, columns]));
  const labels = [...batch, ...rows, ...columns];
  const size = (l: string) =>
    (left.labels.includes(l) ? left.v.shape[left.labels.indexOf(l)] : right.v.shape[right.labels.indexOf(l)]) ?? 1;
  return { v: b.reshape(product, labels.map(size)), labels };
}

/** ONNX Einsum without ellipsis and without a label twice in one operand. */
export const einsum: Converter = (n) => {
  const equation = n.string("equation", "").replaceAll(" ", "");
  const [inputs = "", given] = equation.split("->");
  const operands = inputs.split(",").map((labels, i): Term => ({ v: n.value(i), labels: [...labels] }));
  const counts = new Map<string, number>();
  for (const l of operands.flatMap((t) => t.labels)) counts.set(l, (counts.get(l) ?? 0) + 1);
  const implicit = [...counts].filter(([, count]) => count === 1).map(([l]) => l);
  const out = given === undefined ? implicit.sort() : [...given];
  const sound = operands.every((t) => t.labels.length === t.v.shape.length && new Set(t.labels).size === t.labels.length);
  if (!sound || operands.length > 2 || equation.includes(".") || out.some((l) => !counts.has(l)))
    throw n.error("ONNX_ATTRIBUTE", `einsum ${equation} is not supported`);
  const others = (t: Term, l: string) => out.includes(l) || operands.some((o) => o !== t && o.labels.includes(l));
  const [left, right] = operands.map((t) => sumOut(n.b, t, (l) => others(t, l)));
  if (!left) throw n.error("ONNX_NODE", "no operands");
  const result = right ? contract(n.b, left, right, out) : left;
  return [
    n.b.transpose(
      result.v,
      out.map((l) => result.labels.indexOf(l)),
    ),
  ];
};
