// What must hold for every graph. Tests run it after each pass; what is emitted is always checked (engine/onnx/verify-emitted.ts).
import { AppError, toAppError } from "../base/errors.ts";
import type { Issue } from "../base/issues.ts";
import { sameShape, sizeOf } from "../tensor/shape.ts";
import type { OpTypes } from "./builder.ts";
import { reach } from "./graph.ts";
import { fills, type Graph, type Node, type Value } from "./value.ts";

/**
 * Every violation of the IR's rules, empty when the graph is sound: values are defined once and before use (SSA), stored
 * types equal re-inferred ones, literals and weights fill their shapes, names are unique, and a scope is one contiguous run.
 */
export function verifyGraph(graph: Graph, types: OpTypes): readonly Issue[] {
  const issues: Issue[] = [];
  const report = (code: string, path: readonly (string | number)[], message: string) => issues.push({ code, path, message });
  const { inputs, weights, constants, nodes } = reach(graph);
  const defined = new Set<number>();
  const define = (v: Value) => {
    if (defined.has(v.id)) report("IR_SSA", [v.id], `value ${v.id} is defined twice`);
    defined.add(v.id);
  };
  for (const v of [...inputs, ...weights, ...constants]) {
    define(v);
    checkLeaf(v, report);
  }
  checkNames([...inputs, ...weights], report);
  for (const node of nodes) {
    for (const v of node.inputs)
      if (v && !defined.has(v.id)) report("IR_ORDER", [node.id], `${node.op} uses value ${v.id} before it is made`);
    node.outputs.forEach((v, i) => {
      define(v);
      if (v.def.kind !== "node" || v.def.node !== node || v.def.index !== i)
        report("IR_SSA", [node.id], `output ${i} of ${node.op} belongs to another node`);
    });
    checkTypes(node, types, report);
  }
  checkScopes(nodes, report);
  return issues;
}

/** Throws IR_VERIFY with all issues when the graph is not sound. */
export function assertSound(graph: Graph, types: OpTypes): void {
  const issues = verifyGraph(graph, types);
  if (issues.length === 0) return;
  const text = issues.slice(0, 5).map((i) => `${i.code} at ${i.path.join("/")}: ${i.message}`);
  throw new AppError("IR_VERIFY", text.join("; "), { details: { issues } });
}

type Report = (code: string, path: readonly (string | number)[], message: string) => void;

function checkLeaf(v: Value, report: Report): void {
  if (v.shape.some((d) => !Number.isInteger(d) || d < 0)) report("IR_SHAPE", [v.id], `[${v.shape}] is no shape`);
  if (v.def.kind === "constant" && (v.def.tensor.dtype !== v.dtype || v.def.tensor.data.length !== sizeOf(v.shape)))
    report("IR_CONSTANT", [v.id], `the literal does not fill ${v.dtype} [${v.shape}]`);
  if (v.def.kind !== "weight") return;
  const { name, source } = v.def;
  const bytes = source.kind === "file" ? source.length : source.tensor.data.byteLength;
  if (!fills(source, v)) report("IR_WEIGHT", [name], `${bytes} bytes do not fill ${v.dtype} [${v.shape}]`);
}

function checkNames(leaves: readonly Value[], report: Report): void {
  const seen = new Set<string>();
  for (const v of leaves) {
    if (v.def.kind !== "input" && v.def.kind !== "weight") continue;
    if (seen.has(v.def.name)) report("IR_NAME", [v.def.name], "two inputs or weights share this name");
    seen.add(v.def.name);
  }
}

function checkTypes(node: Node, types: OpTypes, report: Report): void {
  try {
    const inferred = types.infer(node.op, node.inputs, node.attrs);
    if (inferred.length !== node.outputs.length)
      report("IR_TYPE", [node.id], `${node.op} has ${node.outputs.length} outputs, not ${inferred.length}`);
    node.outputs.forEach((v, i) => {
      const t = inferred[i];
      if (t && (t.dtype !== v.dtype || !sameShape(t.shape, v.shape)))
        report("IR_TYPE", [node.id, i], `${node.op} gives ${t.dtype} [${t.shape}], stored as ${v.dtype} [${v.shape}]`);
    });
  } catch (error) {
    report("IR_TYPE", [node.id], toAppError(error).message);
  }
}

function checkScopes(nodes: readonly Node[], report: Report): void {
  const closed = new Set<string>();
  let current = "";
  for (const { id, scope } of nodes) {
    if (scope === current) continue;
    if (current !== "") closed.add(current);
    if (closed.has(scope)) report("IR_SCOPE", [id], `scope ${scope} is opened again`);
    current = scope;
  }
}
