// The workflow as the editor holds it: immutable, in one form for both file versions, with every unknown key kept.

/** ComfyUI's ids are whole numbers, some tools write text. */
export type Id = number | string;

export interface DocInput {
  readonly name: string;
  readonly type: unknown;
  readonly link: Id | null;
  /** The widget this socket doubles. */
  readonly widget?: { readonly name: string };
  readonly [key: string]: unknown;
}

export interface DocOutput {
  readonly name: string;
  readonly type: unknown;
  readonly links: readonly Id[] | null;
  readonly [key: string]: unknown;
}

export type Point = readonly [x: number, y: number];
export type Rect = readonly [x: number, y: number, width: number, height: number];

export interface DocNode {
  readonly id: Id;
  readonly type: string;
  /** Top left corner of the body; the title is above it. */
  readonly pos: Point;
  readonly size: Point;
  readonly flags: Readonly<Record<string, unknown>>;
  /** 0 always, 2 muted, 4 bypassed. */
  readonly mode: number;
  readonly inputs: readonly DocInput[];
  readonly outputs: readonly DocOutput[];
  readonly properties: Readonly<Record<string, unknown>>;
  readonly widgets_values?: readonly unknown[] | Readonly<Record<string, unknown>>;
  readonly title?: string;
  readonly color?: string;
  readonly bgcolor?: string;
  readonly [key: string]: unknown;
}

export interface DocLink {
  readonly id: Id;
  readonly origin_id: Id;
  readonly origin_slot: number;
  readonly target_id: Id;
  readonly target_slot: number;
  readonly type: unknown;
  /** The last reroute on the way, seen from the target. */
  readonly parentId?: Id;
  readonly [key: string]: unknown;
}

export interface DocGroup {
  readonly title: string;
  readonly bounding: Rect;
  readonly color?: string;
  readonly [key: string]: unknown;
}

export interface DocReroute {
  readonly id: Id;
  readonly parentId?: Id;
  readonly pos: Point;
  readonly linkIds: readonly Id[];
  readonly [key: string]: unknown;
}

export interface DocGraph {
  readonly nodes: readonly DocNode[];
  readonly links: readonly DocLink[];
  readonly groups: readonly DocGroup[];
  readonly reroutes: readonly DocReroute[];
  /** The object as it was in the file; the fields above replace its own when it is written. */
  readonly source: Readonly<Record<string, unknown>>;
}

export interface BoundarySlot {
  readonly id: string;
  readonly name: string;
  readonly type: unknown;
  readonly linkIds: readonly Id[];
  readonly [key: string]: unknown;
}

/** A subgraph's definition. Links from its inputs have origin -10, links to its outputs target -20. */
export interface DocSubgraph extends DocGraph {
  readonly id: string;
  readonly name: string;
  readonly inputs: readonly BoundarySlot[];
  readonly outputs: readonly BoundarySlot[];
  readonly inputNode: Rect;
  readonly outputNode: Rect;
}

export interface Doc extends DocGraph {
  readonly version: 0.4 | 1;
  /** Every definition; those nested in the file are brought up here. */
  readonly subgraphs: readonly DocSubgraph[];
}

/** The graph a command works on: the workflow itself, or the definition with this id. */
export type Place = string | null;

export const INPUT_NODE = -10;
export const OUTPUT_NODE = -20;
export const ALWAYS = 0;
export const MUTED = 2;
export const BYPASSED = 4;

export function sameId(a: Id | null | undefined, b: Id | null | undefined): boolean {
  return a !== null && a !== undefined && b !== null && b !== undefined && String(a) === String(b);
}

/** @throws RangeError when no such subgraph exists */
export function graphAt(doc: Doc, place: Place): DocGraph | DocSubgraph {
  if (place === null) return doc;
  const found = doc.subgraphs.find((s) => s.id === place);
  if (!found) throw new RangeError(`there is no subgraph ${place}`);
  return found;
}

export function isSubgraph(graph: DocGraph): graph is DocSubgraph {
  return "inputNode" in graph;
}

export function subgraphOf(doc: Doc, node: DocNode): DocSubgraph | undefined {
  return doc.subgraphs.find((s) => s.id === node.type);
}

/** The document with one of its graphs replaced. */
export function withGraph(doc: Doc, place: Place, change: Partial<DocSubgraph>): Doc {
  if (place === null) return { ...doc, ...change, subgraphs: doc.subgraphs } as Doc;
  return { ...doc, subgraphs: doc.subgraphs.map((s) => (s.id === place ? { ...s, ...change } : s)) };
}

interface Index {
  readonly nodes: ReadonlyMap<string, DocNode>;
  readonly links: ReadonlyMap<string, DocLink>;
}
const indices = new WeakMap<DocGraph, Index>();

function indexOf(graph: DocGraph): Index {
  let index = indices.get(graph);
  if (!index) {
    index = {
      nodes: new Map(graph.nodes.map((n) => [String(n.id), n])),
      links: new Map(graph.links.map((l) => [String(l.id), l])),
    };
    indices.set(graph, index);
  }
  return index;
}

export function nodeById(graph: DocGraph, id: Id): DocNode | undefined {
  return indexOf(graph).nodes.get(String(id));
}

export function linkById(graph: DocGraph, id: Id | null | undefined): DocLink | undefined {
  return id === null || id === undefined ? undefined : indexOf(graph).links.get(String(id));
}

/** A socket's type as text: legacy combos are lists, and a missing type accepts anything. */
export function typeName(type: unknown): string {
  if (typeof type === "string") return type === "" ? "*" : type;
  return Array.isArray(type) ? "COMBO" : "*";
}
