// The canvas: litegraph's gestures on our document. What a gesture means is told as a command; nothing changes here by itself.
import { LGraphCanvas, LGraphNode, type LinkSegment, LiteGraph, LLink, type Point as LPoint, Reroute } from "@comfyorg/litegraph";
import type { Command } from "../doc/commands.ts";
import { type Doc, type DocNode, graphAt, type Id, type Place, type Point, type Rect, sameId, typeName } from "../doc/document.ts";
import { bestPair, type End, inputOf, outputType, refusal, typesFit } from "../doc/links.ts";
import type { NodeFaces } from "../doc/node-face.ts";
import { layoutNode, SLOT_HEIGHT, TITLE_HEIGHT, type WidgetBox } from "../doc/node-layout.ts";
import type { View } from "../doc/tabs.ts";
import type { NodeLook } from "./node-look.ts";
import { PLAIN } from "./node-look.ts";
import { crosses, LinkBatch, linkCurve, onCurve } from "./paint-link.ts";
import { gridOf, paintNode, type Scene } from "./paint-node.ts";
import { Pictures } from "./pictures.ts";
import { docId, Projection, SLOT_REACH, StageGroup, StageNode, xy } from "./projection.ts";
import { socketColor, socketPath, socketShape } from "./socket-look.ts";
import { FONT, readTheme, type Theme } from "./theme.ts";

export interface Selection {
  readonly nodes: readonly Id[];
  readonly groups: readonly number[];
  readonly reroutes: readonly Id[];
}
export const NOTHING: Selection = { nodes: [], groups: [], reroutes: [] };

/** What is under the pointer, for tooltips and menus. */
export type Target =
  | { readonly kind: "node"; readonly id: Id; readonly part: "title" | "body" | "preview"; readonly picture?: number }
  | { readonly kind: "socket"; readonly id: Id; readonly side: "input" | "output"; readonly slot: number }
  | { readonly kind: "widget"; readonly id: Id; readonly box: WidgetBox }
  | { readonly kind: "group"; readonly index: number }
  | { readonly kind: "link"; readonly id: Id }
  | { readonly kind: "canvas" };

export interface StageEvents {
  commands(list: readonly Command[], label?: string): void;
  select(selection: Selection): void;
  viewChanged(view: View): void;
  /** A widget was clicked: edit it in place. `rect` in CSS pixels of the window. */
  editWidget(id: Id, box: WidgetBox, rect: Rect): void;
  editTitle(target: { readonly node: Id } | { readonly group: number }, rect: Rect): void;
  /** Offer nodes: at a place in the graph, perhaps joined to a link that was let go. `at` in CSS pixels of the window. */
  addNode(options: { readonly pos: Point; readonly at: Point; readonly from?: End; readonly to?: End }): void;
  menu(target: Target, at: Point, pos: Point): void;
  hover(target: Target | undefined, at: Point): void;
  openSubgraph(id: Id): void;
  openPicture(id: Id, index: number): void;
  lookAt(id: Id): void;
  /** Something a person should know: a link that was refused. */
  say(message: string): void;
}

export interface StageState {
  readonly doc: Doc;
  readonly place: Place;
  readonly faces: NodeFaces;
  readonly selection: Selection;
  readonly look: (id: Id) => NodeLook;
}

export interface StageOptions {
  readonly snap: boolean;
  readonly isReadOnly: boolean;
  readonly links: "spline" | "linear" | "straight" | "hidden";
  readonly wheel: "zoom" | "pan";
}

/** Whether a link carries a gradient, and where one ends. */
export type LinkGradient = (link: Id) => "carries" | "stops" | undefined;

const GRID = 10;

export class Stage {
  readonly #canvas: StageCanvas;
  readonly #projection = new Projection();

  constructor(element: HTMLCanvasElement, events: StageEvents, options: StageOptions) {
    configure(options.snap);
    this.#canvas = new StageCanvas(element, this.#projection, events, options);
    this.#canvas.startRendering();
  }

  show(state: StageState): void {
    this.#canvas.show(state);
  }
  setOptions(options: StageOptions): void {
    configure(options.snap);
    this.#canvas.setOptions(options);
  }
  setGradient(gradient: LinkGradient | undefined): void {
    this.#canvas.gradient = gradient;
    this.redraw();
  }
  /** After a change of theme. */
  readTheme(): void {
    this.#canvas.theme = readTheme(document.documentElement);
    this.redraw();
  }
  redraw(): void {
    this.#canvas.setDirty(true, true);
  }
  /** Draws now. For measuring. */
  drawNow(): void {
    this.#canvas.draw(true, true);
  }
  resize(width: number, height: number): void {
    this.#canvas.fit(width, height);
  }
  get view(): View {
    return { scale: this.#canvas.ds.scale, offset: [this.#canvas.ds.offset[0], this.#canvas.ds.offset[1]] };
  }
  set view(view: View) {
    this.#canvas.ds.scale = view.scale;
    this.#canvas.ds.offset = [view.offset[0], view.offset[1]];
    this.redraw();
  }
  /** Brings a rectangle of the graph into view, at most at its natural size. What `min` leaves no room for is cut off at the right and below. */
  fitTo(
    rect: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
    { min = 0.05, max = 1 } = {},
  ): void {
    const { width, height } = this.#canvas.box;
    const margin = 48;
    const scale = Math.max(
      min,
      Math.min(max, (width - 2 * margin) / Math.max(1, rect.width), (height - 2 * margin) / Math.max(1, rect.height)),
    );
    const along = (space: number, start: number, size: number): number =>
      size * scale > space - 2 * margin + 1 ? margin / scale - start : space / 2 / scale - start - size / 2;
    this.view = { scale, offset: [along(width, rect.x, rect.width), along(height, rect.y, rect.height)] };
  }
  zoomBy(factor: number): void {
    const { left, top, width, height } = this.#canvas.canvas.getBoundingClientRect();
    this.#canvas.ds.changeScale(this.#canvas.ds.scale * factor, [left + width / 2, top + height / 2]);
    this.redraw();
  }
  /** Graph coordinates of a point of the window. */
  toGraph(at: Point): Point {
    const { left, top } = this.#canvas.canvas.getBoundingClientRect();
    const { scale, offset } = this.#canvas.ds;
    return [(at[0] - left) / scale - offset[0], (at[1] - top) / scale - offset[1]];
  }
  /** Rectangle of the window that a rectangle of the graph covers. */
  toWindow([x, y, w, h]: Rect): Rect {
    const { left, top } = this.#canvas.canvas.getBoundingClientRect();
    const { scale, offset } = this.#canvas.ds;
    return [(x + offset[0]) * scale + left, (y + offset[1]) * scale + top, w * scale, h * scale];
  }
  get centre(): Point {
    const { left, top, width, height } = this.#canvas.canvas.getBoundingClientRect();
    return this.toGraph([left + width / 2, top + height / 2]);
  }
  /** Where a widget is in the window. */
  widgetRect(id: Id, name: string): { readonly box: WidgetBox; readonly rect: Rect } | undefined {
    const node = this.#projection.node(id);
    const box = node?.layout.widgets.find((w) => w.state.face.name === name);
    if (!node || !box) return undefined;
    return { box, rect: this.toWindow([node.pos[0] + box.rect[0], node.pos[1] + box.rect[1], box.rect[2], box.rect[3]]) };
  }
  titleRect(id: Id): Rect | undefined {
    const node = this.#projection.node(id);
    return node && this.toWindow([node.pos[0], node.pos[1] - TITLE_HEIGHT, node.outer[2], TITLE_HEIGHT]);
  }
  groupTitleRect(index: number): Rect | undefined {
    const group = this.#projection.groups[index];
    return group && this.toWindow([group.pos[0], group.pos[1], group.size[0], group.titleHeight]);
  }
  /** Where a socket is in the window. */
  socketAt(end: End, side: "input" | "output"): Point | undefined {
    const node = this.#projection.node(end.node);
    const at = side === "input" ? node?.layout.inputs[end.slot] : node?.layout.outputs[end.slot];
    if (!node || !at) return undefined;
    const [x, y] = this.toWindow([node.pos[0] + at[0], node.pos[1] + at[1], 0, 0]);
    return [x, y];
  }
  targetAt(at: Point): Target {
    const [x, y] = this.toGraph(at);
    return this.#canvas.targetAt(x, y);
  }
}

/** litegraph's settings are global. */
function configure(snap: boolean): void {
  LiteGraph.NODE_TITLE_HEIGHT = TITLE_HEIGHT;
  LiteGraph.NODE_SLOT_HEIGHT = SLOT_HEIGHT;
  LiteGraph.CANVAS_GRID_SIZE = GRID;
  LiteGraph.alwaysSnapToGrid = snap;
  LiteGraph.alt_drag_do_clone_nodes = false;
  LiteGraph.ctrl_alt_click_do_break_link = false;
  LiteGraph.shift_click_do_break_link_from = false;
  LiteGraph.click_do_break_link_to = false;
  LiteGraph.release_link_on_empty_shows_menu = false;
  LiteGraph.middle_click_slot_add_default_node = false;
  LiteGraph.dialog_close_on_mouse_leave = false;
  LiteGraph.search_show_all_on_open = false;
  LiteGraph.canvasNavigationMode = "legacy";
}

/** What a drag in progress would do if it were let go now. */
interface DropPlan {
  readonly commands: readonly Command[];
  readonly refused: string | undefined;
  /** Where the link would end. */
  readonly snap: Point | undefined;
}

class StageCanvas extends LGraphCanvas {
  theme: Theme;
  gradient: LinkGradient | undefined;
  readonly #projection: Projection;
  readonly #events: StageEvents;
  readonly #pictures: Pictures;
  readonly #batch = new LinkBatch();
  #options: StageOptions;
  #state: StageState | undefined;
  #shownView = "";
  #hover: { readonly id: Id; readonly part: string } | undefined;
  #cut: { readonly from: Point; to: Point } | undefined;
  #joining: { readonly from: StageNode; readonly to: StageNode } | undefined;
  #scrub: { readonly id: Id; readonly box: WidgetBox; readonly start: Point; readonly value: number; isMoved: boolean } | undefined;
  #selecting = false;
  /** Where the canvas began in the window when it was last measured. */
  #corner: Point | undefined;
  box = { width: 1, height: 1 };

  constructor(element: HTMLCanvasElement, projection: Projection, events: StageEvents, options: StageOptions) {
    super(element, projection.graph, { skip_render: true, autoresize: false });
    this.#projection = projection;
    this.#events = events;
    this.#options = options;
    this.theme = readTheme(document.documentElement);
    this.#pictures = new Pictures(() => this.setDirty(true));
    this.state.shouldSetCursor = false;
    this.allow_searchbox = false;
    this.render_link_tooltip = false;
    this.ds.min_scale = 0.05;
    this.ds.max_scale = 4;
    this.setOptions(options);
    // litegraph would join what it can; we say what can be joined and why not.
    this.linkConnector.dropLinks = (_graph, event) => this.#drop(event.canvasX, event.canvasY, [event.clientX, event.clientY]);
    this.onSelectionChange = () => this.#tellSelection();
    element.addEventListener("dblclick", (e) => this.#doubleClick(e));
  }

  setOptions(options: StageOptions): void {
    this.#options = options;
    this.state.readOnly = options.isReadOnly;
    this.setDirty(true, true);
  }

  fit(width: number, height: number): void {
    const ratio = window.devicePixelRatio || 1;
    const { left, top } = this.canvas.getBoundingClientRect();
    // What is drawn stays where it is in the window when a panel opens beside it.
    if (this.#corner)
      this.ds.offset = [
        this.ds.offset[0] - (left - this.#corner[0]) / this.ds.scale,
        this.ds.offset[1] - (top - this.#corner[1]) / this.ds.scale,
      ];
    this.#corner = [left, top];
    this.box = { width, height };
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.draw(true, true);
  }

  show(state: StageState): void {
    const before = this.#state;
    this.#state = state;
    const isPreview = (n: DocNode): boolean => state.look(n.id).pictures.length > 0;
    this.#projection.show(state.doc, state.place, state.faces, { hasPreview: isPreview });
    if (before?.selection !== state.selection || before.doc !== state.doc) this.#select(state.selection);
    this.setDirty(true, true);
  }

  #select(selection: Selection): void {
    this.#selecting = true;
    const nodes = selection.nodes.flatMap((id) => this.#projection.node(id) ?? []);
    const groups = selection.groups.flatMap((i) => this.#projection.groups[i] ?? []);
    const reroutes = selection.reroutes.flatMap((id) => this.#projection.graph.reroutes.get(Number(id)) ?? []);
    const wanted = new Set([...nodes, ...groups, ...reroutes]);
    for (const item of [...this.selectedItems])
      if (!wanted.has(item as StageNode)) {
        item.selected = false;
        this.selectedItems.delete(item);
        if (item instanceof LGraphNode) delete this.selected_nodes[item.id];
      }
    for (const item of wanted) {
      item.selected = true;
      this.selectedItems.add(item);
      if (item instanceof LGraphNode) this.selected_nodes[item.id] = item;
    }
    this.#selecting = false;
  }

  #tellSelection(): void {
    if (this.#selecting) return;
    const items = [...this.selectedItems];
    this.#events.select({
      nodes: items.flatMap((i) => (i instanceof StageNode ? [docId(i.docNode.id)] : [])),
      groups: items.flatMap((i) => (i instanceof StageGroup ? [i.index] : [])),
      reroutes: items.flatMap((i) => (i instanceof Reroute ? [i.id] : [])),
    });
  }

  // Hit testing ------------------------------------------------------------------------------------------------------------------

  #nodeAt(x: number, y: number): StageNode | undefined {
    const nodes = this.#projection.graph._nodes;
    for (let i = nodes.length - 1; i >= 0; i--) {
      const node = nodes[i];
      if (node instanceof StageNode && inside(x, y, node.outer, 0)) return node;
    }
    return undefined;
  }

  targetAt(x: number, y: number): Target {
    const near = this.#socketAt(x, y);
    if (near) return near;
    const node = this.#nodeAt(x, y);
    if (node) {
      const px = x - node.pos[0];
      const py = y - node.pos[1];
      if (py < 0 || node.flags.collapsed) return { kind: "node", id: node.docNode.id, part: "title" };
      const box = node.layout.widgets.find((w) => inside(px, py, w.rect, 0));
      if (box) return { kind: "widget", id: node.docNode.id, box };
      const [bx, by, bw, bh] = node.layout.preview;
      const count = this.#look(node).pictures.length;
      if (count > 0 && inside(px, py, node.layout.preview, 0)) {
        const { columns, rows } = gridOf(Math.min(36, count), bw, bh);
        const index = Math.floor((py - by) / (bh / rows)) * columns + Math.floor((px - bx) / (bw / columns));
        return { kind: "node", id: node.docNode.id, part: "preview", picture: Math.min(count - 1, index) };
      }
      return { kind: "node", id: node.docNode.id, part: "body" };
    }
    const link = this.#linkAt(x, y);
    if (link !== undefined) return { kind: "link", id: link };
    for (let i = this.#projection.groups.length - 1; i >= 0; i--) {
      const group = this.#projection.groups[i];
      if (group && inside(x, y, [group.pos[0], group.pos[1], group.size[0], group.titleHeight], 0))
        return { kind: "group", index: group.index };
    }
    return { kind: "canvas" };
  }

  #socketAt(x: number, y: number): (Target & { readonly kind: "socket" }) | undefined {
    const nodes = this.#projection.graph._nodes;
    for (let n = nodes.length - 1; n >= 0; n--) {
      const node = nodes[n];
      if (!(node instanceof StageNode) || node.flags.collapsed || !inside(x, y, node.outer, SLOT_REACH)) continue;
      const px = x - node.pos[0];
      const py = y - node.pos[1];
      for (const [slot, at] of node.layout.outputs.entries())
        if (Math.abs(py - at[1]) <= SLOT_HEIGHT / 2 && Math.abs(px - at[0]) <= SLOT_REACH)
          return { kind: "socket", id: node.docNode.id, side: "output", slot };
      for (const [slot, at] of node.layout.inputs.entries())
        if (Math.abs(py - at[1]) <= SLOT_HEIGHT / 2 && px >= -SLOT_REACH && px <= 9)
          return { kind: "socket", id: node.docNode.id, side: "input", slot };
      if (inside(x, y, node.outer, 0)) return undefined;
    }
    return undefined;
  }

  #ends(link: LLink): readonly [Point, Point] | undefined {
    const a = this.#projection.node(docId(link.origin_id));
    const b = this.#projection.node(docId(link.target_id));
    const from = a && this.#outputAt(a, link.origin_slot);
    const to = b && this.#inputAt(b, link.target_slot);
    return from && to ? [from, to] : undefined;
  }
  #outputAt(node: StageNode, slot: number): Point {
    if (node.flags.collapsed) return [node.pos[0] + node.outer[2], node.pos[1] - TITLE_HEIGHT / 2];
    const at = node.layout.outputs[slot] ?? [node.size[0], 0];
    return [node.pos[0] + at[0], node.pos[1] + at[1]];
  }
  #inputAt(node: StageNode, slot: number): Point {
    if (node.flags.collapsed) return [node.pos[0], node.pos[1] - TITLE_HEIGHT / 2];
    const at = node.layout.inputs[slot] ?? [0, 0];
    return [node.pos[0] + at[0], node.pos[1] + at[1]];
  }

  #linkAt(x: number, y: number): Id | undefined {
    if (this.#options.links === "hidden") return undefined;
    const reach = 5 / Math.min(1, this.ds.scale);
    for (const link of this.#projection.graph._links.values()) {
      const ends = this.#ends(link);
      if (!ends) continue;
      const points = [ends[0], ...this.#bends(link).map((r) => xy(r.pos)), ends[1]];
      for (let i = 1; i < points.length; i++) {
        const a = points[i - 1];
        const b = points[i];
        if (!a || !b || x < Math.min(a[0], b[0]) - 80 || x > Math.max(a[0], b[0]) + 80) continue;
        if (y < Math.min(a[1], b[1]) - 40 || y > Math.max(a[1], b[1]) + 40) continue;
        const [c1, c2] = linkCurve(a, b);
        for (let t = 0; t <= 1; t += 1 / 32) {
          const p = onCurve(a, c1, c2, b, t);
          if (Math.hypot(p[0] - x, p[1] - y) < Math.max(reach, Math.hypot(b[0] - a[0], b[1] - a[1]) / 64)) return link.id;
        }
      }
    }
    return undefined;
  }

  #bends(link: LLink): Reroute[] {
    const { reroutes } = this.#projection.graph;
    const found: Reroute[] = [];
    const seen = new Set<number>();
    for (let id = link.parentId; id !== undefined && !seen.has(id); ) {
      seen.add(id);
      const reroute = reroutes.get(id);
      if (!reroute) break;
      found.unshift(reroute);
      id = reroute.parentId;
    }
    return found;
  }

  // Gestures ---------------------------------------------------------------------------------------------------------------------

  override processMouseDown(e: PointerEvent): void {
    this.adjustMouseEvent(e);
    const state = this.#state;
    const [x, y] = [e.canvasX, e.canvasY];
    const target = this.targetAt(x, y);
    this.canvas.focus({ preventScroll: true });
    this.#events.hover(undefined, [e.clientX, e.clientY]);
    if (state && e.button === 0 && !this.state.readOnly) {
      if (target.kind === "node" && e.altKey && !e.ctrlKey && !e.shiftKey) this.#duplicate(target.id);
      else if (target.kind === "node" && e.ctrlKey && e.shiftKey) {
        e.preventDefault();
        this.#events.lookAt(target.id);
        return;
      } else if (target.kind === "link" && e.altKey && !e.shiftKey) {
        this.#events.commands([
          { name: "reroute.add", args: { place: state.place, link: target.id, pos: [Math.round(x), Math.round(y)] } },
        ]);
        this.draw(true, true);
      }
    }
    this.visible_nodes = [...this.#projection.graph._nodes];
    super.processMouseDown(e);
    const { pointer } = this;
    if (this.state.readOnly || !state) return;
    if (e.button === 0 && target.kind === "widget" && !e.ctrlKey && !this.linkConnector.isConnecting)
      this.#pressWidget(target.id, target.box, e);
    const isKnife = target.kind === "canvas" && (e.button === 2 || (e.button === 0 && e.altKey && !e.ctrlKey));
    if (isKnife) {
      this.dragging_canvas = false;
      pointer.onDragStart = () => {
        this.#cut = { from: [x, y], to: [x, y] };
      };
      pointer.onDrag = (move) => {
        if (this.#cut) this.#cut.to = [move.canvasX, move.canvasY];
        this.setDirty(true);
      };
      pointer.onDragEnd = () => this.#cutLinks();
      pointer.finally = () => {
        this.#cut = undefined;
        this.setDirty(true);
      };
    }
  }

  #toWindow([x, y, w, h]: Rect): Rect {
    const { left, top } = this.canvas.getBoundingClientRect();
    const { scale, offset } = this.ds;
    return [(x + offset[0]) * scale + left, (y + offset[1]) * scale + top, w * scale, h * scale];
  }

  /** The browser says what a double click is: people differ in how fast they are. */
  #doubleClick(e: MouseEvent): void {
    const state = this.#state;
    if (!state || this.state.readOnly || e.ctrlKey || e.altKey) return;
    this.adjustMouseEvent(e);
    const { canvasX: x, canvasY: y } = e as MouseEvent & { readonly canvasX: number; readonly canvasY: number };
    const target = this.targetAt(x, y);
    if (target.kind === "canvas") this.#events.addNode({ pos: [x, y], at: [e.clientX, e.clientY] });
    else if (target.kind === "group") {
      const group = this.#projection.groups[target.index];
      if (group)
        this.#events.editTitle({ group: target.index }, this.#toWindow([group.pos[0], group.pos[1], group.size[0], group.titleHeight]));
    } else if (target.kind === "node") {
      const node = this.#projection.node(target.id);
      if (!node) return;
      if (target.part === "title")
        this.#events.editTitle({ node: target.id }, this.#toWindow([node.pos[0], node.pos[1] - TITLE_HEIGHT, node.outer[2], TITLE_HEIGHT]));
      else if (target.part === "preview") this.#events.openPicture(target.id, target.picture ?? 0);
      else if (state.doc.subgraphs.some((s) => s.id === node.docNode.type)) this.#events.openSubgraph(target.id);
    }
  }

  #duplicate(id: Id): void {
    const state = this.#state;
    const node = this.#projection.node(id);
    if (!state || !node) return;
    const ids = state.selection.nodes.some((n) => sameId(n, id)) ? state.selection.nodes : [id];
    this.#events.commands([{ name: "nodes.duplicate", args: { place: state.place, ids } }]);
  }

  /** Click edits; dragging a number sideways changes it. */
  #pressWidget(id: Id, box: WidgetBox, e: PointerEvent): void {
    const { pointer } = this;
    const state = this.#state;
    const node = this.#projection.node(id);
    if (!node || !state || box.state.linked) return;
    const { face, value } = box.state;
    const rect = this.#toWindow([node.pos[0] + box.rect[0], node.pos[1] + box.rect[1], box.rect[2], box.rect[3]]);
    const set = (next: unknown): Command => ({ name: "widget.set", args: { place: state.place, id, name: face.name, value: next } });
    // Two quick clicks are two clicks here.
    delete pointer.onDoubleClick;
    pointer.onClick = () => {
      if (!state.selection.nodes.some((n) => sameId(n, id))) this.#events.select({ ...NOTHING, nodes: [id] });
      if (face.type === "BOOLEAN") this.#events.commands([set(value !== true)]);
      else this.#events.editWidget(id, box, rect);
    };
    if ((face.type === "INT" || face.type === "FLOAT") && typeof value === "number") {
      pointer.onDragStart = () => {
        this.#scrub = { id, box, start: [e.clientX, e.clientY], value, isMoved: false };
      };
      pointer.onDrag = (move) => {
        if (!this.#scrub) return;
        const next = face.slider
          ? slid(box, (move.canvasX - node.pos[0] - box.rect[0]) / box.rect[2])
          : scrubbed(box, value, (move.clientX - e.clientX) / 4);
        if (next !== this.#scrub.value) this.#events.commands([set(next)]);
      };
      pointer.onDragEnd = () => undefined;
      pointer.finally = () => {
        this.#scrub = undefined;
      };
    } else {
      delete pointer.onDragStart;
      delete pointer.onDragEnd;
    }
  }

  override processMouseMove(e: PointerEvent): void {
    super.processMouseMove(e);
    this.adjustMouseEvent(e);
    const [x, y] = [e.canvasX, e.canvasY];
    if (this.isDragging) {
      for (const node of this.#projection.nodes) if (node.selected) node.place();
      if (this.selectedItems.size > 1 || this.#projection.groups.some((g) => g.selected))
        for (const node of this.#projection.nodes) node.place();
      this.#planJoin(x, y);
    } else if (this.resizing_node instanceof StageNode) this.#resized(this.resizing_node);
    const target = e.buttons === 0 ? this.targetAt(x, y) : undefined;
    if (target) {
      const hover = hoverOf(target);
      if (hover?.id !== this.#hover?.id || hover?.part !== this.#hover?.part) {
        this.#hover = hover;
        this.setDirty(true);
      }
      this.#events.hover(target.kind === "canvas" ? undefined : target, [e.clientX, e.clientY]);
    }
    this.canvas.style.cursor = this.#cursor(target);
  }

  #cursor(target: Target | undefined): string {
    if (this.dragging_canvas) return "grabbing";
    if (this.#cut) return "crosshair";
    if (this.state.readOnly) return "grab";
    const { resizeDirection } = this.pointer;
    if (resizeDirection) return resizeDirection === "NW" || resizeDirection === "SE" ? "nwse-resize" : "nesw-resize";
    if (this.isDragging) return "move";
    switch (target?.kind) {
      case "socket":
        return "crosshair";
      case "widget":
        return target.box.state.linked
          ? "default"
          : target.box.state.face.type === "STRING" && !target.box.state.face.file
            ? "text"
            : "pointer";
      case "group":
        return "move";
      case "link":
        return "pointer";
      default:
        return "default";
    }
  }

  #resized(node: StageNode): void {
    const state = this.#state;
    if (!state) return;
    const preview = this.#look(node).pictures.length > 0;
    node.relayout(layoutNode(state.doc, { ...node.docNode, size: [node.size[0], node.size[1]] }, state.faces, { preview }));
    node.place();
  }

  override processMouseUp(e: PointerEvent): void {
    const join = this.#joining;
    this.#joining = undefined;
    super.processMouseUp(e);
    this.#commit(join);
  }

  override processMouseCancel(): void {
    this.pointer.reset();
    this.#joining = undefined;
    this.#commit(undefined);
  }

  override processMouseOut(e: PointerEvent): void {
    super.processMouseOut(e);
    this.#hover = undefined;
    this.#events.hover(undefined, [e.clientX, e.clientY]);
  }

  /** What litegraph moved or resized, as one command. */
  #commit(join: { readonly from: StageNode; readonly to: StageNode } | undefined): void {
    const state = this.#state;
    if (!state) return;
    const graph = graphAt(state.doc, state.place);
    if (join) {
      const pair =
        bestPair(graph, join.from.docNode.id, join.to.docNode.id, state.faces) ??
        bestPair(graph, join.to.docNode.id, join.from.docNode.id, state.faces);
      join.from.pos = [join.from.docNode.pos[0], join.from.docNode.pos[1]];
      join.from.place();
      if (pair) this.#events.commands([{ name: "link.connect", args: { place: state.place, from: pair.from, to: pair.to } }]);
      return;
    }
    const moved = (a: LPoint | Float32Array, b: Point): boolean =>
      Math.abs((a[0] ?? 0) - b[0]) > 0.01 || Math.abs((a[1] ?? 0) - b[1]) > 0.01;
    const commands: Command[] = [];
    const nodes = this.#projection.nodes.filter((n) => moved(n.pos, n.docNode.pos));
    const resized = this.#projection.nodes.filter(
      (n) => n.resizable && moved(n.size, [Math.max(n.docNode.size[0], n.layout.min[0]), Math.max(n.docNode.size[1], n.layout.min[1])]),
    );
    const groups = this.#projection.groups.flatMap((g) => {
      const before = graph.groups[g.index]?.bounding;
      const to: Rect = [round(g.pos[0]), round(g.pos[1]), round(g.size[0]), round(g.size[1])];
      return before && to.some((v, i) => Math.abs(v - (before[i] ?? 0)) > 0.5) ? [{ index: g.index, to }] : [];
    });
    const reroutes = graph.reroutes.flatMap((r) => {
      const stage = this.#projection.graph.reroutes.get(Number(r.id));
      return stage && moved(stage.pos, r.pos) ? [{ id: r.id, to: [round(stage.pos[0]), round(stage.pos[1])] as Point }] : [];
    });
    for (const n of resized)
      commands.push({
        name: "node.resize",
        args: { place: state.place, id: n.docNode.id, pos: [round(n.pos[0]), round(n.pos[1])], size: [round(n.size[0]), round(n.size[1])] },
      });
    const only = nodes.filter((n) => !resized.includes(n));
    if (only.length + groups.length + reroutes.length > 0)
      commands.push({
        name: "items.move",
        args: {
          place: state.place,
          nodes: only.map((n) => ({ id: n.docNode.id, to: [round(n.pos[0]), round(n.pos[1])] })),
          groups,
          reroutes,
        },
      });
    if (commands.length > 0) this.#events.commands(commands);
  }

  /** A single node dropped on another is joined to it, where something fits. */
  #planJoin(x: number, y: number): void {
    this.#joining = undefined;
    const state = this.#state;
    const [only, ...more] = [...this.selectedItems];
    if (!state || !(only instanceof StageNode) || more.length > 0) return;
    const to = this.#projection.nodes.findLast((n) => n !== only && inside(x, y, n.outer, 0));
    if (!to) return;
    const graph = graphAt(state.doc, state.place);
    const joined = graph.links.some(
      (l) =>
        (sameId(l.origin_id, only.docNode.id) && sameId(l.target_id, to.docNode.id)) ||
        (sameId(l.origin_id, to.docNode.id) && sameId(l.target_id, only.docNode.id)),
    );
    if (joined) return;
    const pair =
      bestPair(graph, only.docNode.id, to.docNode.id, state.faces) ?? bestPair(graph, to.docNode.id, only.docNode.id, state.faces);
    if (pair) this.#joining = { from: only, to };
  }

  #cutLinks(): void {
    const cut = this.#cut;
    const state = this.#state;
    if (!cut || !state) return;
    const ids = [...this.#projection.graph._links.values()].filter((l) => {
      const ends = this.#ends(l);
      if (!ends) return false;
      const points = [ends[0], ...this.#bends(l).map((r) => xy(r.pos)), ends[1]];
      return points.some((p, i) => {
        const next = points[i + 1];
        return next !== undefined && crosses(p, next, cut.from, cut.to);
      });
    });
    if (ids.length > 0) this.#events.commands([{ name: "link.remove", args: { place: state.place, ids: ids.map((l) => l.id) } }]);
  }

  #drop(x: number, y: number, at: Point): void {
    const plan = this.#plan(x, y);
    const { linkConnector } = this;
    const state = this.#state;
    const first = linkConnector.renderLinks[0];
    if (!plan || !first || !state) return;
    if (plan.commands.length > 0) this.#events.commands(plan.commands, "Connect");
    else if (plan.refused !== undefined) this.#events.say(plan.refused);
    else if (!this.#nodeAt(x, y)) this.#dropOnNothing(first, x, y, at);
  }

  /** A link that was there is cut; a new one asks what to join. */
  #dropOnNothing(first: (typeof this.linkConnector.renderLinks)[number], x: number, y: number, at: Point): void {
    const { linkConnector } = this;
    const state = this.#state;
    if (!state) return;
    if ("link" in first && first.link instanceof LLink) {
      const ids = linkConnector.renderLinks.flatMap((r) => ("link" in r && r.link instanceof LLink ? [r.link.id] : []));
      this.#events.commands([{ name: "link.remove", args: { place: state.place, ids } }]);
      return;
    }
    const end = this.#end(first);
    if (!end) return;
    this.#events.addNode({ pos: [x, y], at, ...(linkConnector.state.connectingTo === "input" ? { from: end } : { to: end }) });
  }

  #end(link: (typeof this.linkConnector.renderLinks)[number]): End | undefined {
    return link.node instanceof StageNode ? { node: link.node.docNode.id, slot: link.fromSlotIndex } : undefined;
  }

  /** What letting go at this point would do. */
  #plan(x: number, y: number): DropPlan | undefined {
    const state = this.#state;
    const { linkConnector } = this;
    const first = linkConnector.renderLinks[0];
    if (!state || !first) return undefined;
    const end = this.#end(first);
    if (!end) return undefined;
    const toInput = linkConnector.state.connectingTo === "input";
    const graph = graphAt(state.doc, state.place);
    const after = first.fromReroute?.id;
    const removed = linkConnector.renderLinks.flatMap((r) => ("link" in r && r.link instanceof LLink ? [r.link] : []));
    const socket = this.#socketAt(x, y);
    const node = this.#nodeAt(x, y);
    if (!socket && !node) return { commands: [], refused: undefined, snap: undefined };
    const id = socket?.id ?? node?.docNode.id ?? end.node;
    const stage = this.#projection.node(id);
    if (!stage) return undefined;
    const slots = socket && (socket.side === "input") === toInput ? [socket.slot] : this.#rowAt(stage, x, y, toInput);
    const candidates = slots.length > 0 ? slots : this.#bestSlots(stage, end, toInput);
    let refused: string | undefined;
    for (const slot of candidates) {
      const from = toInput ? end : { node: id, slot };
      const to = toInput ? { node: id, slot } : end;
      if (removed.length > 0 && toInput && removed.some((l) => sameId(docId(l.target_id), id) && l.target_slot === slot))
        return { commands: [], refused: undefined, snap: this.#inputAt(stage, slot) };
      const why = refusal(graph, from, to);
      if (why !== undefined) {
        refused ??= why;
        continue;
      }
      const cut: Command[] =
        removed.length > 0 && toInput ? [{ name: "link.remove", args: { place: state.place, ids: removed.map((l) => l.id) } }] : [];
      const joins: Command[] =
        removed.length > 0 && !toInput
          ? removed.map(
              (l): Command => ({
                name: "link.connect",
                args: { place: state.place, from, to: { node: docId(l.target_id), slot: l.target_slot } },
              }),
            )
          : [{ name: "link.connect", args: { place: state.place, from, to, ...(after !== undefined && toInput && { after }) } }];
      return { commands: [...cut, ...joins], refused: undefined, snap: toInput ? this.#inputAt(stage, slot) : this.#outputAt(stage, slot) };
    }
    if (sameId(id, end.node)) return { commands: [], refused: undefined, snap: undefined };
    return { commands: [], refused: refused ?? this.#nothingFits(graph, end, toInput, stage), snap: undefined };
  }

  #nothingFits(graph: ReturnType<typeof graphAt>, end: End, toInput: boolean, stage: StageNode): string {
    const type = toInput ? outputType(graph, end) : inputOf(graph, end)?.type;
    return toInput
      ? `${stage.docNode.type} has no input for ${type ?? "this"}`
      : `${stage.docNode.type} has no output of type ${type ?? "this"}`;
  }

  /** The socket whose row or widget the point is in. */
  #rowAt(node: StageNode, x: number, y: number, toInput: boolean): number[] {
    const px = x - node.pos[0];
    const py = y - node.pos[1];
    if (node.flags.collapsed) return [];
    if (toInput) {
      const widget = node.layout.widgets.find((w) => inside(px, py, w.rect, 0));
      if (widget) return widget.state.input >= 0 ? [widget.state.input] : [];
    }
    const at = toInput ? node.layout.inputs : node.layout.outputs;
    const half = toInput ? px < node.size[0] / 2 : px > node.size[0] / 2;
    return half
      ? [...at.entries()].flatMap(([slot, p]) =>
          Math.abs(p[1] - py) <= SLOT_HEIGHT / 2 && (!toInput || node.layout.rows.includes(slot)) ? [slot] : [],
        )
      : [];
  }

  /** Sockets of a node that the dragged end fits, the likeliest first. */
  #bestSlots(node: StageNode, end: End, toInput: boolean): number[] {
    const state = this.#state;
    if (!state) return [];
    const graph = graphAt(state.doc, state.place);
    if (!toInput) {
      const wanted = inputOf(graph, end);
      return node.docNode.outputs.flatMap((o, slot) => (wanted && typesFit(typeName(o.type), wanted.type, wanted.widget) ? [slot] : []));
    }
    const type = outputType(graph, end) ?? "*";
    const isShown = (slot: number): boolean => (node.layout.inputs[slot]?.[0] ?? 0) >= 0;
    const rank = (slot: number): number => {
      const input = node.docNode.inputs[slot];
      return (
        (input?.link === null ? 0 : 8) +
        (input?.widget ? 4 : 0) +
        (typeName(input?.type) === "*" ? 2 : 0) +
        (node.optional.has(slot) ? 1 : 0)
      );
    };
    return node.docNode.inputs
      .flatMap((i, slot) => (isShown(slot) && typesFit(type, typeName(i.type), i.widget !== undefined) ? [slot] : []))
      .sort((a, b) => rank(a) - rank(b));
  }

  override processMouseWheel(e: WheelEvent): void {
    e.preventDefault();
    const unit = e.deltaMode === 1 ? 16 : 1;
    const isZoom = e.ctrlKey || (this.#options.wheel === "zoom" && !e.shiftKey);
    if (isZoom) {
      const delta = Math.max(-120, Math.min(120, e.deltaY * unit));
      this.ds.changeScale(this.ds.scale * Math.exp(-delta * (e.ctrlKey && Math.abs(delta) < 20 ? 0.01 : 0.0016)), [e.clientX, e.clientY]);
    } else {
      const [dx, dy] = e.shiftKey && e.deltaX === 0 ? [e.deltaY, 0] : [e.deltaX, e.deltaY];
      this.ds.offset = [this.ds.offset[0] - (dx * unit) / this.ds.scale, this.ds.offset[1] - (dy * unit) / this.ds.scale];
    }
    this.setDirty(true, true);
  }

  /** Keys belong to the page. Only Space is a gesture. */
  override processKey(e: KeyboardEvent): void {
    if (e.code !== "Space" || (e.target instanceof HTMLElement && e.target !== this.canvas && e.type === "keydown")) return;
    this.state.readOnly = this.#options.isReadOnly || e.type === "keydown";
    if (e.type === "keydown") e.preventDefault();
  }
  override processContextMenu(_node: LGraphNode | undefined, e: MouseEvent): void {
    this.adjustMouseEvent(e);
    const at: Point = [e.clientX, e.clientY];
    const { canvasX, canvasY } = e as MouseEvent & { readonly canvasX: number; readonly canvasY: number };
    this.#events.menu(this.targetAt(canvasX, canvasY), at, [canvasX, canvasY]);
  }
  override showLinkMenu(segment: LinkSegment, e: MouseEvent): boolean {
    const id = segment instanceof LLink ? segment.id : segment instanceof Reroute ? segment.firstLink?.id : undefined;
    if (id !== undefined) this.#events.menu({ kind: "link", id }, [e.clientX, e.clientY], [this.graph_mouse[0], this.graph_mouse[1]]);
    return false;
  }
  /** Never used: it would evaluate what is typed. */
  override prompt(): HTMLDivElement {
    throw new Error("the canvas has no prompts of its own");
  }
  override showSearchBox(): HTMLDivElement {
    throw new Error("the canvas has no search of its own");
  }

  // Drawing ----------------------------------------------------------------------------------------------------------------------

  override draw(force?: boolean, forceBackground?: boolean): void {
    const view = `${this.ds.scale} ${this.ds.offset[0]} ${this.ds.offset[1]}`;
    if (view !== this.#shownView) {
      // What it opens with is not a choice of the person's.
      const isFirst = this.#shownView === "";
      this.#shownView = view;
      this.dirty_canvas = true;
      if (!isFirst) this.#events.viewChanged({ scale: this.ds.scale, offset: [this.ds.offset[0], this.ds.offset[1]] });
    }
    if (!this.#state || !(this.dirty_canvas || this.dirty_bgcanvas || force || forceBackground) || this.canvas.width === 0) return;
    this.dirty_canvas = false;
    this.dirty_bgcanvas = false;
    this.#paint(this.#state);
  }

  #look(node: StageNode): NodeLook {
    return this.#state?.look(node.docNode.id) ?? PLAIN;
  }

  #paint(state: StageState): void {
    const { ctx, theme } = this;
    const ratio = window.devicePixelRatio || 1;
    const { scale, offset } = this.ds;
    const { width, height } = this.box;
    const area: Rect = [-offset[0], -offset[1], width / scale, height / scale];
    for (const [i, v] of area.entries()) this.ds.visible_area[i] = v;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.fillStyle = theme.s0;
    ctx.fillRect(0, 0, width, height);
    this.#dots(ctx, width, height);
    ctx.scale(scale, scale);
    ctx.translate(xy(offset)[0], xy(offset)[1]);
    for (const group of this.#projection.groups) if (overlaps(area, group._bounding, 0)) this.#group(ctx, group);
    this.#paintLinks(ctx, area);
    const visible = this.#projection.graph._nodes.filter((n): n is StageNode => n instanceof StageNode && overlaps(area, n.outer, 12));
    this.visible_nodes = visible;
    const drag = this.linkConnector.isConnecting ? this.#dragged() : undefined;
    const scene: Scene = { doc: state.doc, theme, pictures: this.#pictures, scale, dragging: drag };
    for (const node of visible) {
      const [nx, ny] = xy(node.pos);
      ctx.translate(nx, ny);
      const shown =
        node.size[0] === node.docNode.size[0] && node.size[1] === node.docNode.size[1]
          ? node.docNode
          : { ...node.docNode, size: [node.size[0], node.size[1]] as Point };
      paintNode(ctx, scene, {
        node: shown,
        layout: node.layout,
        look: this.#look(node),
        isSelected: node.selected === true,
        isKnown: node.isKnown,
        hover: this.#hover && sameId(this.#hover.id, node.docNode.id) ? this.#hover.part : undefined,
        optional: (slot) => node.optional.has(slot),
      });
      ctx.translate(-nx, -ny);
    }
    this.#paintReroutes(ctx, area);
    if (drag) this.#paintDrag(ctx);
    if (this.#joining) this.#paintJoin(ctx, this.#joining.to);
    if (this.#cut) {
      ctx.strokeStyle = theme.bad;
      ctx.lineWidth = 1.5 / scale;
      ctx.setLineDash([6 / scale, 4 / scale]);
      ctx.beginPath();
      ctx.moveTo(this.#cut.from[0], this.#cut.from[1]);
      ctx.lineTo(this.#cut.to[0], this.#cut.to[1]);
      ctx.stroke();
      ctx.setLineDash([]);
    }
    const marquee = this.dragging_rectangle;
    if (marquee) {
      const [mx = 0, my = 0, mw = 0, mh = 0] = marquee;
      ctx.globalAlpha = 0.12;
      ctx.fillStyle = theme.accent;
      ctx.fillRect(mx, my, mw, mh);
      ctx.globalAlpha = 1;
      ctx.strokeStyle = theme.accent;
      ctx.lineWidth = 1 / scale;
      ctx.strokeRect(mx, my, mw, mh);
    }
  }

  #dots(ctx: CanvasRenderingContext2D, width: number, height: number): void {
    const { scale, offset } = this.ds;
    let step = 40 * scale;
    while (step < 18) step *= 4;
    if (step > 400) return;
    const r = Math.max(0.6, Math.min(1.2, scale));
    ctx.fillStyle = this.theme.dot;
    const x0 = (((offset[0] * scale) % step) + step) % step;
    const y0 = (((offset[1] * scale) % step) + step) % step;
    ctx.beginPath();
    for (let x = x0; x < width; x += step) for (let y = y0; y < height; y += step) ctx.rect(x - r, y - r, r * 2, r * 2);
    ctx.fill();
  }

  #group(ctx: CanvasRenderingContext2D, group: StageGroup): void {
    const { theme } = this;
    const { scale } = this.ds;
    const [x, y] = xy(group.pos);
    const [w, h] = xy(group.size);
    const color = group.color || theme.t3;
    ctx.beginPath();
    ctx.roundRect(x, y, w, h, 8);
    ctx.globalAlpha = 0.09;
    ctx.fillStyle = color;
    ctx.fill();
    ctx.globalAlpha = group.selected ? 1 : 0.5;
    ctx.strokeStyle = group.selected ? theme.accent : color;
    ctx.lineWidth = (group.selected ? 2 : 1) / Math.min(1, scale);
    ctx.stroke();
    ctx.globalAlpha = 1;
    const size = Math.max(16, Math.min(48, 11 / scale));
    if (size * scale < 6) return;
    ctx.font = `600 ${size}px ${FONT}`;
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    ctx.fillStyle = theme.t2;
    ctx.save();
    ctx.beginPath();
    ctx.rect(x, y, w - 10, h);
    ctx.clip();
    ctx.fillText(group.title, x + 12, y + Math.max(group.titleHeight / 2, size * 0.7));
    ctx.restore();
    if (scale > 0.4) {
      ctx.strokeStyle = color;
      ctx.globalAlpha = 0.6;
      ctx.lineWidth = 1;
      ctx.beginPath();
      ctx.moveTo(x + w - 12, y + h - 3);
      ctx.lineTo(x + w - 3, y + h - 12);
      ctx.moveTo(x + w - 7, y + h - 3);
      ctx.lineTo(x + w - 3, y + h - 7);
      ctx.stroke();
      ctx.globalAlpha = 1;
    }
  }

  #paintLinks(ctx: CanvasRenderingContext2D, area: Rect): void {
    this.renderedPaths.clear();
    if (this.#options.links === "hidden") return;
    const { theme } = this;
    const { scale } = this.ds;
    const width = Math.max(2, 1.1 / scale);
    const isSimple = scale < 0.25;
    const chosen = new Set(this.#projection.nodes.flatMap((n) => (n.selected ? [n] : [])));
    for (const link of this.#projection.graph._links.values()) {
      if (link._dragging) continue;
      const ends = this.#ends(link);
      if (!ends) continue;
      const bends = this.#bends(link);
      const points = bends.length === 0 ? ends : [ends[0], ...bends.map((r) => xy(r.pos)), ends[1]];
      if (!near(area, points, 260)) continue;
      const origin = this.#projection.node(docId(link.origin_id));
      const target = this.#projection.node(docId(link.target_id));
      const lit = chosen.size > 0 && ((origin && chosen.has(origin)) || (target && chosen.has(target)));
      const faded = (chosen.size > 0 && !lit) || origin?.docNode.mode === 2 || target?.docNode.mode === 2;
      const path = this.#batch.at(socketColor(String(link.type), theme), lit ? width * 1.6 : width, faded ? 0.45 : 0.85);
      this.#trace(path, points, isSimple);
      const gradient = this.gradient?.(link.id);
      if (gradient !== undefined && !isSimple) this.#traceGradient(points, gradient, width);
      if (scale >= 0.6) {
        const a = points[Math.floor((points.length - 2) / 2)];
        const b = points[Math.floor((points.length - 2) / 2) + 1];
        if (a && b) {
          const [c1, c2] = linkCurve(a, b);
          const [mx, my] = onCurve(a, c1, c2, b, 0.5);
          link._pos.set([mx, my]);
          path.moveTo(mx + 1.5, my);
          path.arc(mx, my, 1.5, 0, Math.PI * 2);
          this.renderedPaths.add(link);
        }
      }
    }
    this.#batch.draw(ctx);
  }

  #trace(path: Path2D, points: readonly Point[], isSimple: boolean): void {
    for (let i = 1; i < points.length; i++) {
      const a = points[i - 1];
      const b = points[i];
      if (!a || !b) continue;
      path.moveTo(a[0], a[1]);
      if (isSimple || this.#options.links === "linear") path.lineTo(b[0], b[1]);
      else if (this.#options.links === "straight") {
        const middle = (a[0] + b[0]) / 2;
        path.lineTo(middle, a[1]);
        path.lineTo(middle, b[1]);
        path.lineTo(b[0], b[1]);
      } else {
        const [c1, c2] = linkCurve(a, b);
        path.bezierCurveTo(c1[0], c1[1], c2[0], c2[1], b[0], b[1]);
      }
    }
  }

  /** A second thin line beside a link that carries a gradient; a bar across where it stops. */
  #traceGradient(points: readonly Point[], gradient: "carries" | "stops", width: number): void {
    const first = points[0];
    const last = points.at(-1);
    if (!first || !last) return;
    if (gradient === "carries")
      this.#trace(
        this.#batch.at(this.theme.good, width / 2),
        points.map(([x, y]): Point => [x, y + 4]),
        false,
      );
    else {
      const [c1, c2] = linkCurve(first, last);
      const [x, y] = onCurve(first, c1, c2, last, 0.8);
      const bar = this.#batch.at(this.theme.warn, width * 1.4);
      bar.moveTo(x - 2, y - 8);
      bar.lineTo(x + 2, y + 8);
    }
  }

  #paintReroutes(ctx: CanvasRenderingContext2D, area: Rect): void {
    if (this.ds.scale < 0.25) return;
    for (const reroute of this.#projection.graph.reroutes.values()) {
      if (!near(area, [[reroute.pos[0], reroute.pos[1]]], 10)) continue;
      const link = this.#projection.graph._links.get([...reroute.linkIds][0] ?? -1);
      ctx.beginPath();
      ctx.arc(reroute.pos[0], reroute.pos[1], 6, 0, Math.PI * 2);
      ctx.fillStyle = socketColor(String(link?.type ?? "*"), this.theme);
      ctx.fill();
      ctx.strokeStyle = reroute.selected ? this.theme.accent : this.theme.s0;
      ctx.lineWidth = 2;
      ctx.stroke();
    }
  }

  #dragged(): Scene["dragging"] {
    const state = this.#state;
    const first = this.linkConnector.renderLinks[0];
    const end = first && this.#end(first);
    if (!state || !end) return undefined;
    const graph = graphAt(state.doc, state.place);
    const toInput = this.linkConnector.state.connectingTo === "input";
    const type = outputType(graph, end);
    const wanted = inputOf(graph, end);
    return {
      fits: (node, slot, side) => {
        if (sameId(node.id, end.node)) return side !== (toInput ? "input" : "output") && slot === end.slot;
        if ((side === "input") !== toInput) return false;
        if (toInput) {
          const input = node.inputs[slot];
          return input !== undefined && type !== undefined && typesFit(type, typeName(input.type), input.widget !== undefined);
        }
        const output = node.outputs[slot];
        return output !== undefined && wanted !== undefined && typesFit(typeName(output.type), wanted.type, wanted.widget);
      },
    };
  }

  #paintDrag(ctx: CanvasRenderingContext2D): void {
    const [x, y] = xy(this.graph_mouse);
    const plan = this.#plan(x, y);
    const { theme } = this;
    const { scale } = this.ds;
    const to: Point = plan?.snap ?? [x, y];
    const toInput = this.linkConnector.state.connectingTo === "input";
    for (const link of this.linkConnector.renderLinks) {
      const end = this.#end(link);
      if (!end) continue;
      const type = typeName(link.fromSlot.type);
      const color = socketColor(type, theme);
      const from: Point = link.fromReroute ? [link.fromReroute.pos[0], link.fromReroute.pos[1]] : [link.fromPos[0], link.fromPos[1]];
      const [a, b] = toInput ? [from, to] : [to, from];
      const path = new Path2D();
      this.#trace(path, [a, b], false);
      ctx.strokeStyle = plan?.refused === undefined ? color : theme.bad;
      ctx.lineWidth = Math.max(2.5, 1.5 / scale);
      ctx.setLineDash(plan?.refused === undefined ? [] : [6, 5]);
      ctx.stroke(path);
      ctx.setLineDash([]);
      ctx.beginPath();
      socketPath(ctx, socketShape(type), to[0], to[1], plan?.snap ? 7 : 5);
      ctx.fillStyle = color;
      ctx.fill();
    }
    if (plan?.refused === undefined) return;
    ctx.font = `${12 / scale}px ${FONT}`;
    const width = ctx.measureText(plan.refused).width;
    ctx.beginPath();
    ctx.roundRect(x + 14 / scale, y - 30 / scale, width + 16 / scale, 24 / scale, 4 / scale);
    ctx.fillStyle = theme.s2;
    ctx.fill();
    ctx.strokeStyle = theme.bad;
    ctx.lineWidth = 1 / scale;
    ctx.stroke();
    ctx.fillStyle = theme.t1;
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    ctx.fillText(plan.refused, x + 22 / scale, y - 18 / scale);
  }

  #paintJoin(ctx: CanvasRenderingContext2D, to: StageNode): void {
    const [x, y, w, h] = [...to.outer];
    ctx.beginPath();
    ctx.roundRect((x ?? 0) - 4, (y ?? 0) - 4, (w ?? 0) + 8, (h ?? 0) + 8, 9);
    ctx.strokeStyle = this.theme.accent;
    ctx.lineWidth = 3;
    ctx.setLineDash([8, 5]);
    ctx.stroke();
    ctx.setLineDash([]);
  }

  // litegraph's own drawing is never reached.
  override drawNode(): void {}
  override drawFrontCanvas(): void {}
  override drawBackCanvas(): void {}
}

function inside(x: number, y: number, r: ArrayLike<number>, margin: number): boolean {
  const [rx = 0, ry = 0, w = 0, h = 0] = [r[0], r[1], r[2], r[3]];
  return x >= rx - margin && x <= rx + w + margin && y >= ry - margin && y <= ry + h + margin;
}

function overlaps(area: Rect, r: ArrayLike<number>, margin: number): boolean {
  const [x = 0, y = 0, w = 0, h = 0] = [r[0], r[1], r[2], r[3]];
  return x - margin < area[0] + area[2] && x + w + margin > area[0] && y - margin < area[1] + area[3] && y + h + margin > area[1];
}

function near(area: Rect, points: readonly Point[], margin: number): boolean {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    if (x < x0) x0 = x;
    if (x > x1) x1 = x;
    if (y < y0) y0 = y;
    if (y > y1) y1 = y;
  }
  return x0 - margin < area[0] + area[2] && x1 + margin > area[0] && y0 - margin < area[1] + area[3] && y1 + margin > area[1];
}

function round(v: number): number {
  return Math.round(v * 100) / 100;
}

function hoverOf(target: Target): { readonly id: Id; readonly part: string } | undefined {
  switch (target.kind) {
    case "socket":
      return { id: target.id, part: `${target.side === "input" ? "in" : "out"} ${target.slot}` };
    case "widget":
      return { id: target.id, part: `widget ${target.box.state.face.name}` };
    case "node":
      return { id: target.id, part: target.part };
    default:
      return undefined;
  }
}

/** A number after a drag of so many steps. */
export function scrubbed({ state: { face } }: WidgetBox, value: number, steps: number): number {
  const step = face.step ?? (face.type === "INT" ? 1 : 0.01);
  return bounded(face, value + Math.round(steps) * step, step);
}

function slid({ state: { face } }: WidgetBox, share: number): number {
  const min = Number(face.min ?? 0);
  const max = Number(face.max ?? 1);
  return bounded(face, min + Math.min(1, Math.max(0, share)) * (max - min), face.step ?? (face.type === "INT" ? 1 : (max - min) / 100));
}

function bounded(face: WidgetBox["state"]["face"], value: number, step: number): number {
  const digits = Math.min(10, Math.max(0, Math.ceil(-Math.log10(step)) + 1));
  const whole = face.type === "INT" ? Math.round(value) : Number(value.toFixed(digits));
  return Math.min(Number(face.max ?? Infinity), Math.max(Number(face.min ?? -Infinity), whole));
}
