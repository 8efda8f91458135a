// Draws one node in its own coordinates. Three levels of detail: everything, the title, a block.
import type { Doc, DocNode, Rect } from "../doc/document.ts";
import { BYPASSED, MUTED, subgraphOf, typeName } from "../doc/document.ts";
import { COLLAPSED_WIDTH, type NodeLayout, TITLE_HEIGHT, titleOf, type WidgetBox } from "../doc/node-layout.ts";
import { showValue } from "../doc/widgets.ts";
import type { NodeLook } from "./node-look.ts";
import { paintMarkdown } from "./paint-markdown.ts";
import type { Pictures } from "./pictures.ts";
import { socketColor, socketPath, socketShape } from "./socket-look.ts";
import { cut, wrap } from "./text.ts";
import { FONT, MONO, type Theme } from "./theme.ts";

export interface Scene {
  readonly doc: Doc;
  readonly theme: Theme;
  readonly pictures: Pictures;
  readonly scale: number;
  /** Short words above a node's title. */
  readonly badges: (node: DocNode) => readonly string[];
  /** Type being dragged: sockets that can't take it are dimmed. */
  readonly dragging: { readonly fits: (node: DocNode, slot: number, side: "input" | "output") => boolean } | undefined;
}

export interface Painted {
  readonly node: DocNode;
  readonly layout: NodeLayout;
  readonly look: NodeLook;
  readonly isSelected: boolean;
  readonly isKnown: boolean;
  /** The socket or widget under the pointer. */
  readonly hover: string | undefined;
  readonly optional: (slot: number) => boolean;
}

/** Text is never drawn under 6 px. */
const DETAIL = 0.55;
const TITLES = 0.2;
const RADIUS = 6;

export function paintNode(ctx: CanvasRenderingContext2D, scene: Scene, it: Painted): void {
  const { node } = it;
  ctx.globalAlpha = node.mode === MUTED ? 0.45 : node.mode === BYPASSED ? 0.7 : 1;
  if (scene.scale < TITLES) paintBlock(ctx, scene, it);
  else if (scene.scale < DETAIL) paintTitleOnly(ctx, scene, it);
  else paintAll(ctx, scene, it);
  ctx.globalAlpha = 1;
}

function frame(it: Painted): Rect {
  const collapsed = it.node.flags.collapsed === true;
  return [0, -TITLE_HEIGHT, collapsed ? COLLAPSED_WIDTH : it.node.size[0], (collapsed ? 0 : it.node.size[1]) + TITLE_HEIGHT];
}

function body(ctx: CanvasRenderingContext2D, scene: Scene, it: Painted, lineScale: number): void {
  const { theme } = scene;
  const { node, look } = it;
  const [x, y, w, h] = frame(it);
  ctx.beginPath();
  ctx.roundRect(x, y, w, h, RADIUS);
  ctx.fillStyle = theme.s2;
  ctx.fill();
  if (node.color) {
    ctx.save();
    ctx.clip();
    ctx.globalAlpha *= 0.35;
    ctx.fillStyle = node.color;
    ctx.fillRect(x, y, w, TITLE_HEIGHT);
    ctx.restore();
    ctx.beginPath();
    ctx.roundRect(x, y, w, h, RADIUS);
  }
  const problem = look.status === "error" || look.problem?.level === "error" || !it.isKnown;
  ctx.lineWidth = (it.isSelected || problem || look.status === "running" ? 2 : 1) * lineScale;
  ctx.strokeStyle = it.isSelected
    ? theme.accent
    : problem
      ? theme.bad
      : look.status === "running"
        ? theme.accent
        : look.problem
          ? theme.warn
          : theme.line;
  if (node.mode === BYPASSED) ctx.setLineDash([6, 4]);
  ctx.stroke();
  ctx.setLineDash([]);
}

function paintBlock(ctx: CanvasRenderingContext2D, scene: Scene, it: Painted): void {
  const [x, y, w, h] = frame(it);
  const first = it.node.outputs[0];
  ctx.fillStyle = it.node.color ?? (first ? socketColor(typeName(first.type), scene.theme) : scene.theme.t3);
  ctx.globalAlpha *= 0.55;
  ctx.fillRect(x, y, w, h);
  ctx.globalAlpha /= 0.55;
  if (it.isSelected) {
    ctx.strokeStyle = scene.theme.accent;
    ctx.lineWidth = 2 / scene.scale;
    ctx.strokeRect(x, y, w, h);
  }
  const mark = 7 / scene.scale;
  if (it.look.status !== "idle" || it.look.problem) paintStatus(ctx, scene.theme, it, x + w / 2, y + h / 2, Math.min(mark, w / 3));
}

function paintTitleOnly(ctx: CanvasRenderingContext2D, scene: Scene, it: Painted): void {
  const { theme } = scene;
  body(ctx, scene, it, 1 / scene.scale);
  const [x, y, w, h] = frame(it);
  const size = Math.min(10.5 / scene.scale, 30);
  const small = size * scene.scale < 6;
  if (it.look.status !== "idle" || it.look.problem) paintStatus(ctx, theme, it, x + size * 0.9, y + TITLE_HEIGHT / 2 + 2, size * 0.42);
  if (!small) {
    const inset = it.look.status !== "idle" || it.look.problem ? size * 1.7 : size * 0.6;
    ctx.font = `600 ${size}px ${FONT}`;
    ctx.fillStyle = theme.t1;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    const room = h - TITLE_HEIGHT < size * 1.5 ? 1 : 2;
    for (const [i, line] of wrap(ctx, titleOf(scene.doc, it.node), w - inset - size * 0.4, room).entries())
      ctx.fillText(line, x + inset, y + Math.max(TITLE_HEIGHT / 2 + 2, size * 0.75) + i * size * 1.2);
  }
  const [px, py, pw, ph] = it.layout.preview;
  if (it.node.flags.collapsed !== true && it.look.pictures.length > 0 && ph > 20) paintPictures(ctx, scene, it.look, [px, py, pw, ph]);
}

function paintAll(ctx: CanvasRenderingContext2D, scene: Scene, it: Painted): void {
  const { theme, doc } = scene;
  const { node, layout, look } = it;
  body(ctx, scene, it, 1);
  const [x, y, w] = frame(it);
  paintBadges(ctx, theme, scene.badges(node), x + w, y - 19);
  const collapsed = node.flags.collapsed === true;
  ctx.textBaseline = "middle";

  // Title bar: status, title, what is special, cost.
  let right = x + w - 10;
  ctx.font = `11px ${FONT}`;
  ctx.textAlign = "right";
  const chip = chipOf(it);
  if (chip && !collapsed) {
    ctx.fillStyle = theme.t2;
    const text = cut(ctx, chip, w * 0.55);
    ctx.fillText(text, right, y + TITLE_HEIGHT / 2);
    right -= ctx.measureText(text).width + 8;
  }
  const hasMark = look.status !== "idle" || look.problem !== undefined || !it.isKnown;
  if (hasMark) paintStatus(ctx, theme, it, x + 15, y + TITLE_HEIGHT / 2, 5);
  const start = x + (hasMark ? 27 : 12);
  ctx.textAlign = "left";
  ctx.font = `600 13px ${FONT}`;
  ctx.fillStyle = theme.t1;
  const title = titleOf(doc, node);
  const shown = cut(ctx, title, right - start);
  ctx.fillText(shown, start, y + TITLE_HEIGHT / 2);
  const kind = subgraphOf(doc, node) ? "subgraph" : node.type;
  if (title !== kind && !collapsed && node.type !== "Note" && node.type !== "MarkdownNote") {
    const used = ctx.measureText(shown).width + 8;
    ctx.font = `11px ${FONT}`;
    ctx.fillStyle = theme.t3;
    ctx.fillText(cut(ctx, kind, right - start - used), start + used, y + TITLE_HEIGHT / 2 + 0.5);
  }
  if (look.status === "running" && look.progress !== undefined) {
    ctx.fillStyle = theme.s3;
    ctx.fillRect(x + 1, -2, w - 2, 3);
    ctx.fillStyle = theme.accent;
    ctx.fillRect(x + 1, -2, (w - 2) * Math.min(1, look.progress), 3);
  }
  if (collapsed) {
    if (node.inputs.length > 0) socket(ctx, scene, x, -TITLE_HEIGHT / 2, "*", true, false, 1);
    if (node.outputs.length > 0) socket(ctx, scene, x + w, -TITLE_HEIGHT / 2, typeName(node.outputs[0]?.type), true, false, 1);
    return;
  }

  for (const box of layout.widgets) paintWidget(ctx, scene, it, box);

  ctx.font = `12px ${FONT}`;
  for (const [slot, input] of node.inputs.entries()) {
    const at = layout.inputs[slot];
    if (!at) continue;
    const type = typeName(input.type);
    const isWidget = !layout.rows.includes(slot);
    const wanted = scene.dragging ? scene.dragging.fits(node, slot, "input") : true;
    if (
      isWidget &&
      input.link === null &&
      !(scene.dragging && wanted) &&
      it.hover !== `in ${slot}` &&
      it.hover !== `widget ${input.widget?.name}`
    )
      continue;
    const isWrong = look.problem?.input === input.name && look.problem !== undefined;
    socket(ctx, scene, at[0], at[1], type, input.link !== null || !it.optional(slot), it.hover === `in ${slot}`, wanted ? 1 : 0.25);
    if (isWrong) ring(ctx, theme.bad, at[0], at[1]);
    if (isWidget) continue;
    ctx.textAlign = "left";
    ctx.fillStyle = isWrong ? theme.bad : wanted ? theme.t1 : theme.t3;
    const half = node.outputs.length > 0 ? node.size[0] * 0.55 : node.size[0];
    ctx.fillText(cut(ctx, look.inputLabels?.[input.name] ?? label(input) ?? input.name, half - 18), 12, at[1]);
  }
  for (const [slot, output] of node.outputs.entries()) {
    const at = layout.outputs[slot];
    if (!at) continue;
    const type = typeName(output.type);
    const wanted = scene.dragging ? scene.dragging.fits(node, slot, "output") : true;
    socket(ctx, scene, at[0], at[1], type, true, it.hover === `out ${slot}`, wanted ? 1 : 0.25);
    ctx.textAlign = "right";
    ctx.fillStyle = wanted ? theme.t1 : theme.t3;
    const half = layout.rows.length > 0 ? node.size[0] * 0.5 : node.size[0];
    ctx.fillText(cut(ctx, look.outputLabels?.[output.name] ?? label(output) ?? output.name, half - 18), at[0] - 12, at[1]);
  }

  const [px, py, pw, ph] = layout.preview;
  if (look.pictures.length > 0 && ph > 24) paintPictures(ctx, scene, look, [px, py, pw, ph]);
  else if (look.text !== undefined && ph > 18) {
    ctx.textAlign = "left";
    // Text that is laid out in columns keeps them.
    ctx.font = / {3,}/.test(look.text) ? `11px ${MONO}` : `12px ${FONT}`;
    ctx.fillStyle = theme.t1;
    for (const [i, line] of wrap(ctx, look.text, pw, Math.floor(ph / 16)).entries()) ctx.fillText(line, px, py + 8 + i * 16);
  }
  if (it.isSelected) {
    ctx.strokeStyle = theme.t3;
    ctx.lineWidth = 1;
    ctx.beginPath();
    for (const d of [4, 8]) {
      ctx.moveTo(node.size[0] - d - 2, node.size[1] - 2.5);
      ctx.lineTo(node.size[0] - 2.5, node.size[1] - d - 2);
    }
    ctx.stroke();
  }
}

/** In a row that ends at `right`. */
function paintBadges(ctx: CanvasRenderingContext2D, theme: Theme, badges: readonly string[], right: number, top: number): void {
  ctx.font = `11px ${FONT}`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  let x = right;
  for (const text of badges.toReversed()) {
    const width = ctx.measureText(text).width + 10;
    x -= width;
    ctx.beginPath();
    ctx.roundRect(x, top, width, 16, 4);
    ctx.fillStyle = theme.s1;
    ctx.fill();
    ctx.lineWidth = 1;
    ctx.strokeStyle = theme.line;
    ctx.stroke();
    ctx.fillStyle = theme.t2;
    ctx.fillText(text, x + 5, top + 8.5);
    x -= 4;
  }
}

function label(slot: Readonly<Record<string, unknown>>): string | undefined {
  const given = slot.label ?? slot.localized_name;
  return typeof given === "string" && given !== "" ? given : undefined;
}

function chipOf({ node, look }: Painted): string | undefined {
  if (node.mode === MUTED) return "muted";
  if (node.mode === BYPASSED) return "bypassed";
  if (look.isPinned) return "result pinned";
  if (look.status === "running") return look.note ?? "running";
  if (look.status === "cached") return "from before";
  if (look.status === "waiting") return "waiting";
  if (look.status === "skipped") return "not needed";
  if (look.cost !== undefined) return look.cost;
  if (look.status === "done" && look.ms !== undefined) return duration(look.ms);
  return undefined;
}

/** `340 ms`, `2.4 s`, `2 min 10 s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}\u2009ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)}\u2009s`;
  const s = Math.round(ms / 1000);
  if (s < 60) return `${s}\u2009s`;
  if (s < 3600) return s % 60 === 0 ? `${s / 60}\u2009min` : `${Math.floor(s / 60)}\u2009min ${s % 60}\u2009s`;
  return `${Math.floor(s / 3600)}\u2009h ${Math.floor((s % 3600) / 60)}\u2009min`;
}

function socket(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  x: number,
  y: number,
  type: string,
  filled: boolean,
  hover: boolean,
  alpha: number,
): void {
  const before = ctx.globalAlpha;
  ctx.globalAlpha = before * alpha;
  const color = socketColor(type, scene.theme);
  ctx.beginPath();
  socketPath(ctx, socketShape(type), x, y, hover ? 6.5 : 4.5);
  ctx.fillStyle = filled ? color : scene.theme.s2;
  ctx.fill();
  ctx.strokeStyle = color;
  ctx.lineWidth = 1.5;
  ctx.stroke();
  ctx.globalAlpha = before;
}

function ring(ctx: CanvasRenderingContext2D, color: string, x: number, y: number): void {
  ctx.beginPath();
  ctx.arc(x, y, 8, 0, Math.PI * 2);
  ctx.strokeStyle = color;
  ctx.lineWidth = 2;
  ctx.stroke();
}

/** Never by colour alone: each state has a shape of its own. */
function paintStatus(ctx: CanvasRenderingContext2D, theme: Theme, it: Painted, x: number, y: number, r: number): void {
  const { look } = it;
  ctx.lineWidth = r * 0.36;
  ctx.beginPath();
  if (look.status === "error" || look.problem || !it.isKnown) {
    const bad = look.status === "error" || look.problem?.level === "error" || !it.isKnown;
    ctx.fillStyle = bad ? theme.bad : theme.warn;
    ctx.moveTo(x, y - r * 1.15);
    ctx.lineTo(x + r * 1.2, y + r * 0.95);
    ctx.lineTo(x - r * 1.2, y + r * 0.95);
    ctx.closePath();
    ctx.fill();
    ctx.fillStyle = theme.s2;
    ctx.fillRect(x - r * 0.14, y - r * 0.4, r * 0.28, r * 0.7);
    ctx.fillRect(x - r * 0.14, y + r * 0.45, r * 0.28, r * 0.28);
    return;
  }
  switch (look.status) {
    case "running":
      ctx.strokeStyle = theme.s3;
      ctx.arc(x, y, r, 0, Math.PI * 2);
      ctx.stroke();
      ctx.beginPath();
      ctx.strokeStyle = theme.accent;
      ctx.arc(x, y, r, -Math.PI / 2, -Math.PI / 2 + Math.PI * 2 * Math.max(0.06, look.progress ?? 0.25));
      ctx.stroke();
      break;
    case "done":
      ctx.strokeStyle = theme.good;
      ctx.moveTo(x - r * 0.9, y + r * 0.05);
      ctx.lineTo(x - r * 0.2, y + r * 0.75);
      ctx.lineTo(x + r * 0.95, y - r * 0.7);
      ctx.stroke();
      break;
    case "cached":
      ctx.strokeStyle = theme.good;
      ctx.arc(x, y, r * 0.9, Math.PI * 0.35, Math.PI * 1.9);
      ctx.moveTo(x + r * 0.9, y - r * 0.95);
      ctx.lineTo(x + r * 0.9, y - r * 0.2);
      ctx.lineTo(x + r * 0.15, y - r * 0.2);
      ctx.stroke();
      break;
    case "waiting":
      ctx.fillStyle = theme.t3;
      for (const d of [-0.9, 0, 0.9]) {
        ctx.moveTo(x + d * r, y);
        ctx.arc(x + d * r, y, r * 0.24, 0, Math.PI * 2);
      }
      ctx.fill();
      break;
    case "skipped":
      ctx.strokeStyle = theme.t3;
      ctx.moveTo(x - r * 0.8, y);
      ctx.lineTo(x + r * 0.8, y);
      ctx.stroke();
      break;
    case "idle":
  }
}

function paintWidget(ctx: CanvasRenderingContext2D, scene: Scene, it: Painted, { state, rect }: WidgetBox): void {
  const { theme } = scene;
  const { face } = state;
  const [x, y, w, h] = rect;
  const isWrong = it.look.problem?.input === face.name;
  const hovered = it.hover === `widget ${face.name}`;
  const brought = state.linked ? it.look.linked?.[face.name] : undefined;
  const value = state.linked ? brought : state.value;
  ctx.beginPath();
  ctx.roundRect(x, y, w, h, 4);
  ctx.fillStyle = hovered && !state.linked ? theme.s3 : theme.s1;
  ctx.fill();
  if (face.slider && typeof value === "number" && face.min !== undefined && face.max !== undefined) {
    const share = (value - Number(face.min)) / Math.max(1e-12, Number(face.max) - Number(face.min));
    ctx.save();
    ctx.clip();
    ctx.globalAlpha *= 0.28;
    ctx.fillStyle = theme.accent;
    ctx.fillRect(x, y, w * Math.min(1, Math.max(0, share)), h);
    ctx.restore();
    ctx.beginPath();
    ctx.roundRect(x, y, w, h, 4);
  }
  ctx.lineWidth = isWrong ? 1.5 : 1;
  ctx.strokeStyle = isWrong ? theme.bad : theme.line;
  ctx.stroke();
  ctx.textBaseline = "middle";

  if (face.multiline && h > 30 && it.node.type === "MarkdownNote" && typeof value === "string" && value !== "") {
    paintMarkdown(ctx, theme, value, [x + 8, y + 4, w - 16, h - 8]);
    return;
  }
  if (face.multiline && h > 30) {
    ctx.font = `12px ${FONT}`;
    ctx.textAlign = "left";
    const text = showValue(value);
    ctx.fillStyle = text === "" ? theme.t3 : theme.t1;
    const shown = state.linked && brought === undefined ? `${face.name} comes over a link` : text === "" ? face.name : text;
    for (const [i, line] of wrap(ctx, shown, w - 16, Math.floor((h - 8) / 16)).entries()) ctx.fillText(line, x + 8, y + 12 + i * 16);
    return;
  }
  const middle = y + h / 2 + 0.5;
  ctx.font = `11px ${FONT}`;
  ctx.textAlign = "left";
  ctx.fillStyle = isWrong ? theme.bad : theme.t2;
  const name = cut(ctx, face.name, w * 0.6);
  ctx.fillText(name, x + 8, middle);
  const nameWidth = ctx.measureText(name).width;
  ctx.textAlign = "right";
  if (face.type === "BOOLEAN" && !state.linked) {
    const on = value === true;
    const cx = x + w - 34;
    ctx.beginPath();
    ctx.roundRect(cx, y + h / 2 - 6, 26, 12, 6);
    ctx.fillStyle = on ? theme.accent : theme.s3;
    ctx.fill();
    ctx.strokeStyle = on ? theme.accent : theme.t3;
    ctx.stroke();
    ctx.beginPath();
    ctx.arc(on ? cx + 20 : cx + 6, y + h / 2, 4, 0, Math.PI * 2);
    ctx.fillStyle = on ? theme.s2 : theme.t2;
    ctx.fill();
    return;
  }
  let end = x + w - 8;
  if (face.options || face.file) {
    ctx.strokeStyle = theme.t3;
    ctx.lineWidth = 1.2;
    ctx.beginPath();
    ctx.moveTo(end - 7, middle - 2);
    ctx.lineTo(end - 3.5, middle + 1.5);
    ctx.lineTo(end, middle - 2);
    ctx.stroke();
    end -= 13;
  }
  if (state.control !== undefined && state.control !== "fixed" && !state.linked) {
    ctx.fillStyle = theme.t3;
    const word = state.control === "randomize" ? "random" : state.control === "increment" ? "+1" : "−1";
    ctx.fillText(word, end, middle);
    end -= ctx.measureText(word).width + 6;
  }
  ctx.font = `12px ${FONT}`;
  const text = state.linked ? (brought === undefined ? "linked" : showValue(brought)) : showValue(value);
  ctx.fillStyle = state.linked ? theme.t3 : theme.t1;
  ctx.fillText(cut(ctx, text === "" && !state.linked ? "none" : text, end - x - nameWidth - 20), end, middle);
}

/** Two side by side, more as a grid; each whole, none stretched. */
export function gridOf(count: number, width: number, height: number): { readonly columns: number; readonly rows: number } {
  if (count <= 1) return { columns: 1, rows: 1 };
  let best = { columns: 1, rows: count, side: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const side = Math.min(width / columns, height / rows);
    if (side > best.side) best = { columns, rows, side };
  }
  return best;
}

function paintPictures(ctx: CanvasRenderingContext2D, scene: Scene, { pictures, rough, faces }: NodeLook, [x, y, w, h]: Rect): void {
  const shown = pictures.slice(0, 36);
  const { columns, rows } = gridOf(shown.length, w, h);
  const cw = w / columns;
  const ch = h / rows;
  ctx.imageSmoothingQuality = "high";
  for (const [i, url] of shown.entries()) {
    const image = scene.pictures.get(url) ?? (rough?.before === undefined ? undefined : scene.pictures.get(rough.before));
    const cx = x + (i % columns) * cw;
    const cy = y + Math.floor(i / columns) * ch;
    if (!image) {
      ctx.fillStyle = scene.theme.s1;
      ctx.fillRect(cx + 1, cy + 1, cw - 2, ch - 2);
      continue;
    }
    const scale = Math.min((cw - (columns > 1 ? 4 : 0)) / image.naturalWidth, (ch - (rows > 1 ? 4 : 0)) / image.naturalHeight);
    const iw = image.naturalWidth * scale;
    const ih = image.naturalHeight * scale;
    // A picture of a few pixels is meant to be seen as such.
    ctx.imageSmoothingEnabled = scale < 3 || rough !== undefined;
    const [left, top] = [cx + (cw - iw) / 2, cy + (ch - ih) / 2];
    ctx.drawImage(image, left, top, iw, ih);
    // Light on dark, so that they stand out on any picture.
    for (const [lineWidth, color] of [
      [3, "rgb(0 0 0 / 65%)"],
      [1.5, "#ffffff"],
    ] as const) {
      ctx.lineWidth = lineWidth;
      ctx.strokeStyle = color;
      for (const [x0, y0, x1, y1] of faces?.[i] ?? [])
        ctx.strokeRect(left + x0 * iw, top + y0 * ih, Math.max(1, (x1 - x0) * iw), Math.max(1, (y1 - y0) * ih));
    }
  }
  ctx.imageSmoothingEnabled = true;
}
