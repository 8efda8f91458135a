// What to run, and in which order. Same graph and files, same plan, byte for byte.
import { AppError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { stringifyJson } from "../base/json.ts";
import type { CatalogueInput, FileKind } from "./catalogue.ts";
import type { Link } from "./prompt.ts";
import { sourcesFirst } from "./sources-first.ts";
import { consumersOf, reach, type SkippedOutput, type ValidGraph, type ValidNode } from "./valid-graph.ts";

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
  /**
   * Hash of the step without its links: 64 hexadecimal digits over type, version, values and files. null = it runs each time. Its cache
   * key comes from this and from its sources' keys: see `cacheKey`.
   */
  readonly own: string | null;
  /** The key of a kept result to use instead of running: the step's sources are not in the plan. */
  readonly pinned?: string | undefined;
  readonly isOutput: boolean;
  readonly widgets: Readonly<Record<string, unknown>>;
  /** Sockets and linked widgets. A linked widget's value has to go through `parseWidget` when it arrives. */
  readonly links: Readonly<Record<string, StepLink>>;
  readonly extra: Readonly<Record<string, StepLink>>;
}

export interface Plan {
  /** Sources first. */
  readonly steps: readonly Step[];
  /** Outputs of the workflow that are left out, because something they need is wrong. */
  readonly skipped: readonly SkippedOutput[];
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
  /** Node id → key of the result it is to keep. Without targets, only outputs that depend on one of them are made. */
  readonly pinned?: ReadonlyMap<string, string>;
}

/** The files whose content decides results; look their fingerprints up before planning. */
export function fileReferences(graph: ValidGraph): FileReference[] {
  return [...graph.nodes.values()].flatMap(({ id, declaration, widgets }) =>
    [...filesNamed(declaration.inputs.values(), widgets)].map((file) => ({ node: id, ...file })),
  );
}

/** The files that a node's own widgets name. Only widgets that are declared to name a file do. */
export function* filesNamed(
  inputs: Iterable<CatalogueInput>,
  widgets: Readonly<Record<string, unknown>>,
): Generator<Omit<FileReference, "node">> {
  for (const input of inputs) {
    const name = widgets[input.name];
    if (input.kind === "widget" && input.file && typeof name === "string" && name !== "")
      yield { input: input.name, kind: input.file, name };
  }
}

/** `input:NAME` or `model:FOLDER/NAME`. */
export function fileId(kind: FileKind, name: string): string {
  return kind.kind === "input" ? `input:${name}` : `model:${kind.folder}/${name}`;
}

/** @throws AppError PIN_UNKNOWN when a pinned node is not in the graph */
export function plan(graph: ValidGraph, options: PlanOptions = {}): Plan {
  const { fingerprints = new Map(), targets, pinned = new Map() } = options;
  for (const id of pinned.keys())
    if (!graph.nodes.has(id))
      throw new AppError("PIN_UNKNOWN", `node ${id} is pinned, but no output asks for it`, {
        hint: "unpin it, or connect it to an output",
      });
  const below = pinned.size > 0 && !targets ? reach(pinned.keys(), consumersOf(graph.nodes)) : undefined;
  const isWanted = (id: string): boolean => (targets?.includes(id) ?? true) && (below?.has(id) ?? true);
  const { order } = sourcesFirst(graph.outputs.filter(isWanted), (id) => {
    const node = graph.nodes.get(id);
    return node && !pinned.has(id) ? [...node.links.values(), ...node.extra.values()].map(([source]) => source) : [];
  });
  const resolve = (links: ReadonlyMap<string, Link>): Readonly<Record<string, StepLink>> =>
    Object.fromEntries(
      [...links].map(([name, [source, slot]]) => [
        name,
        { id: source, slot, output: graph.nodes.get(source)?.declaration.outputs[slot]?.name ?? "" },
      ]),
    );
  const steps = order.flatMap((id): Step[] => {
    const node = graph.nodes.get(id);
    if (!node) return [];
    const { type, version, isOutput } = node.declaration;
    const pin = pinned.get(id);
    const of = { id, type, version, title: node.title, own: ownPart(node, fingerprints), isOutput, widgets: node.widgets };
    if (pin !== undefined) return [{ ...of, pinned: pin, links: {}, extra: {} }];
    return [{ ...of, links: resolve(node.links), extra: resolve(node.extra) }];
  });
  return { steps, skipped: graph.skipped.filter(({ id }) => isWanted(id)) };
}

/** See {@link Step.own}. */
function ownPart({ declaration, widgets }: ValidNode, fingerprints: ReadonlyMap<string, string>): string | null {
  const { type, version, cache, inputs } = declaration;
  if (cache === "never") return null;
  const parts: unknown[] = [type, version];
  for (const name of Object.keys(widgets).sort()) {
    const input = inputs.get(name);
    const value = widgets[name];
    if (input?.kind === "widget" && input.file && typeof value === "string" && value !== "") {
      const fingerprint = fingerprints.get(fileId(input.file, value));
      if (fingerprint === undefined) return null;
      parts.push([name, "file", value, fingerprint]);
    } else parts.push([name, "value", value]);
  }
  return sha256(stringifyJson(parts));
}
