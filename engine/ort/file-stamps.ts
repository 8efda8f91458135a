// Which version of a weight file a graph was compiled for.
import { fstatSync, statSync } from "node:fs";
import { AppError } from "../base/errors.ts";
import { reach } from "../ir/graph.ts";
import type { Graph, Value } from "../ir/value.ts";

/** By path: device, inode, size and times of a file. */
export type Stamps = ReadonlyMap<string, string>;

/** @param file a path or an open descriptor */
export function fileStamp(file: string | number): string {
  const s = typeof file === "number" ? fstatSync(file, { bigint: true }) : statSync(file, { bigint: true });
  return [s.dev, s.ino, s.size, s.mtimeNs, s.ctimeNs].join(":");
}

/** Stamps of every weight file of a graph. A session over a file that was replaced since must not be used again. */
export function fileStamps(graph: Graph): Stamps {
  const stamps = new Map<string, string>();
  for (const { def } of reach(graph).weights)
    if (def.kind === "weight" && def.source.kind === "file" && !stamps.has(def.source.path))
      stamps.set(def.source.path, fileStamp(def.source.path));
  return stamps;
}

/** @throws AppError ORT_WEIGHT when a file was replaced or written to */
export function expectStamp(path: string, now: string, stamps: Stamps): void {
  if (stamps.get(path) !== now)
    throw new AppError("ORT_WEIGHT", `${path} has changed on disk since this graph was compiled`, {
      hint: "run again when nothing writes to it",
    });
}

/** Tells apart the contents of any two file weights. */
export function weightKey(v: Value, stamps: Stamps): string {
  const source = v.def.kind === "weight" && v.def.source.kind === "file" ? v.def.source : undefined;
  if (!source) throw new RangeError(`value ${v.id} is no weight of a file`);
  return [stamps.get(source.path), source.path, source.offset, source.length, v.dtype, v.shape].join("|");
}
