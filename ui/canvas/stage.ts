// The canvas: litegraph's gestures on our document. What a gesture means is told as a command; nothing changes here by itself.
import { LiteGraph } from "@comfyorg/litegraph";
import type { Id, Point, Rect } from "../doc/document.ts";
import type { End } from "../doc/links.ts";
import { SLOT_HEIGHT, TITLE_HEIGHT, type WidgetBox } from "../doc/node-layout.ts";
import type { View } from "../doc/tabs.ts";
import { Projection } from "./projection.ts";
import { StageCanvas } from "./stage-canvas.ts";
import type { LinkGradient, StageEvents, StageOptions, StageState, Target } from "./stage-types.ts";
import { readTheme } from "./theme.ts";

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
  /** Whether a picture in view is still on its way. For screenshots. */
  get isLoading(): boolean {
    return this.#canvas.isLoading;
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
