// Links: what may be joined, and the graph with a link made or cut. Both ends always agree with the list of links.

import type { WidgetType } from "../../engine/graph/catalogue.ts";
import { socketFeedsWidget, socketsMatch } from "../../engine/graph/socket-match.ts";
import {
  type BoundarySlot,
  type Doc,
  type DocGraph,
  type DocInput,
  type DocLink,
  type DocNode,
  type DocReroute,
  type DocSubgraph,
  graphAt,
  type Id,
  INPUT_NODE,
  isSubgraph,
  linkById,
  nodeById,
  OUTPUT_NODE,
  type Place,
  sameId,
  typeName,
  withGraph,
} from "./document.ts";
import type { NodeFaces } from "./node-face.ts";
import { growVariadic } from "./settle.ts";

export interface End {
  readonly node: Id;
  readonly slot: number;
}

const WIDGET_TYPES = new Set(["INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"]);
const isWidgetType = (type: string): type is WidgetType => WIDGET_TYPES.has(type);

/** Whether an output of one type may feed an input of another. `widget`: the input doubles a widget. */
export function typesFit(output: string, input: string, widget: boolean): boolean {
  return widget && isWidgetType(input) ? socketFeedsWidget(output, input) : socketsMatch(output, input);
}

/** The type an end of a link has; boundary nodes of a subgraph included. */
export function outputType(graph: DocGraph, end: End): string | undefined {
  if (sameId(end.node, INPUT_NODE) && isSubgraph(graph)) return boundaryType(graph.inputs, end.slot);
  const output = nodeById(graph, end.node)?.outputs[end.slot];
  return output && typeName(output.type);
}

export function inputOf(graph: DocGraph, end: End): { readonly type: string; readonly widget: boolean; readonly name: string } | undefined {
  if (sameId(end.node, OUTPUT_NODE) && isSubgraph(graph)) {
    const type = boundaryType(graph.outputs, end.slot);
    return type === undefined ? undefined : { type, widget: false, name: "" };
  }
  const input = nodeById(graph, end.node)?.inputs[end.slot];
  return input && { type: typeName(input.type), widget: input.widget !== undefined, name: input.name };
}

/** The slot after the last is the free one: it takes anything and becomes a slot of its own. */
function boundaryType(slots: readonly BoundarySlot[], slot: number): string | undefined {
  const found = slots[slot];
  return found ? typeName(found.type) : slot === slots.length ? "*" : undefined;
}

/** Why two ends can't be joined, naming both sides; undefined when they can. */
export function refusal(graph: DocGraph, from: End, to: End): string | undefined {
  const output = outputType(graph, from);
  const input = inputOf(graph, to);
  if (output === undefined || !input) return "one end of this link does not exist";
  if (sameId(from.node, to.node)) return "a node can't feed itself";
  if (!typesFit(output, input.type, input.widget)) return `${output} does not fit ${input.type}`;
  if (leadsTo(graph, to.node, from.node)) return "these nodes would wait for each other";
  return undefined;
}

/** Whether following the links from `start` leads to `goal`. */
export function leadsTo(graph: DocGraph, start: Id, goal: Id): boolean {
  const next = new Map<string, string[]>();
  for (const l of graph.links) next.set(String(l.origin_id), [...(next.get(String(l.origin_id)) ?? []), String(l.target_id)]);
  const seen = new Set<string>();
  const open = [String(start)];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at === String(goal)) return true;
    if (seen.has(at)) continue;
    seen.add(at);
    open.push(...(next.get(at) ?? []));
  }
  return false;
}

/** The first output of one node that fits a free input of another, and which: the inputs that are required come first. */
export function bestPair(graph: DocGraph, from: Id, to: Id, faces: NodeFaces): { readonly from: End; readonly to: End } | undefined {
  const source = nodeById(graph, from);
  const target = nodeById(graph, to);
  if (!source || !target || from === to) return undefined;
  const face = faces.get(target.type);
  const rank = (i: DocInput): number => {
    const declared = face?.inputs.find((f) => f.name === i.name);
    const optional = declared?.kind === "socket" ? declared.optional : true;
    return (i.link === null ? 0 : 8) + (i.widget ? 4 : 0) + (optional ? 1 : 0) + (typeName(i.type) === "*" ? 2 : 0);
  };
  const inputs = [...target.inputs.entries()].sort(([, a], [, b]) => rank(a) - rank(b));
  for (const [slot] of inputs)
    for (const [out, output] of source.outputs.entries()) {
      const pair = { from: { node: from, slot: out }, to: { node: to, slot } };
      if (typeName(output.type) !== "*" && refusal(graph, pair.from, pair.to) === undefined) return pair;
    }
  return undefined;
}

export function nextLinkId(graph: DocGraph): number {
  const last = [graph.source.last_link_id, stateOf(graph).lastLinkId].filter((n) => typeof n === "number");
  return Math.max(0, ...last, ...graph.links.map((l) => (typeof l.id === "number" ? l.id : 0))) + 1;
}

export function nextNodeId(graph: DocGraph): number {
  const last = [graph.source.last_node_id, stateOf(graph).lastNodeId].filter((n) => typeof n === "number");
  return Math.max(0, ...last, ...graph.nodes.map((n) => (typeof n.id === "number" ? n.id : 0))) + 1;
}

function stateOf(graph: DocGraph): Readonly<Record<string, unknown>> {
  const { state } = graph.source;
  return typeof state === "object" && state !== null ? Object.fromEntries(Object.entries(state)) : {};
}

/** Joins two ends; a link that was in the input is replaced. @throws RangeError when they don't fit */
export function connect(doc: Doc, place: Place, faces: NodeFaces, from: End, to: End, parentId?: Id): Doc {
  const why = refusal(graphAt(doc, place), from, to);
  if (why !== undefined) throw new RangeError(why);
  const grown = growBoundary(doc, place, from, to);
  if (grown !== doc) return connect(grown, place, faces, from, to, parentId);
  const graph = graphAt(doc, place);
  const old = graph.links.filter((l) => sameId(l.target_id, to.node) && l.target_slot === to.slot).map((l) => l.id);
  const cleared = old.length > 0 ? removeLinks(doc, place, old) : doc;
  const now = graphAt(cleared, place);
  const link: DocLink = {
    id: nextLinkId(now),
    origin_id: from.node,
    origin_slot: from.slot,
    target_id: to.node,
    target_slot: to.slot,
    type: outputType(now, from) ?? "*",
    ...(parentId !== undefined && { parentId }),
  };
  return attach(cleared, place, faces, [link]);
}

/** A link to the free slot of a subgraph's border makes a slot of it, on the definition and on every instance. */
function growBoundary(doc: Doc, place: Place, from: End, to: End): Doc {
  const graph = graphAt(doc, place);
  if (place === null || !isSubgraph(graph)) return doc;
  const slotOf = (name: string, type: unknown, taken: readonly BoundarySlot[]): BoundarySlot => {
    let unique = name === "" ? "value" : name;
    for (let n = 2; taken.some((s) => s.name === unique); n++) unique = `${name}_${n}`;
    return { id: `${place}-${unique}`, name: unique, type, linkIds: [] };
  };
  const instances = (change: (node: DocNode) => DocNode): Doc => {
    const each = (n: DocNode): DocNode => (n.type === place ? change(n) : n);
    return { ...doc, nodes: doc.nodes.map(each), subgraphs: doc.subgraphs.map((s) => ({ ...s, nodes: s.nodes.map(each) })) };
  };
  if (sameId(from.node, INPUT_NODE) && from.slot === graph.inputs.length) {
    const target = inputOf(graph, to);
    const slot = slotOf(target?.name ?? "", target?.type ?? "*", graph.inputs);
    const grown = instances((n) => ({ ...n, inputs: [...n.inputs, { name: slot.name, type: slot.type, link: null }] }));
    return withGraph(grown, place, { inputs: [...graph.inputs, slot] });
  }
  if (sameId(to.node, OUTPUT_NODE) && to.slot === graph.outputs.length) {
    const name = nodeById(graph, from.node)?.outputs[from.slot]?.name ?? "";
    const slot = slotOf(name, outputType(graph, from) ?? "*", graph.outputs);
    const grown = instances((n) => ({ ...n, outputs: [...n.outputs, { name: slot.name, type: slot.type, links: null }] }));
    return withGraph(grown, place, { outputs: [...graph.outputs, slot] });
  }
  return doc;
}

/** Adds finished links to both their ends. */
export function attach(doc: Doc, place: Place, faces: NodeFaces, links: readonly DocLink[]): Doc {
  const graph = graphAt(doc, place);
  const nodes = new Map(graph.nodes.map((n) => [String(n.id), n]));
  for (const link of links) {
    const source = nodes.get(String(link.origin_id));
    if (source)
      nodes.set(String(link.origin_id), {
        ...source,
        outputs: source.outputs.map((o, i) => (i === link.origin_slot ? { ...o, links: [...(o.links ?? []), link.id] } : o)),
      });
    const target = nodes.get(String(link.target_id));
    if (target) {
      const inputs = target.inputs.map((x, i) => (i === link.target_slot ? { ...x, link: link.id } : x));
      const face = faces.get(target.type);
      nodes.set(String(link.target_id), { ...target, inputs: face ? growVariadic(face, inputs) : inputs });
    }
  }
  return withGraph(doc, place, {
    nodes: [...nodes.values()],
    links: [...graph.links, ...links],
    ...boundaries(graph, [...graph.links, ...links]),
    reroutes: rerouted(graph.reroutes, [...graph.links, ...links]),
  });
}

export function removeLinks(doc: Doc, place: Place, ids: readonly Id[]): Doc {
  const graph = graphAt(doc, place);
  const gone = new Set(ids.map(String));
  const links = graph.links.filter((l) => !gone.has(String(l.id)));
  if (links.length === graph.links.length) return doc;
  const nodes = graph.nodes.map((n) => {
    const touched =
      n.inputs.some((i) => i.link !== null && gone.has(String(i.link))) || n.outputs.some((o) => o.links?.some((l) => gone.has(String(l))));
    if (!touched) return n;
    return {
      ...n,
      inputs: n.inputs.map((i) => (i.link !== null && gone.has(String(i.link)) ? { ...i, link: null } : i)),
      outputs: n.outputs.map((o) =>
        o.links?.some((l) => gone.has(String(l))) ? { ...o, links: o.links.filter((l) => !gone.has(String(l))) } : o,
      ),
    };
  });
  return withGraph(doc, place, { nodes, links, ...boundaries(graph, links), reroutes: rerouted(graph.reroutes, links) });
}

/** A subgraph's slots list their links too. */
export function boundaries(graph: DocGraph, links: readonly DocLink[]): Partial<Pick<DocSubgraph, "inputs" | "outputs">> {
  if (!isSubgraph(graph)) return {};
  return {
    inputs: graph.inputs.map((s, slot) => ({
      ...s,
      linkIds: links.filter((l) => sameId(l.origin_id, INPUT_NODE) && l.origin_slot === slot).map((l) => l.id),
    })),
    outputs: graph.outputs.map((s, slot) => ({
      ...s,
      linkIds: links.filter((l) => sameId(l.target_id, OUTPUT_NODE) && l.target_slot === slot).map((l) => l.id),
    })),
  };
}

/** Reroutes carry the links that pass them; one that carries nothing is gone. */
function rerouted(reroutes: readonly DocReroute[], links: readonly DocLink[]): readonly DocReroute[] {
  if (reroutes.length === 0) return reroutes;
  const parents = new Map(reroutes.map((r) => [String(r.id), r.parentId]));
  const carried = new Map<string, Id[]>();
  for (const link of links) {
    const seen = new Set<string>();
    for (let at = link.parentId; at !== undefined && !seen.has(String(at)); at = parents.get(String(at))) {
      seen.add(String(at));
      carried.set(String(at), [...(carried.get(String(at)) ?? []), link.id]);
    }
  }
  return reroutes.flatMap((r) => {
    const ids = carried.get(String(r.id));
    if (!ids) return "floating" in r && r.floating ? [r] : [];
    return [ids.length === r.linkIds.length && ids.every((id, i) => sameId(id, r.linkIds[i])) ? r : { ...r, linkIds: ids }];
  });
}

/** A bend in a link. Every link that shares the stretch up to `link`'s end keeps its own way. */
export function addReroute(doc: Doc, place: Place, link: Id, pos: readonly [number, number]): Doc {
  const graph = graphAt(doc, place);
  const found = linkById(graph, link);
  if (!found) return doc;
  const id = Math.max(0, ...graph.reroutes.map((r) => (typeof r.id === "number" ? r.id : 0))) + 1;
  const reroute: DocReroute = { id, ...(found.parentId !== undefined && { parentId: found.parentId }), pos, linkIds: [found.id] };
  const links = graph.links.map((l) => (l === found ? { ...l, parentId: id } : l));
  return withGraph(doc, place, { links, reroutes: rerouted([...graph.reroutes, reroute], links) });
}

export function removeReroutes(doc: Doc, place: Place, ids: readonly Id[]): Doc {
  const graph = graphAt(doc, place);
  let { links, reroutes } = graph;
  for (const id of ids) {
    const gone = reroutes.find((r) => sameId(r.id, id));
    if (!gone) continue;
    const skip = <T extends { readonly parentId?: Id }>(item: T): T => {
      if (!sameId(item.parentId, id)) return item;
      const { parentId: _, ...rest } = item;
      return { ...rest, ...(gone.parentId !== undefined && { parentId: gone.parentId }) } as T;
    };
    links = links.map(skip);
    reroutes = reroutes.filter((r) => r !== gone).map(skip);
  }
  return withGraph(doc, place, { links, reroutes });
}

export function outputsOf(node: DocNode): readonly string[] {
  return node.outputs.map((o) => typeName(o.type));
}
