// Nodes into a subgraph and back out. The prompt a graph gives is the same before and after, ids apart.

import {
  type BoundarySlot,
  type Doc,
  type DocLink,
  type DocNode,
  type DocSubgraph,
  graphAt,
  type Id,
  INPUT_NODE,
  linkById,
  nodeById,
  OUTPUT_NODE,
  type Place,
  sameId,
  typeName,
  withGraph,
} from "./document.ts";
import { attach, type End, nextLinkId, nextNodeId, removeLinks } from "./links.ts";
import type { NodeFaces } from "./node-face.ts";
import { naturalSize, outerRect } from "./node-layout.ts";
import { settleNode } from "./settle.ts";
import { proxiesOf, setWidgetValue, widgetsOf } from "./widgets.ts";

/** Replaces nodes by one instance of a new definition; links across the border become its sockets. */
export function convertToSubgraph(doc: Doc, place: Place, faces: NodeFaces, ids: readonly Id[], name: string, uuid: string): Doc {
  const graph = graphAt(doc, place);
  const nodes = ids.flatMap((id) => nodeById(graph, id) ?? []);
  const chosen = new Set(nodes.map((n) => String(n.id)));
  if (nodes.length === 0 || doc.subgraphs.some((s) => s.id === uuid)) return doc;
  const has = (id: Id): boolean => chosen.has(String(id));
  const inner = graph.links.filter((l) => has(l.origin_id) && has(l.target_id));
  const incoming = graph.links.filter((l) => !has(l.origin_id) && has(l.target_id));
  const outgoing = graph.links.filter((l) => has(l.origin_id) && !has(l.target_id));
  const rects = nodes.map(outerRect);
  const left = Math.min(...rects.map((r) => r[0]));
  const top = Math.min(...rects.map((r) => r[1]));
  const right = Math.max(...rects.map((r) => r[0] + r[2]));
  let next = nextLinkId(graph);

  const sources = unique(incoming.map((l): End => ({ node: l.origin_id, slot: l.origin_slot })));
  const results = unique(outgoing.map((l): End => ({ node: l.origin_id, slot: l.origin_slot })));
  const names = new Set<string>();
  const inputSlots = sources.map((end, i): BoundarySlot => {
    const first = incoming.find((l) => sameId(l.origin_id, end.node) && l.origin_slot === end.slot);
    const target = first && nodeById(graph, first.target_id)?.inputs[first.target_slot];
    return {
      id: `${uuid}-in-${i}`,
      name: fresh(target?.name || typeName(first?.type).toLowerCase(), names),
      type: target ? target.type : (first?.type ?? "*"),
      linkIds: [],
    };
  });
  const outNames = new Set<string>();
  const outputSlots = results.map((end, i): BoundarySlot => {
    const output = nodeById(graph, end.node)?.outputs[end.slot];
    return { id: `${uuid}-out-${i}`, name: fresh(output?.name || "output", outNames), type: output?.type ?? "*", linkIds: [] };
  });
  const innerLinks: DocLink[] = [
    ...inner,
    ...incoming.map((l): DocLink => {
      const { parentId: _, ...rest } = l;
      return {
        ...rest,
        id: next++,
        origin_id: INPUT_NODE,
        origin_slot: sources.findIndex((s) => sameId(s.node, l.origin_id) && s.slot === l.origin_slot),
      };
    }),
    ...results.map(
      (end, i): DocLink => ({
        id: next++,
        origin_id: end.node,
        origin_slot: end.slot,
        target_id: OUTPUT_NODE,
        target_slot: i,
        type: outputSlots[i]?.type ?? "*",
      }),
    ),
  ];
  const kept = new Set(inner.flatMap((l) => (l.parentId === undefined ? [] : [String(l.id)])));
  const bare: DocSubgraph = {
    id: uuid,
    name,
    nodes: nodes.map((n) => ({
      ...n,
      inputs: n.inputs.map((i) => ({ ...i, link: null })),
      outputs: n.outputs.map((o) => ({ ...o, links: o.links && [] })),
    })),
    links: [],
    groups: [],
    reroutes: graph.reroutes.filter((r) => r.linkIds.some((id) => kept.has(String(id)))),
    source: { version: 1, revision: 0, config: {}, state: {}, widgets: [], extra: {} },
    inputs: inputSlots,
    outputs: outputSlots,
    inputNode: [left - 220, top, 120, 60],
    outputNode: [right + 100, top, 120, 60],
  };
  const withDefinition: Doc = { ...doc, subgraphs: [...doc.subgraphs, bare] };
  const defined = attach(withDefinition, uuid, faces, innerLinks);

  const id = nextNodeId(graph);
  const cut = removeLinks(
    defined,
    place,
    [...inner, ...incoming, ...outgoing].map((l) => l.id),
  );
  const now = graphAt(cut, place);
  const instance: DocNode = settleNode(
    cut,
    {
      id,
      type: uuid,
      pos: [left + (right - left) / 2 - 120, top + 30],
      size: [0, 0],
      flags: {},
      order: 0,
      mode: 0,
      inputs: inputSlots.map((s) => ({ name: s.name, type: s.type, link: null })),
      outputs: outputSlots.map((s) => ({ name: s.name, type: s.type, links: null })),
      properties: {},
      title: name,
      widgets_values: [],
    },
    faces,
  );
  const placed = withGraph(cut, place, { nodes: [...now.nodes.filter((n) => !has(n.id)), instance] });
  const outer: DocLink[] = [
    ...sources.map(
      (s, i): DocLink => ({
        id: next++,
        origin_id: s.node,
        origin_slot: s.slot,
        target_id: id,
        target_slot: i,
        type: inputSlots[i]?.type ?? "*",
      }),
    ),
    ...outgoing.map((l): DocLink => {
      const { parentId: _, ...rest } = l;
      return {
        ...rest,
        id: next++,
        origin_id: id,
        origin_slot: results.findIndex((r) => sameId(r.node, l.origin_id) && r.slot === l.origin_slot),
      };
    }),
  ];
  return attach(placed, place, faces, outer);
}

/** Puts the nodes of an instance back in its place, with the values it gave them. */
export function unpackSubgraph(doc: Doc, place: Place, faces: NodeFaces, id: Id): Doc {
  const graph = graphAt(doc, place);
  const instance = nodeById(graph, id);
  const definition = instance && doc.subgraphs.find((s) => s.id === instance.type);
  if (!instance || !definition) return doc;
  const promoted = widgetsOf(doc, instance, faces);
  const proxies = Array.isArray(instance.properties.proxyWidgets) ? instance.properties.proxyWidgets : [];
  let nextNode = nextNodeId(graph);
  let nextLink = nextLinkId(graph);
  const ids = new Map<string, number>(definition.nodes.map((n) => [String(n.id), nextNode++]));
  const xs = definition.nodes.map((n) => outerRect(n)[0]);
  const ys = definition.nodes.map((n) => outerRect(n)[1]);
  const dx = instance.pos[0] - (xs.length > 0 ? Math.min(...xs) : 0);
  const dy = instance.pos[1] - 30 - (ys.length > 0 ? Math.min(...ys) : 0);
  const nodes = definition.nodes.map((n): DocNode => {
    let node = n;
    for (const [at, proxy] of proxies.entries()) {
      const [inner, name]: readonly unknown[] = Array.isArray(proxy) ? proxy : [];
      const state = promoted.find((p) => p.at === at);
      if (String(inner) === String(n.id) && typeof name === "string" && state) node = setWidgetValue(doc, node, faces, name, state.value);
    }
    for (const state of promoted)
      for (const link of definition.links)
        if (
          sameId(link.origin_id, INPUT_NODE) &&
          definition.inputs[link.origin_slot]?.name === state.face.name &&
          sameId(link.target_id, n.id)
        ) {
          const widget = n.inputs[link.target_slot]?.widget?.name;
          if (widget !== undefined) node = setWidgetValue(doc, node, faces, widget, state.value);
        }
    return {
      ...node,
      id: ids.get(String(n.id)) ?? n.id,
      pos: [n.pos[0] + dx, n.pos[1] + dy],
      mode: instance.mode === 0 ? n.mode : instance.mode,
      inputs: node.inputs.map((i) => ({ ...i, link: null })),
      outputs: node.outputs.map((o) => ({ ...o, links: o.links && [] })),
    };
  });
  const outer = graph.links.filter((l) => sameId(l.origin_id, id) || sameId(l.target_id, id));
  const links: DocLink[] = [];
  const source = (l: DocLink): End | undefined => {
    if (!sameId(l.origin_id, INPUT_NODE)) return { node: ids.get(String(l.origin_id)) ?? l.origin_id, slot: l.origin_slot };
    const name = definition.inputs[l.origin_slot]?.name;
    const outside = linkById(graph, instance.inputs.find((i) => i.name === name)?.link);
    return outside && { node: outside.origin_id, slot: outside.origin_slot };
  };
  for (const l of definition.links) {
    const from = source(l);
    if (!from) continue;
    const { parentId: _, ...rest } = l;
    if (!sameId(l.target_id, OUTPUT_NODE)) {
      links.push({
        ...rest,
        id: nextLink++,
        origin_id: from.node,
        origin_slot: from.slot,
        target_id: ids.get(String(l.target_id)) ?? l.target_id,
      });
      continue;
    }
    for (const out of outer)
      if (sameId(out.origin_id, id) && out.origin_slot === l.target_slot)
        links.push({
          ...rest,
          id: nextLink++,
          origin_id: from.node,
          origin_slot: from.slot,
          target_id: out.target_id,
          target_slot: out.target_slot,
        });
  }
  const cut = removeLinks(
    doc,
    place,
    outer.map((l) => l.id),
  );
  const now = graphAt(cut, place);
  const placed = withGraph(cut, place, { nodes: [...now.nodes.filter((n) => !sameId(n.id, id)), ...nodes] });
  return attach(placed, place, faces, links);
}

/** Shows a widget of an inner node on every instance, or takes it away again. */
export function promoteWidget(doc: Doc, place: string, inner: Id, name: string, on: boolean, faces: NodeFaces): Doc {
  const change = (n: DocNode): DocNode => {
    if (n.type !== place) return n;
    const before = proxiesOf(n);
    const at = before.findIndex(([id, widget]) => id === String(inner) && widget === name);
    if (at >= 0 === on) return n;
    const values: readonly unknown[] = Array.isArray(n.widgets_values) ? n.widgets_values : [];
    const next = on
      ? { proxyWidgets: [...before, [String(inner), name]], values: [...before.map((_, i) => values[i] ?? null), null] }
      : { proxyWidgets: before.filter((_, i) => i !== at), values: values.filter((_, i) => i !== at) };
    const changed = { ...n, properties: { ...n.properties, proxyWidgets: next.proxyWidgets }, widgets_values: next.values };
    return { ...changed, size: [n.size[0], Math.max(n.size[1], naturalSize(doc, changed, faces)[1])] };
  };
  return { ...doc, nodes: doc.nodes.map(change), subgraphs: doc.subgraphs.map((s) => ({ ...s, nodes: s.nodes.map(change) })) };
}

/** Whether an instance of the subgraph shows this widget of an inner node. */
export function isPromoted(doc: Doc, place: string, inner: Id, name: string): boolean {
  const instances = [doc, ...doc.subgraphs].flatMap((g) => g.nodes.filter((n) => n.type === place));
  return instances.some((n) => proxiesOf(n).some(([id, widget]) => id === String(inner) && widget === name));
}

function unique(ends: readonly End[]): End[] {
  return ends.filter((e, i) => ends.findIndex((o) => sameId(o.node, e.node) && o.slot === e.slot) === i);
}

function fresh(name: string, taken: Set<string>): string {
  let candidate = name;
  for (let n = 2; taken.has(candidate); n++) candidate = `${name}_${n}`;
  taken.add(candidate);
  return candidate;
}
