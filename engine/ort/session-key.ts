import { createHash } from "node:crypto";
import { nameOf } from "../ir/graph.ts";
import { printGraph } from "../ir/print.ts";
import type { Graph, Value } from "../ir/value.ts";
import type { Stamps } from "./file-stamps.ts";

/**
 * Equal for graphs that one session can serve: the same structure, and the same weights. Weights in files are the same by place and version of
 * the file, those in host memory when they are the same array: no numbers are read. (A tensor is never changed in place once it is in a graph.)
 * @param fed weights that are fed instead of baked in: only their names count
 */
export function sessionKey(graph: Graph, fed: readonly string[], stamps: Stamps): string {
  const isFed = new Set(fed);
  const weights = (v: Value): string => (isFed.has(nameOf(v)) ? `fed ${JSON.stringify(nameOf(v))}` : identity(v, stamps));
  return createHash("sha256")
    .update(printGraph(graph, { weights, scopes: false }))
    .digest("hex");
}

function identity(v: Value, stamps: Stamps): string {
  if (v.def.kind !== "weight") throw new RangeError(`value ${v.id} is no weight`);
  const { name, source } = v.def;
  const where =
    source.kind === "file" ? [source.path, source.offset, source.length, stamps.get(source.path)] : ["host", arrayId(source.tensor.data)];
  return JSON.stringify([name, ...where]);
}

const ids = new WeakMap<object, number>();
let lastId = 0;

function arrayId(array: object): number {
  const known = ids.get(array) ?? ++lastId;
  ids.set(array, known);
  return known;
}
