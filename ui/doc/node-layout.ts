// Where everything of a node is, in its own coordinates: origin at the top left of the body, the title above it.
import type { Doc, DocNode, Point, Rect } from "./document.ts";
import { subgraphOf } from "./document.ts";
import type { NodeFaces, WidgetFace } from "./node-face.ts";
import { shownWidgets, type WidgetState } from "./widgets.ts";

export const TITLE_HEIGHT = 30;
export const SLOT_HEIGHT = 20;
export const WIDGET_HEIGHT = 24;
const MULTILINE_HEIGHT = 72;
const PADDING = 6;
const MIN_WIDTH = 140;
export const DEFAULT_WIDTH = 240;
/** Where the sockets of widgets are that are not shown: nothing is drawn or joined there. */
const AWAY: Point = [-1e6, -1e6];
/** Least height of the pictures below the widgets. */
const PREVIEW_HEIGHT = 160;

export interface WidgetBox {
  readonly state: WidgetState;
  readonly rect: Rect;
}

export interface NodeLayout {
  /** Centre of each socket, by slot. */
  readonly inputs: readonly Point[];
  readonly outputs: readonly Point[];
  /** Slots of the sockets that get a row with a label; the others sit at their widget. */
  readonly rows: readonly number[];
  readonly widgets: readonly WidgetBox[];
  /** What is left for previews. */
  readonly preview: Rect;
  /** Least size. */
  readonly min: Point;
}

export interface LayoutOptions {
  /** The node has pictures to show. */
  readonly preview?: boolean;
}

/** Pure: the same node, the same layout. */
export function layoutNode(doc: Doc, node: DocNode, faces: NodeFaces, options: LayoutOptions = {}): NodeLayout {
  const states = shownWidgets(doc, node, faces);
  const width = Math.max(node.size[0], MIN_WIDTH);
  const isReroute = node.type === "Reroute";
  const rows = node.inputs.flatMap((input, i) => (states.some((s) => s.input === i) || (input.widget && states.length > 0) ? [] : [i]));
  const inputs: Point[] = node.inputs.map(() => AWAY);
  for (const [row, slot] of rows.entries()) inputs[slot] = [0, PADDING + row * SLOT_HEIGHT + SLOT_HEIGHT / 2];
  const outputs: Point[] = node.outputs.map((_, i) => [isReroute ? node.size[0] : width, PADDING + i * SLOT_HEIGHT + SLOT_HEIGHT / 2]);
  const slotsHeight = Math.max(rows.length, node.outputs.length) * SLOT_HEIGHT;
  let y = PADDING + slotsHeight + (slotsHeight > 0 && states.length > 0 ? 4 : 0);
  const fixed = states.reduce((h, s) => h + minHeight(s.face), 0);
  const tall = states.filter((s) => isTall(s.face)).length;
  const previewMin = options.preview ? PREVIEW_HEIGHT : 0;
  // Text boxes take what the node has to spare, unless it shows pictures.
  const spare = tall > 0 && !options.preview ? Math.max(0, node.size[1] - y - fixed - PADDING) / tall : 0;
  const widgets: WidgetBox[] = [];
  for (const state of states) {
    const height = minHeight(state.face) + (isTall(state.face) ? spare : 0);
    widgets.push({ state, rect: [10, y, width - 20, height - 4] });
    if (state.input >= 0) inputs[state.input] = [0, y + Math.min(height - 4, WIDGET_HEIGHT - 4) / 2];
    y += height;
  }
  const bottom = y + PADDING;
  return {
    inputs,
    outputs,
    rows,
    widgets,
    preview: [8, bottom, width - 16, Math.max(0, node.size[1] - bottom - 8)],
    min: isReroute ? [60, 26] : [MIN_WIDTH, bottom + (previewMin > 0 ? previewMin + 8 : 0)],
  };
}

/** The size a node opens with. */
export function naturalSize(doc: Doc, node: DocNode, faces: NodeFaces): Point {
  if (node.type === "Reroute") return [75, 26];
  const states = shownWidgets(doc, node, faces);
  const isNote = node.type === "Note" || node.type === "MarkdownNote";
  const width = states.some((s) => isTall(s.face)) ? 320 : DEFAULT_WIDTH;
  const { min } = layoutNode(doc, { ...node, size: [width, 0] }, faces, { preview: showsPictures(node, faces) });
  return [width, isNote ? Math.max(min[1], 100) : min[1] + (showsScores(node, faces) ? SCORES_HEIGHT : 0)];
}

/** Whether the node gets room for pictures before it has any: it names one, saves or shows some, finds faces on them, or samples. */
export function showsPictures(node: DocNode, faces: NodeFaces): boolean {
  const face = faces.get(node.type);
  const shows = face?.isOutput || face?.outputs.some((o) => o.type === "FACES");
  const samples = face?.outputs.some((o) => o.type === "LATENT");
  return (
    face?.inputs.some((i) =>
      i.kind === "widget"
        ? i.file?.kind === "input"
        : (shows && i.type === "IMAGE") || (samples && (i.type === "MODEL" || i.type === "GUIDER")),
    ) ?? false
  );
}

/** Room for a few lines of numbers. */
const SCORES_HEIGHT = 44;
function showsScores(node: DocNode, faces: NodeFaces): boolean {
  const face = faces.get(node.type);
  return (
    face !== undefined && (face.outputs.some((o) => o.type === "METRICS") || (face.isOutput && face.inputs.some((i) => i.type === "*")))
  );
}

function isTall(face: WidgetFace): boolean {
  return face.multiline;
}

function minHeight(face: WidgetFace): number {
  return isTall(face) ? MULTILINE_HEIGHT : WIDGET_HEIGHT;
}

/** [x, y, width, height] with the title. */
export function outerRect(node: DocNode): Rect {
  const collapsed = node.flags.collapsed === true;
  return [
    node.pos[0],
    node.pos[1] - TITLE_HEIGHT,
    collapsed ? COLLAPSED_WIDTH : node.size[0],
    (collapsed ? 0 : node.size[1]) + TITLE_HEIGHT,
  ];
}
export const COLLAPSED_WIDTH = 160;

export function definitionName(doc: Doc, node: DocNode): string | undefined {
  return subgraphOf(doc, node)?.name;
}

/** What stands in a node's title bar. */
export function titleOf(doc: Doc, node: DocNode): string {
  return node.title ?? definitionName(doc, node) ?? node.type;
}
