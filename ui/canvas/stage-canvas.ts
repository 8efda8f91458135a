// litegraph's canvas with our gestures and our drawing. It decides nothing: what a gesture means is told as a command.
import { LGraphCanvas, LGraphNode, type LinkSegment, LLink, Reroute } from "@comfyorg/litegraph";
import { badgesOf } from "../doc/badges.ts";
import type { Command } from "../doc/commands.ts";
import { graphAt, type Id, type Point, type Rect, sameId } from "../doc/document.ts";
import { bestPair } from "../doc/links.ts";
import { layoutNode, TITLE_HEIGHT, type WidgetBox } from "../doc/node-layout.ts";
import { inside, overlaps } from "./geometry.ts";
import { HitTest } from "./hit-test.ts";
import { type Dragged, LinkDrop } from "./link-drop.ts";
import { LinkPainter, type LinkScene } from "./link-painter.ts";
import { LinkPaths } from "./link-paths.ts";
import { movedItems } from "./moved-items.ts";
import { type NodeLook, PLAIN } from "./node-look.ts";
import { paintBox, paintDrag, paintJoin, paintKnife } from "./paint-gestures.ts";
import { paintDots, paintGroup } from "./paint-ground.ts";
import { crosses } from "./paint-link.ts";
import { paintNode, type Scene } from "./paint-node.ts";
import { Pictures } from "./pictures.ts";
import { cursorOf, hoverOf } from "./pointer-look.ts";
import { docId, type Projection, StageGroup, StageNode, xy } from "./projection.ts";
import { scrubbed, slid } from "./scrub-value.ts";
import {
  type LinkGradient,
  NOTHING,
  type Selection,
  type StageEvents,
  type StageOptions,
  type StageState,
  type Target,
} from "./stage-types.ts";
import { readTheme, type Theme } from "./theme.ts";

export class StageCanvas extends LGraphCanvas {
  theme: Theme;
  gradient: LinkGradient | undefined;
  readonly #projection: Projection;
  readonly #events: StageEvents;
  readonly #pictures: Pictures;
  readonly #paths: LinkPaths;
  readonly #hit: HitTest;
  readonly #drops: LinkDrop;
  readonly #links: LinkPainter;
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
    this.#paths = new LinkPaths(projection);
    this.#hit = new HitTest(projection, this.#paths, {
      scale: () => this.ds.scale,
      areLinksHidden: () => this.#options.links === "hidden",
      pictures: (node) => this.#look(node).pictures.length,
    });
    this.#drops = new LinkDrop(this.linkConnector, projection, this.#paths, this.#hit, () => this.#state);
    this.#links = new LinkPainter(projection, this.#paths);
    this.theme = readTheme(document.documentElement);
    this.#pictures = new Pictures(() => this.setDirty(true));
    this.state.shouldSetCursor = false;
    this.allow_searchbox = false;
    this.render_link_tooltip = false;
    this.ds.min_scale = 0.05;
    this.ds.max_scale = 4;
    this.setOptions(options);
    this.linkConnector.dropLinks = (_graph, e) => this.#drop(e.canvasX, e.canvasY, [e.clientX, e.clientY], e.shiftKey);
    this.onSelectionChange = () => this.#tellSelection();
    element.addEventListener("dblclick", (e) => this.#doubleClick(e));
  }

  get isLoading(): boolean {
    return this.#pictures.isLoading;
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
    this.#projection.show(state.doc, state.place, state.faces, { hasPreview: (n) => state.look(n.id).pictures.length > 0 });
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

  targetAt(x: number, y: number): Target {
    return this.#hit.targetAt(x, y);
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
    return cursorOf(target);
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
    const commands = movedItems(this.#projection, graph, state.place);
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
      const points = this.#paths.points(l);
      return points?.some((p, i) => {
        const next = points[i + 1];
        return next !== undefined && crosses(p, next, cut.from, cut.to);
      });
    });
    if (ids.length > 0) this.#events.commands([{ name: "link.remove", args: { place: state.place, ids: ids.map((l) => l.id) } }]);
  }

  #drop(x: number, y: number, at: Point, isShift: boolean): void {
    const plan = this.#drops.plan(x, y);
    const { linkConnector } = this;
    const state = this.#state;
    const first = linkConnector.renderLinks[0];
    if (!plan || !first || !state) return;
    if (plan.commands.length > 0) this.#events.commands(plan.commands, "Connect");
    else if (plan.refused !== undefined) this.#events.say(plan.refused);
    else if (!this.#hit.nodeAt(x, y)) this.#dropOnNothing(first, x, y, at, isShift);
  }

  /** A link that was there is cut; a new one asks what to add; with Shift, what is there already to join. */
  #dropOnNothing(first: Dragged, x: number, y: number, at: Point, isShift: boolean): void {
    const { linkConnector } = this;
    const state = this.#state;
    if (!state) return;
    if ("link" in first && first.link instanceof LLink) {
      const ids = linkConnector.renderLinks.flatMap((r) => ("link" in r && r.link instanceof LLink ? [r.link.id] : []));
      this.#events.commands([{ name: "link.remove", args: { place: state.place, ids } }]);
      return;
    }
    const end = this.#drops.end(first);
    if (!end) return;
    const side = linkConnector.state.connectingTo === "input" ? "output" : "input";
    if (isShift) {
      this.#events.menu({ kind: "socket", id: end.node, side, slot: end.slot }, at, [x, y]);
      return;
    }
    this.#events.addNode({ pos: [x, y], at, ...(side === "output" ? { from: end } : { to: end }) });
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
    paintDots(ctx, theme, { scale, offset, width, height });
    ctx.scale(scale, scale);
    ctx.translate(xy(offset)[0], xy(offset)[1]);
    for (const group of this.#projection.groups) if (overlaps(area, group._bounding, 0)) paintGroup(ctx, group, theme, scale);
    const linkScene: LinkScene = { area, theme, scale, shape: this.#options.links, gradient: this.gradient };
    this.renderedPaths.clear();
    for (const link of this.#links.paint(ctx, linkScene)) this.renderedPaths.add(link);
    const visible = this.#projection.graph._nodes.filter((n): n is StageNode => n instanceof StageNode && overlaps(area, n.outer, 24));
    this.visible_nodes = visible;
    const drag = this.linkConnector.isConnecting ? this.#drops.fits() : undefined;
    const scene: Scene = {
      doc: state.doc,
      theme,
      pictures: this.#pictures,
      scale,
      dragging: drag,
      badges: (node) => badgesOf(state.doc, node, state.faces, this.#options.badges),
    };
    // What runs may have grown for its preview: it lies above its neighbours.
    const running = visible.filter((node) => this.#look(node).status === "running");
    for (const node of [...visible.filter((n) => !running.includes(n)), ...running]) {
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
    this.#links.reroutes(ctx, linkScene);
    if (drag) paintDrag(ctx, this.linkConnector, this.#drops, xy(this.graph_mouse), linkScene);
    if (this.#joining) paintJoin(ctx, this.#joining.to, theme);
    if (this.#cut) paintKnife(ctx, this.#cut, theme, scale);
    if (this.dragging_rectangle) paintBox(ctx, this.dragging_rectangle, theme, scale);
  }

  // litegraph's own drawing is never reached.
  override drawNode(): void {}
  override drawFrontCanvas(): void {}
  override drawBackCanvas(): void {}
}
