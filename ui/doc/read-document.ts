// Workflow JSON → document, and back without loss.
import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";
import { readWorkflow } from "../../engine/graph/parse-workflow.ts";
import type {
  BoundarySlot,
  Doc,
  DocGraph,
  DocGroup,
  DocInput,
  DocLink,
  DocNode,
  DocOutput,
  DocReroute,
  DocSubgraph,
  Id,
  Rect,
} from "./document.ts";

const id = z.union([z.string(), z.number(), z.bigint().transform(String)]);
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((v) => v ?? []);
const record = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((v) => v ?? {});
const number = z.number().catch(0);
/** Positions are arrays, or typed arrays that were saved as objects. */
const pair = z
  .union([z.tuple([number, number], z.unknown()), z.looseObject({ 0: number, 1: number })])
  .transform((p): readonly [number, number] => [p[0], p[1]]);
const rect = z
  .tuple([number, number, number, number], z.unknown())
  .transform((r): Rect => [r[0], r[1], r[2], r[3]])
  .catch([0, 0, 0, 0]);

/** Keys stay in the order of the file, so that what is saved twice is the same bytes. */
function ordered<T extends object>(schema: z.ZodType<T>): z.ZodType<T> {
  return z.unknown().transform((raw, ctx): T => {
    const result = schema.safeParse(raw);
    if (!result.success) {
      for (const { message, path } of result.error.issues) ctx.issues.push({ code: "custom", message, path, input: raw });
      return z.NEVER;
    }
    const order = new Map(Object.keys(typeof raw === "object" && raw !== null ? raw : {}).map((key, i) => [key, i]));
    const at = (key: string): number => order.get(key) ?? order.size;
    return Object.fromEntries(Object.entries(result.data).sort(([a], [b]) => at(a) - at(b))) as T;
  });
}

const input: z.ZodType<DocInput> = z
  .looseObject({
    name: z.string().nullish(),
    type: z.unknown(),
    link: id.nullish(),
    widget: z.looseObject({ name: z.string() }).nullish(),
  })
  .transform(({ widget, ...i }): DocInput => ({ ...i, name: i.name ?? "", link: i.link ?? null, ...(widget && { widget }) }));
const output: z.ZodType<DocOutput> = z
  .looseObject({ name: z.string().nullish(), type: z.unknown(), links: z.array(id).nullish() })
  .transform((o): DocOutput => ({ ...o, name: o.name ?? "", links: o.links ?? null }));
const node: z.ZodType<DocNode> = z
  .looseObject({
    id,
    type: z.string(),
    pos: pair.catch([0, 0]),
    size: pair.catch([0, 0]),
    flags: record,
    mode: z
      .number()
      .nullish()
      .transform((m) => m ?? 0),
    inputs: list(ordered(input)),
    outputs: list(ordered(output)),
    properties: record,
    widgets_values: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]).nullish(),
    title: z.string().nullish(),
    color: z.string().nullish(),
    bgcolor: z.string().nullish(),
  })
  .transform(
    ({ widgets_values, title, color, bgcolor, ...n }): DocNode => ({
      ...n,
      ...(widgets_values && { widgets_values }),
      ...(typeof title === "string" && { title }),
      ...(typeof color === "string" && { color }),
      ...(typeof bgcolor === "string" && { bgcolor }),
    }),
  );
const group: z.ZodType<DocGroup> = z
  .looseObject({ title: z.string().nullish(), bounding: rect, color: z.string().nullish() })
  .transform(({ color, ...g }): DocGroup => ({ ...g, title: g.title ?? "", ...(typeof color === "string" && { color }) }));
const reroute: z.ZodType<DocReroute> = z
  .looseObject({ id, parentId: id.nullish(), pos: pair, linkIds: list(id) })
  .transform(({ parentId, ...r }): DocReroute => ({ ...r, ...(parentId !== null && parentId !== undefined && { parentId }) }));
const linkArray = z.tuple([id, id, z.number(), id, z.number()], z.unknown()).transform(
  ([link, origin_id, origin_slot, target_id, target_slot, type]): DocLink => ({
    id: link,
    origin_id,
    origin_slot,
    target_id,
    target_slot,
    type: type ?? "*",
  }),
);
const linkObject = z
  .looseObject({
    id,
    origin_id: id,
    origin_slot: z.number(),
    target_id: id,
    target_slot: z.number(),
    type: z.unknown(),
    parentId: id.nullish(),
  })
  .transform(
    ({ parentId, ...l }): DocLink => ({ ...l, type: l.type ?? "*", ...(parentId !== null && parentId !== undefined && { parentId }) }),
  );
const links = list(z.union([linkArray, linkObject]).nullable()).transform((all) => all.filter((l) => l !== null));
const graph = z.looseObject({ nodes: z.array(ordered(node)), links, groups: list(ordered(group)), reroutes: list(ordered(reroute)) });
const boundary: z.ZodType<BoundarySlot> = z
  .looseObject({ id: z.string().nullish(), name: z.string().nullish(), type: z.unknown(), linkIds: list(id) })
  .transform((s): BoundarySlot => ({ ...s, id: s.id ?? "", name: s.name ?? "" }));
const ioNode = z
  .looseObject({ bounding: rect })
  .nullish()
  .transform((n): Rect => n?.bounding ?? [0, 0, 0, 0]);
const subgraph = graph.extend({
  id: z.string(),
  name: z.string().nullish(),
  inputs: list(ordered(boundary)),
  outputs: list(ordered(boundary)),
  inputNode: ioNode,
  outputNode: ioNode,
});
const nested = z.looseObject({ definitions: z.looseObject({ subgraphs: list(z.unknown()) }).nullish() });
const extraSchema = z.looseObject({
  reroutes: list(ordered(reroute)),
  linkExtensions: list(z.looseObject({ id, parentId: id.nullish() })),
});

/**
 * Reads a UI workflow of either version. Run `parseJson` on the text first.
 * @throws AppError with the first issue when it is not a workflow, or is over the limits
 */
export function readDocument(value: unknown): Doc {
  const checked = readWorkflow(value);
  if (!checked.ok) {
    const [first] = checked.issues;
    throw new AppError(
      first?.code ?? "WORKFLOW_SHAPE",
      first?.message ?? "not a workflow",
      first?.hint === undefined ? {} : { hint: first.hint },
    );
  }
  const source = z.record(z.string(), z.unknown()).parse(value);
  const root = graph.parse(source);
  const version = source.version === 1 ? 1 : 0.4;
  const base: DocGraph = { nodes: root.nodes, links: root.links, groups: root.groups, reroutes: root.reroutes, source };
  return { ...(version === 1 ? base : withExtensions(base)), version, subgraphs: readSubgraphs(source) };
}

/** Version 0.4 keeps reroutes and what links know of them under `extra`. */
function withExtensions(doc: DocGraph): DocGraph {
  const extra = extraSchema.safeParse(doc.source.extra);
  if (!extra.success) return doc;
  const parents = new Map(extra.data.linkExtensions.map((e) => [String(e.id), e.parentId]));
  return {
    ...doc,
    reroutes: extra.data.reroutes,
    links: doc.links.map((l) => {
      const parentId = parents.get(String(l.id));
      return parentId === undefined || parentId === null ? l : { ...l, parentId };
    }),
  };
}

function readSubgraphs(value: unknown): DocSubgraph[] {
  const holder = nested.safeParse(value);
  const all = holder.success ? (holder.data.definitions?.subgraphs ?? []) : [];
  return all.flatMap((raw) => {
    const { nodes, links, groups, reroutes, id, name, inputs, outputs, inputNode, outputNode } = subgraph.parse(raw);
    const { definitions: _, ...source } = z.record(z.string(), z.unknown()).parse(raw);
    return [
      { nodes, links, groups, reroutes, source, id, name: name ?? "", inputs, outputs, inputNode, outputNode },
      ...readSubgraphs(raw),
    ];
  });
}

/** What is saved: plain JSON (with bigint where a seed needs it), in the version it was read in. */
export function writeDocument(doc: Doc): Record<string, unknown> {
  const { source } = doc;
  const definitions =
    doc.subgraphs.length > 0 ? { definitions: { ...record.parse(source.definitions), subgraphs: doc.subgraphs.map(writeSubgraph) } } : {};
  const shared = { ...source, nodes: doc.nodes, groups: doc.groups, ...definitions };
  if (doc.subgraphs.length === 0 && record.safeParse(source.definitions).success && source.definitions !== undefined)
    Object.assign(shared, { definitions: { ...record.parse(source.definitions), subgraphs: [] } });
  if (doc.version === 1)
    return {
      ...shared,
      links: doc.links,
      ...reroutesOf(doc),
      state: { ...record.parse(source.state), ...lastIds(doc, record.parse(source.state)) },
      version: 1,
    };
  const extensions = doc.links.flatMap((l) => (l.parentId === undefined ? [] : [{ id: l.id, parentId: l.parentId }]));
  const extra = record.parse(source.extra);
  const routed = doc.reroutes.length > 0 || extensions.length > 0 || "reroutes" in extra || "linkExtensions" in extra;
  const last = lastIds(doc, { lastNodeId: source.last_node_id, lastLinkId: source.last_link_id });
  return {
    ...shared,
    links: doc.links.map((l) => [l.id, l.origin_id, l.origin_slot, l.target_id, l.target_slot, l.type]),
    ...(routed ? { extra: { ...extra, reroutes: doc.reroutes, linkExtensions: extensions } } : {}),
    last_node_id: last.lastNodeId,
    last_link_id: last.lastLinkId,
    version: source.version ?? 0.4,
  };
}

function writeSubgraph(s: DocSubgraph): Record<string, unknown> {
  const { source } = s;
  return {
    ...source,
    id: s.id,
    name: s.name,
    inputs: s.inputs,
    outputs: s.outputs,
    inputNode: { ...record.parse(source.inputNode), bounding: s.inputNode },
    outputNode: { ...record.parse(source.outputNode), bounding: s.outputNode },
    nodes: s.nodes,
    links: s.links,
    groups: s.groups,
    ...reroutesOf(s),
    state: { ...record.parse(source.state), ...lastIds(s, record.parse(source.state)) },
  };
}

function reroutesOf(graph: DocGraph): { readonly reroutes?: readonly DocReroute[] } {
  return graph.reroutes.length > 0 || "reroutes" in graph.source ? { reroutes: graph.reroutes } : {};
}

function lastIds(graph: DocGraph, before: Readonly<Record<string, unknown>>): { readonly lastNodeId: number; readonly lastLinkId: number } {
  const highest = (ids: readonly Id[], last: unknown): number =>
    ids.reduce<number>((m, i) => (typeof i === "number" && i > m ? i : m), typeof last === "number" ? last : 0);
  return {
    lastNodeId: highest(
      graph.nodes.map((n) => n.id),
      before.lastNodeId,
    ),
    lastLinkId: highest(
      graph.links.map((l) => l.id),
      before.lastLinkId,
    ),
  };
}

/** An empty canvas. */
export function emptyDocument(id: string): Doc {
  return readDocument({
    id,
    revision: 0,
    last_node_id: 0,
    last_link_id: 0,
    nodes: [],
    links: [],
    groups: [],
    config: {},
    extra: {},
    version: 0.4,
  });
}
