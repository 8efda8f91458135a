// The document as litegraph objects. litegraph moves and hits them; it never decides what is in them.
import {
  type INodeInputSlot,
  type INodeOutputSlot,
  LGraph,
  LGraphGroup,
  LGraphNode,
  LLink,
  type Rect as LRect,
  Reroute,
} from "@comfyorg/litegraph";
import {
  type BoundarySlot,
  type Doc,
  type DocGraph,
  type DocNode,
  type DocSubgraph,
  graphAt,
  type Id,
  INPUT_NODE,
  isSubgraph,
  OUTPUT_NODE,
  type Place,
  type Point,
  sameId,
  typeName,
} from "../doc/document.ts";
import type { NodeFaces } from "../doc/node-face.ts";
import { COLLAPSED_WIDTH, layoutNode, type NodeLayout, SLOT_HEIGHT, TITLE_HEIGHT } from "../doc/node-layout.ts";
import { isKnown } from "../doc/widgets.ts";

/** litegraph gives -10 and -20 a meaning of its own. */
const BOUNDARY: Readonly<Record<string, string>> = { [INPUT_NODE]: "boundary-in", [OUTPUT_NODE]: "boundary-out" };
export function stageId(id: Id): Id {
  return BOUNDARY[String(id)] ?? id;
}
export function docId(id: Id): Id {
  return id === "boundary-in" ? INPUT_NODE : id === "boundary-out" ? OUTPUT_NODE : id;
}

/** litegraph passes a context for measuring text; {@link StageNode.measure} needs none. */
const NO_CONTEXT = undefined as unknown as CanvasRenderingContext2D;

/** litegraph's points are tuples or typed arrays. */
export function xy(p: ArrayLike<number>): Point {
  return [p[0] ?? 0, p[1] ?? 0];
}

/** How far from its centre a socket can be taken. */
export const SLOT_REACH = 14;

export type Box = [x: number, y: number, width: number, height: number];

export class StageNode extends LGraphNode {
  docNode: DocNode;
  layout: NodeLayout;
  isKnown: boolean;
  /** [x, y, width, height] with the title. */
  readonly outer: Box = [0, 0, 0, 0];
  /** Slots drawn hollow. */
  optional: ReadonlySet<number> = new Set();

  constructor(node: DocNode, layout: NodeLayout, known: boolean) {
    super(node.type, node.type);
    this.id = stageId(node.id);
    this.docNode = node;
    this.layout = layout;
    this.isKnown = known;
    this.show(node, layout, known);
  }

  show(node: DocNode, layout: NodeLayout, known: boolean): void {
    this.docNode = node;
    this.layout = layout;
    this.isKnown = known;
    this.pos = [node.pos[0], node.pos[1]];
    this.size = [Math.max(node.size[0], layout.min[0]), Math.max(node.size[1], layout.min[1])];
    this.flags = { collapsed: node.flags.collapsed === true, pinned: node.flags.pinned === true };
    this._collapsed_width = COLLAPSED_WIDTH;
    const isBoundary = sameId(node.id, INPUT_NODE) || sameId(node.id, OUTPUT_NODE);
    this.resizable = !isBoundary;
    const slot = (name: string, type: unknown, at: readonly [number, number] | undefined) => ({
      name,
      type: typeName(type),
      pos: [at?.[0] ?? 0, at?.[1] ?? 0] as [number, number],
      boundingRect: new Float32Array(4) as unknown as LRect,
    });
    // litegraph takes plain objects for slots; its types ask for the classes.
    this.inputs = node.inputs.map((i, n) => ({
      ...slot(i.name, i.type, layout.inputs[n]),
      link: i.link as number | null,
    })) as unknown as INodeInputSlot[];
    this.outputs = node.outputs.map((o, n) => ({
      ...slot(o.name, o.type, layout.outputs[n]),
      links: o.links ? ([...o.links] as number[]) : null,
    })) as unknown as INodeOutputSlot[];
    this.place();
  }

  /** Sockets on the right follow the width. */
  relayout(layout: NodeLayout): void {
    this.layout = layout;
    for (const [i, at] of layout.inputs.entries()) {
      const input = this.inputs[i];
      if (input) input.pos = [at[0], at[1]];
    }
    for (const [i, at] of layout.outputs.entries()) {
      const output = this.outputs[i];
      if (output) output.pos = [at[0], at[1]];
    }
  }

  place(): void {
    this.measure(this.outer);
    this.updateArea(NO_CONTEXT);
  }

  override measure(out: LRect): void {
    out[0] = this.pos[0];
    out[1] = this.pos[1] - TITLE_HEIGHT;
    out[2] = this.flags.collapsed ? COLLAPSED_WIDTH : this.size[0];
    out[3] = (this.flags.collapsed ? 0 : this.size[1]) + TITLE_HEIGHT;
  }

  /** Sockets stand out over the edge: their outer halves belong to the node. */
  override isPointInside(x: number, y: number): boolean {
    const [left, top, width, height] = this.outer;
    if (x >= left && x <= left + width && y >= top && y <= top + height) return true;
    if (this.flags.collapsed || y < top || y > top + height) return false;
    const row = y - this.pos[1];
    const near = (at: readonly [number, number]): boolean => Math.abs(at[1] - row) <= SLOT_HEIGHT / 2;
    if (x > left + width && x <= left + width + SLOT_REACH) return this.layout.outputs.some(near);
    return x < left && x >= left - SLOT_REACH && this.layout.inputs.some(near);
  }

  override isPointInCollapse(): boolean {
    return false;
  }
  override computeSize(): [number, number] {
    return [this.layout.min[0], this.layout.min[1]];
  }
}

export class StageGroup extends LGraphGroup {
  /** Position in the document's list. */
  index = 0;
}

export interface ProjectionOptions {
  /** The node shows pictures or text and needs room for them. */
  readonly hasPreview: (node: DocNode) => boolean;
}

export class Projection {
  readonly graph = new LGraph();
  #shown: DocGraph | undefined;
  #faces: NodeFaces | undefined;
  #previews = new Map<string, boolean>();
  /** Of subgraph definitions and promoted widgets: any change to them may change any instance. */
  #subgraphs: Doc["subgraphs"] | undefined;

  /** Brings the graph up to the document; nodes that did not change are left as they are. */
  show(doc: Doc, place: Place, faces: NodeFaces, options: ProjectionOptions): void {
    const shown = graphAt(doc, place);
    const { graph } = this;
    const all = this.#faces !== faces || this.#subgraphs !== doc.subgraphs;
    const nodes = isSubgraph(shown) ? [...shown.nodes, ...boundaryNodes(shown)] : shown.nodes;
    const wanted = new Set(nodes.map((n) => String(stageId(n.id))));
    for (const node of [...graph._nodes]) if (!wanted.has(String(node.id))) this.#drop(node);
    for (const node of nodes) {
      const preview = options.hasPreview(node);
      const key = String(stageId(node.id));
      const existing = graph._nodes_by_id[key];
      if (existing instanceof StageNode) {
        if (!all && existing.docNode === node && this.#previews.get(key) === preview) continue;
        if (isSameBoundary(existing.docNode, node)) continue;
        this.#update(existing, doc, node, faces, preview);
      } else {
        const known = isKnown(doc, node, faces) || isBoundary(node);
        const made = new StageNode(node, layoutNode(doc, node, faces, { preview }), known);
        made.optional = optionalSlots(node, faces);
        graph.add(made, true);
      }
      this.#previews.set(key, preview);
    }
    if (this.#shown?.links !== shown.links || this.#shown?.nodes !== shown.nodes || this.#shown?.reroutes !== shown.reroutes)
      this.#links(shown);
    if (this.#shown?.groups !== shown.groups) this.#groups(shown);
    this.#shown = shown;
    this.#faces = faces;
    this.#subgraphs = doc.subgraphs;
  }

  node(id: Id): StageNode | undefined {
    const node = this.graph._nodes_by_id[String(stageId(id))];
    return node instanceof StageNode ? node : undefined;
  }

  get nodes(): readonly StageNode[] {
    return this.graph._nodes.filter((n) => n instanceof StageNode);
  }
  get groups(): readonly StageGroup[] {
    return this.graph._groups.filter((g) => g instanceof StageGroup);
  }

  #update(stage: StageNode, doc: Doc, node: DocNode, faces: NodeFaces, preview: boolean): void {
    stage.show(node, layoutNode(doc, node, faces, { preview }), isKnown(doc, node, faces) || isBoundary(node));
    stage.optional = optionalSlots(node, faces);
    const grown = stage.size[0] !== node.size[0] || stage.size[1] !== node.size[1];
    if (grown) stage.relayout(layoutNode(doc, { ...node, size: [stage.size[0], stage.size[1]] }, faces, { preview }));
  }

  #drop(node: LGraphNode): void {
    const at = this.graph._nodes.indexOf(node);
    if (at >= 0) this.graph._nodes.splice(at, 1);
    delete this.graph._nodes_by_id[node.id];
    this.#previews.delete(String(node.id));
  }

  #links(shown: DocGraph): void {
    const { graph } = this;
    graph._links.clear();
    for (const l of shown.links)
      graph._links.set(
        l.id as number,
        new LLink(
          l.id as number,
          typeName(l.type),
          stageId(l.origin_id),
          l.origin_slot,
          stageId(l.target_id),
          l.target_slot,
          l.parentId as number | undefined,
        ),
      );
    // Slots carry link ids too; nodes that were left alone may hold old ones.
    for (const node of graph._nodes) {
      if (!(node instanceof StageNode)) continue;
      for (const [i, input] of node.docNode.inputs.entries()) {
        const slot = node.inputs[i];
        if (slot) slot.link = input.link as number | null;
      }
      for (const [i, output] of node.docNode.outputs.entries()) {
        const slot = node.outputs[i];
        if (slot) slot.links = output.links ? ([...output.links] as number[]) : null;
      }
    }
    const kept = new Set(shown.reroutes.map((r) => r.id));
    for (const id of [...graph.reroutes.keys()]) if (!kept.has(id)) graph.reroutes.delete(id);
    for (const r of shown.reroutes) {
      const existing = graph.reroutes.get(r.id as number);
      if (existing) {
        existing.update(r.parentId as number | undefined, [r.pos[0], r.pos[1]], r.linkIds as number[]);
      } else
        graph.reroutes.set(
          r.id as number,
          new Reroute(r.id as number, graph, [r.pos[0], r.pos[1]], r.parentId as number | undefined, r.linkIds as number[]),
        );
    }
  }

  #groups(shown: DocGraph): void {
    const { graph } = this;
    for (const [index, group] of shown.groups.entries()) {
      let stage = this.groups[index];
      if (!stage) {
        stage = new StageGroup(group.title, index + 1);
        graph._groups.push(stage);
        stage.graph = graph;
      }
      stage.index = index;
      stage.title = group.title;
      stage.color = group.color ?? "";
      stage._bounding.set(group.bounding);
      stage.flags = {};
      if (typeof group.font_size === "number") stage.font_size = group.font_size;
    }
    graph._groups.length = shown.groups.length;
  }
}

function optionalSlots(node: DocNode, faces: NodeFaces): ReadonlySet<number> {
  const face = faces.get(node.type);
  return new Set(
    node.inputs.flatMap((i, slot) => {
      const declared = face?.inputs.find((f) => f.name === i.name);
      return declared?.kind === "socket" ? (declared.optional ? [slot] : []) : [slot];
    }),
  );
}

function isBoundary(node: DocNode): boolean {
  return sameId(node.id, INPUT_NODE) || sameId(node.id, OUTPUT_NODE);
}

const boundaryCache = new WeakMap<DocSubgraph, readonly DocNode[]>();

/** A subgraph's border as two nodes. */
export function boundaryNodes(graph: DocSubgraph): readonly DocNode[] {
  let nodes = boundaryCache.get(graph);
  if (!nodes) {
    const node = (id: number, title: string, [x, y]: readonly number[], slots: readonly BoundarySlot[]): DocNode => ({
      id,
      type: title,
      title,
      pos: [x ?? 0, y ?? 0],
      size: [160, 12 + Math.max(1, slots.length + 1) * 20],
      flags: {},
      mode: 0,
      inputs:
        id === OUTPUT_NODE
          ? [
              ...slots.map((s) => ({ name: s.name, type: s.type, link: s.linkIds[0] ?? null })),
              { name: "new output", type: "*", link: null },
            ]
          : [],
      outputs:
        id === INPUT_NODE
          ? [...slots.map((s) => ({ name: s.name, type: s.type, links: s.linkIds })), { name: "new input", type: "*", links: null }]
          : [],
      properties: {},
    });
    nodes = [node(INPUT_NODE, "Inputs", graph.inputNode, graph.inputs), node(OUTPUT_NODE, "Outputs", graph.outputNode, graph.outputs)];
    boundaryCache.set(graph, nodes);
  }
  return nodes;
}

function isSameBoundary(a: DocNode, b: DocNode): boolean {
  return a === b && isBoundary(a);
}
