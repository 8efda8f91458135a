// The names of files in what is kept of a node: what it saved, and what it shows.
import { z } from "zod";
import { type FileRef, fileRef } from "../api/files.ts";
import type { RunDetail } from "../api/runs.ts";

type RunNode = RunDetail["nodes"][number];

/** A node with every file that it saved or shows under another name. */
export function savedIn(node: RunNode, named: (ref: FileRef) => FileRef): RunNode {
  return { ...node, files: node.files.map(named), ...(node.shown && { shown: renamed(node.shown, named) }) };
}

const list = z.record(z.string(), z.array(z.unknown()));

function renamed(shown: NonNullable<RunNode["shown"]>, named: (ref: FileRef) => FileRef): NonNullable<RunNode["shown"]> {
  return list.parse(walk(shown, named));
}

/** Anything in the form of a file's name is one, however deeply nested in what a node shows. */
function walk(value: unknown, named: (ref: FileRef) => FileRef): unknown {
  if (Array.isArray(value)) return value.map((item) => walk(item, named));
  if (typeof value !== "object" || value === null) return value;
  const { data } = fileRef.safeParse(value);
  // What a node shows from the input folder is not the run's.
  if (data && Object.keys(value).length === 3) return data.type === "input" ? value : named(data);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, named)]));
}

/** Names below the run's folder of all that its nodes saved or show. */
export function savedBy(nodes: readonly RunNode[]): ReadonlySet<string> {
  const names = new Set<string>();
  const note = (ref: FileRef): FileRef => {
    names.add([...(ref.type === "temp" ? ["temp"] : []), ...(ref.subfolder === "" ? [] : [ref.subfolder]), ref.filename].join("/"));
    return ref;
  };
  for (const node of nodes) savedIn(node, note);
  return names;
}
