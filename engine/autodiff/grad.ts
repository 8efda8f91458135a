// Reverse mode over the op table. A gradient is again a graph of table ops, so it can be differentiated again.
import { AppError } from "../base/errors.ts";
import type { Builder } from "../ir/builder.ts";
import { reach } from "../ir/graph.ts";
import type { Node, Value } from "../ir/value.ts";
import { expandTo, sumTo, zerosLike } from "../ops/gradient.ts";
import { opRow } from "../ops/table.ts";
import { isFloat } from "../tensor/dtype.ts";
import { broadcastShapes, sizeOf } from "../tensor/shape.ts";

/**
 * d loss / d wrt, each in the shape and dtype of its value; zeros where nothing flows.
 * @param loss one float element
 * @param wrt float inputs, weights or intermediate values
 * @throws AppError AUTODIFF_LOSS, AUTODIFF_WRT, AUTODIFF_NO_RULE
 */
export function grad(b: Builder, loss: Value, wrt: readonly Value[]): readonly Value[] {
  if (!isFloat(loss.dtype) || sizeOf(loss.shape) !== 1)
    throw new AppError("AUTODIFF_LOSS", `a loss is one float, got ${loss.dtype} [${loss.shape}]`, { hint: "reduce it with sum or mean" });
  return vjp(b, [loss], [expandTo(b, b.scalar(1, loss.dtype), loss.shape)], wrt);
}

/**
 * Vector-Jacobian product: Σᵢ cotangentsᵢ · d outputsᵢ / d wrt. Walks only what connects `wrt` to `outputs`.
 * @param cotangents one per output, of its shape
 * @throws AppError AUTODIFF_WRT, AUTODIFF_NO_RULE naming op and node
 */
export function vjp(b: Builder, outputs: readonly Value[], cotangents: readonly Value[], wrt: readonly Value[]): readonly Value[] {
  for (const v of wrt) if (!isFloat(v.dtype)) throw new AppError("AUTODIFF_WRT", `cannot differentiate by a ${v.dtype} value`);
  const { nodes } = reach({ outputs: Object.fromEntries(outputs.map((v, i) => [String(i), v])) });
  const active = activeValues(nodes, wrt);
  // Gradients so far. One may be smaller than its value: it then means its broadcast, which is made only on demand.
  const grads = new Map<number, Value>();
  const add = (v: Value, g: Value) => {
    const before = grads.get(v.id);
    grads.set(v.id, before ? b.add(before, g) : g);
  };
  outputs.forEach((v, i) => {
    const g = cotangents[i];
    if (g && active.has(v.id)) add(v, g);
  });
  for (let k = nodes.length - 1; k >= 0; k--) {
    const node = nodes[k];
    if (node?.outputs.some((v) => active.has(v.id) && grads.has(v.id))) pullBack(b, node, active, grads, add);
  }
  return wrt.map((v) => {
    const g = grads.get(v.id);
    return g ? expandTo(b, g, v.shape) : zerosLike(b, v.shape, v.dtype);
  });
}

/** Ids of the float values that depend on `wrt`. */
function activeValues(nodes: readonly Node[], wrt: readonly Value[]): Set<number> {
  const active = new Set(wrt.map((v) => v.id));
  for (const node of nodes)
    if (node.inputs.some((v) => v && active.has(v.id))) for (const v of node.outputs) if (isFloat(v.dtype)) active.add(v.id);
  return active;
}

function pullBack(
  b: Builder,
  node: Node,
  active: ReadonlySet<number>,
  grads: ReadonlyMap<number, Value>,
  add: (v: Value, g: Value) => void,
): void {
  const needs = node.inputs.map((v) => v !== null && active.has(v.id));
  if (!needs.some(Boolean)) return;
  const row = opRow(node.op);
  const rule = row.vjp;
  if (typeof rule !== "function") {
    if (rule.kind === "zero") return;
    const where = node.scope === "" ? `node ${node.id}` : `node ${node.id} of ${node.scope}`;
    throw new AppError("AUTODIFF_NO_RULE", `no gradient through ${node.op} (${where}): ${rule.reason}`, {
      details: { op: node.op, node: node.id, scope: node.scope },
    });
  }
  const dys = node.outputs.map((v) => {
    const g = grads.get(v.id);
    if (!g) return null;
    return row.elementwise ? g : expandTo(b, g, v.shape);
  });
  const results = rule({ b, inputs: node.inputs, outputs: node.outputs, dys, attrs: node.attrs, needs });
  node.inputs.forEach((v, i) => {
    const g = results[i];
    if (!v || !g || !needs[i]) return;
    if (g.dtype !== v.dtype) throw new AppError("AUTODIFF_RULE", `the rule of ${node.op} gave ${g.dtype} for a ${v.dtype} input`);
    // Elementwise: g stands for its broadcast to the result. Others: g is exact, or still to be broadcast to the input.
    const virtual = row.elementwise ? (node.outputs[0]?.shape ?? g.shape) : broadcastShapes(g.shape, v.shape);
    add(v, sumTo(b, g, virtual, v.shape));
  });
}
