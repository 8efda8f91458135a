// What to run, in which order, under which cache keys. Same graph and files, same plan, byte for byte.
import { sha256 } from "../base/hash.ts";
import { stringifyJson } from "../base/json.ts";
import type { FileKind } from "./catalogue.ts";
import { sourcesFirst } from "./order.ts";
import type { Link } from "./prompt.ts";
import type { ValidGraph, ValidNode } from "./valid-graph.ts";

/** An input that comes from another step. */
export interface StepLink {
  readonly id: string;
  readonly slot: number;
  /** The output's name in the source's declaration. */
  readonly output: string;
}

/** One call of one node. Plain data: it can be sent to another process (with bigint) and printed. */
export interface Step {
  readonly id: string;
  readonly type: string;
  readonly version: string;
  readonly title: string;
  /** 64 hexadecimal digits; null = never cached, because the node or something it depends on must run each time. */
  readonly key: string | null;
  readonly isOutput: boolean;
  readonly widgets: Readonly<Record<string, unknown>>;
  /** Sockets and linked widgets. A linked widget's value has to go through `parseWidget` when it arrives. */
  readonly links: Readonly<Record<string, StepLink>>;
  readonly extra: Readonly<Record<string, StepLink>>;
}

export interface Plan {
  /** Sources first. */
  readonly steps: readonly Step[];
}

/** A widget value that names a file. */
export interface FileReference {
  readonly node: string;
  readonly input: string;
  readonly kind: FileKind;
  readonly name: string;
}

export interface PlanOptions {
  /** Content identity of each of {@link fileReferences}, by {@link fileId}. A step whose file is not here is never cached. */
  readonly fingerprints?: ReadonlyMap<string, string>;
  /** Only these outputs. */
  readonly targets?: readonly string[];
}

/** The files whose content decides results; look their fingerprints up before planning. */
export function fileReferences(graph: ValidGraph): FileReference[] {
  return [...graph.nodes.values()].flatMap((node) =>
    [...node.declaration.inputs.values()].flatMap((input) => {
      const name = node.widgets[input.name];
      return input.kind === "widget" && input.file && typeof name === "string" && name !== ""
        ? [{ node: node.id, input: input.name, kind: input.file, name }]
        : [];
    }),
  );
}

/** `input:NAME` or `model:FOLDER/NAME`. */
export function fileId(kind: FileKind, name: string): string {
  return kind.kind === "input" ? `input:${name}` : `model:${kind.folder}/${name}`;
}

export function plan(graph: ValidGraph, options: PlanOptions = {}): Plan {
  const { fingerprints = new Map(), targets } = options;
  const roots = targets ? graph.outputs.filter((id) => targets.includes(id)) : graph.outputs;
  const { order } = sourcesFirst(roots, (id) => {
    const node = graph.nodes.get(id);
    return node ? [...node.links.values(), ...node.extra.values()].map(([source]) => source) : [];
  });
  const keys = new Map<string, string | null>();
  const steps = order.flatMap((id): Step[] => {
    const node = graph.nodes.get(id);
    if (!node) return [];
    const key = cacheKey(node, keys, fingerprints);
    keys.set(id, key);
    const { type, version, isOutput } = node.declaration;
    const resolve = (links: ReadonlyMap<string, Link>): Readonly<Record<string, StepLink>> =>
      Object.fromEntries(
        [...links].map(([name, [source, slot]]) => [
          name,
          { id: source, slot, output: graph.nodes.get(source)?.declaration.outputs[slot]?.name ?? "" },
        ]),
      );
    return [
      {
        id,
        type,
        version,
        title: node.title,
        key,
        isOutput,
        widgets: node.widgets,
        links: resolve(node.links),
        extra: resolve(node.extra),
      },
    ];
  });
  return { steps };
}

/** sha256 over type, version and inputs; links count by what they come from (its key and the slot), never by node id. */
function cacheKey(node: ValidNode, keys: ReadonlyMap<string, string | null>, fingerprints: ReadonlyMap<string, string>): string | null {
  const { type, version, cache, inputs } = node.declaration;
  if (cache === "never") return null;
  const parts: unknown[] = [type, version];
  for (const [name, link] of [...node.links, ...node.extra]) {
    const source = keys.get(link[0]);
    const input = inputs.get(name);
    // A file whose name is not known yet can't be fingerprinted.
    if (!source || (input?.kind === "widget" && input.file)) return null;
    parts.push([name, "link", source, link[1]]);
  }
  for (const name of Object.keys(node.widgets).sort()) {
    const input = inputs.get(name);
    const value = node.widgets[name];
    if (input?.kind === "widget" && input.file && typeof value === "string" && value !== "") {
      const fingerprint = fingerprints.get(fileId(input.file, value));
      if (fingerprint === undefined) return null;
      parts.push([name, "file", value, fingerprint]);
    } else parts.push([name, "value", value]);
  }
  return sha256(stringifyJson(parts));
}
