// A note's Markdown on the canvas: laid out once for its width, drawn as far as there is room.
import type { Rect } from "../doc/document.ts";
import { type Block, readMarkdown, type Span } from "../doc/markdown.ts";
import { FONT, MONO, type Theme } from "./theme.ts";

interface Run {
  readonly x: number;
  readonly text: string;
  readonly font: string;
  readonly span: Span;
  readonly width: number;
}
interface Line {
  /** Of its middle. */
  readonly y: number;
  readonly height: number;
  readonly block: Block;
  readonly runs: readonly Run[];
  readonly marker?: string;
  readonly indent: number;
}

const INDENT = 16;
const SIZES = [17, 15, 13.5, 13, 12, 12];
const laid = new Map<string, readonly Line[]>();

export function paintMarkdown(ctx: CanvasRenderingContext2D, theme: Theme, text: string, [x, y, w, h]: Rect): void {
  const lines = layout(ctx, text, w);
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  for (const [i, line] of lines.entries()) {
    const middle = y + line.y;
    const isLast =
      line.y + line.height / 2 <= h && (lines[i + 1] === undefined || (lines[i + 1]?.y ?? 0) + (lines[i + 1]?.height ?? 0) / 2 > h);
    if (line.y + line.height / 2 > h) return;
    if (line.block.kind === "code") {
      ctx.fillStyle = theme.s3;
      ctx.fillRect(x + line.indent, middle - line.height / 2, w - line.indent, line.height);
    }
    if (line.block.isQuote) {
      ctx.fillStyle = theme.t3;
      ctx.fillRect(x + line.indent - 10, middle - line.height / 2, 2, line.height);
    }
    if (line.block.kind === "rule" && !(isLast && lines[i + 1])) {
      ctx.fillStyle = theme.line;
      ctx.fillRect(x + line.indent, middle, w - line.indent, 1);
    }
    if (line.marker !== undefined) {
      ctx.font = `12px ${FONT}`;
      ctx.fillStyle = theme.t2;
      ctx.textAlign = "right";
      ctx.fillText(line.marker, x + line.indent - 5, middle);
      ctx.textAlign = "left";
    }
    for (const run of line.runs) paintRun(ctx, theme, run, x, middle, line.block.kind !== "code");
    if (isLast && lines[i + 1]) {
      const end = line.runs.at(-1);
      ctx.font = `12px ${FONT}`;
      ctx.fillStyle = theme.t3;
      ctx.fillText("…", x + Math.min(w - 12, (end ? end.x + end.width : line.indent) + 3), middle);
    }
  }
}

function paintRun(
  ctx: CanvasRenderingContext2D,
  theme: Theme,
  { x, text, font, span, width }: Run,
  left: number,
  middle: number,
  isFramed: boolean,
): void {
  if (span.code && isFramed) {
    ctx.fillStyle = theme.s3;
    ctx.beginPath();
    ctx.roundRect(left + x - 1, middle - 8, width + 2, 16, 3);
    ctx.fill();
  }
  ctx.font = font;
  ctx.fillStyle = span.href === undefined ? theme.t1 : theme.accent;
  ctx.fillText(text, left + x, middle);
  if (span.href !== undefined) ctx.fillRect(left + x, middle + 6, width, 1);
  if (span.struck) ctx.fillRect(left + x, middle, width, 1);
}

function fontOf(block: Block, span: Span): string {
  const size = block.kind === "heading" ? (SIZES[(block.level ?? 1) - 1] ?? 12) : span.code ? 11 : 12;
  const weight = span.bold || block.kind === "heading" ? "600 " : "";
  return `${span.italic ? "italic " : ""}${weight}${size}px ${span.code ? MONO : FONT}`;
}

/** Broken at spaces, like the rest of the canvas; a word longer than a line is cut by the clip of its node. */
function layout(ctx: CanvasRenderingContext2D, text: string, width: number): readonly Line[] {
  const key = `${Math.round(width)} ${text}`;
  const known = laid.get(key);
  if (known) return known;
  const lines: Line[] = [];
  let y = 2;
  let before: Block | undefined;
  for (const block of readMarkdown(text)) {
    const indent = block.depth * INDENT;
    const height = block.kind === "heading" ? (SIZES[(block.level ?? 1) - 1] ?? 12) * 1.45 : block.kind === "rule" ? 9 : 16;
    // Lines of one list, quote or piece of code stand close; what begins anew stands apart.
    const isClose =
      before && before.depth > 0 && block.depth > 0 && before.isQuote === block.isQuote
        ? true
        : before?.kind === "code" && block.kind === "code";
    if (before && !isClose) y += 6;
    let runs: Run[] = [];
    const start = block.kind === "code" ? indent + 6 : indent;
    let at = start;
    let marker = block.marker;
    const flush = (): void => {
      lines.push({ y: y + height / 2, height, block, runs, indent, ...(marker !== undefined && { marker }) });
      marker = undefined;
      y += height;
      runs = [];
      at = start;
    };
    for (const span of block.spans) {
      const font = fontOf(block, span);
      ctx.font = font;
      for (const [n, part] of span.text.split("\n").entries()) {
        if (n > 0) flush();
        for (const word of part.split(/(?<= )/)) {
          if (word === "") continue;
          const wide = ctx.measureText(word.trimEnd()).width;
          if (at > start && at + wide > width) flush();
          const last = runs.at(-1);
          const full = ctx.measureText(word).width;
          if (last && last.span === span) {
            runs[runs.length - 1] = { ...last, text: last.text + word, width: at - last.x + full };
          } else runs.push({ x: at, text: word, font, span, width: full });
          at += full;
        }
      }
    }
    flush();
    before = block;
  }
  if (laid.size > 300) laid.clear();
  laid.set(key, lines);
  return lines;
}
