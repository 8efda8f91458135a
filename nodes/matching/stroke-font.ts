// Digits as strokes, in units of their height.
import type { Point } from "../shared/contracts/data.ts";

/** Points on an ellipse, clockwise on the screen from the right (0°), in a cell 4 wide and 6 high. */
function arc(cx: number, cy: number, rx: number, ry: number, from: number, to: number): Point[] {
  return Array.from({ length: 17 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / 16) * Math.PI) / 180;
    return [cx + rx * Math.cos(angle), cy + ry * Math.sin(angle)];
  });
}

interface Glyph {
  readonly advance: number;
  readonly lines: readonly (readonly Point[])[];
}

const GLYPHS: Readonly<Record<string, Glyph>> = {
  "0": { advance: 5.2, lines: [arc(2, 3, 1.9, 3, 0, 360)] },
  "1": {
    advance: 5.2,
    lines: [
      [
        [0.8, 1.3],
        [2.3, 0],
        [2.3, 6],
      ],
    ],
  },
  "2": { advance: 5.2, lines: [[...arc(2, 1.75, 1.8, 1.75, 190, 400), [0.2, 6], [3.9, 6]]] },
  "3": { advance: 5.2, lines: [arc(1.9, 1.55, 1.7, 1.5, 200, 450), arc(1.9, 4.5, 2, 1.5, 270, 520)] },
  "4": {
    advance: 5.2,
    lines: [
      [
        [3, 6],
        [3, 0],
        [0, 4.2],
        [4, 4.2],
      ],
    ],
  },
  "5": {
    advance: 5.2,
    lines: [
      [
        [3.6, 0],
        [0.8, 0],
        [0.45, 2.75],
      ],
      arc(1.8, 4.05, 2.1, 1.95, 222, 510),
    ],
  },
  "6": {
    advance: 5.2,
    lines: [
      arc(2, 4.1, 1.9, 1.9, 0, 360),
      [
        [3.1, 0],
        [1.3, 1.9],
        [0.2, 3.6],
      ],
    ],
  },
  "7": {
    advance: 5.2,
    lines: [
      [
        [0.1, 0],
        [3.9, 0],
        [1.4, 6],
      ],
    ],
  },
  "8": { advance: 5.2, lines: [arc(2, 1.5, 1.6, 1.5, 0, 360), arc(2, 4.5, 1.95, 1.5, 0, 360)] },
  "9": {
    advance: 5.2,
    lines: [
      arc(2, 1.9, 1.9, 1.9, 0, 360),
      [
        [3.8, 2.4],
        [2.7, 4.1],
        [0.9, 6],
      ],
    ],
  },
  ".": {
    advance: 2.2,
    lines: [
      [
        [0.5, 5.9],
        [0.5, 6],
      ],
    ],
  },
  "-": {
    advance: 4.4,
    lines: [
      [
        [0.4, 3.2],
        [3.2, 3.2],
      ],
    ],
  },
};

/** The strokes of a text of digits, points and minus signs; other characters are left out. Heights are 0..1. */
export function glyphsOf(text: string): { readonly lines: readonly (readonly Point[])[]; readonly offset: number }[] {
  let offset = 0;
  return [...text].flatMap((character) => {
    const glyph = GLYPHS[character];
    if (!glyph) return [];
    const placed = { lines: glyph.lines.map((line) => line.map(([x, y]): Point => [x / 6, y / 6])), offset: offset / 6 };
    offset += glyph.advance;
    return [placed];
  });
}

/** Width of a text, without the space after it. */
export function textWidth(text: string): number {
  return Math.max(0, [...text].reduce((sum, character) => sum + (GLYPHS[character]?.advance ?? 0), 0) - 1.2) / 6;
}
