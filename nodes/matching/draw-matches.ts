import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { Embeddings, Face, Matches, Point } from "../shared/contracts/data.ts";
import { scoreColor } from "../shared/matching/score-color.ts";
import { pictureOf } from "../shared/pictures/picture.ts";
import { Canvas, type Color, type Rect } from "./canvas.ts";
import declaration from "./draw-matches.node.ts";
import { textWidth } from "./stroke-font.ts";

const BACKGROUND: Color = [0.09, 0.1, 0.12];
const GREY: Color = [0.62, 0.64, 0.68];
const INK: Color = [0.05, 0.05, 0.06];
/** The drawn picture's height stays between these, so that lines and digits are legible and files small. */
const HEIGHT: readonly [number, number] = [640, 1080];

/**
 * The generated picture below the references, with a line from every reference to its face. Colour shows the similarity
 * (red 0, yellow 0.4, green 0.8); solid = accepted, dashed = assigned but below the threshold, grey = not assigned. A batch of
 * generated pictures is laid out in a row. Returns [height, width, 3].
 */
export function drawMatches({ similarity, pairs }: Matches): Canvas {
  const { references, generated } = similarity;
  const [count = 1, sourceHeight = 1, sourceWidth = 1] = generated.faces.images.shape;
  const height = Math.round(Math.min(HEIGHT[1], Math.max(HEIGHT[0], sourceHeight)));
  const scale = height / sourceHeight;
  const width = Math.max(1, Math.round(sourceWidth * scale));
  const unit = height / 100;
  const margin = Math.round(3 * unit);
  const people = Math.max(1, references.source.length);
  const inner = (width + margin) * count - margin;
  const tile = Math.max(1, Math.round(Math.min(24 * unit, inner / people - margin)));
  const top = margin + tile + Math.round(13 * unit);
  const canvas = new Canvas(inner + 2 * margin, top + height + margin, BACKGROUND);

  const place = (image: number): Point => [margin + image * (width + margin), top];
  for (let i = 0; i < count; i++) canvas.picture(pictureOf(generated.faces.images, i), [place(i)[0], top, width, height]);
  const tileAt = (k: number): Rect => [Math.round(margin + (inner / people) * (k + 0.5) - tile / 2), margin, tile, tile];
  const faceAt = (j: number): Rect => {
    const { box } = faceOf(generated, j);
    const [x, y] = place(generated.source[j]?.image ?? 0);
    return [x + box[0] * scale, y + box[1] * scale, (box[2] - box[0]) * scale, (box[3] - box[1]) * scale];
  };

  references.source.forEach(({ image }, k) => {
    canvas.picture(pictureOf(references.faces.images, image), tileAt(k), portraitOf(faceOf(references, k)));
  });
  const pen = 0.55 * unit;
  const line = (points: readonly Point[], color: Color, solid: boolean): void => {
    // The dark rim keeps the colour readable on any picture.
    if (solid) {
      canvas.stroke(points, pen * 1.9, INK);
      canvas.stroke(points, pen, color);
    } else {
      canvas.dashed(points, pen * 1.9, INK, pen * 4);
      canvas.dashed(points, pen, color, pen * 4);
    }
  };
  const size = 2.1 * unit;
  const pad = 0.9 * unit;
  const labelWidth = (text: string): number => textWidth(text) * size + 2 * pad;
  const label = (text: string, [x, y]: Point, color: Color): void => {
    const w = labelWidth(text);
    const at: Point = [Math.min(Math.max(x, 0), canvas.width - w), Math.min(Math.max(y, 0), canvas.height - size - 2 * pad)];
    canvas.box([at[0] - pen / 2, at[1] - pen / 2, w + pen, size + 2 * pad + pen], unit, INK);
    canvas.box([at[0], at[1], w, size + 2 * pad], unit * 0.8, color);
    canvas.text(text, at[0] + pad, at[1] + pad, size, INK);
  };

  const tagged = new Set<number>();
  for (const pair of pairs) {
    const color = scoreColor(pair.similarity);
    const [tx, ty, tw, th] = tileAt(pair.reference);
    const [fx, fy, fw] = faceAt(pair.generated);
    line(curve([tx + tw / 2, ty + th], [fx + fw / 2, fy]), color, pair.accepted);
    tagged.add(pair.generated);
  }
  references.source.forEach((_, k) => {
    const pair = pairs.find((p) => p.reference === k);
    const at = tileAt(k);
    line(outline(at), pair ? scoreColor(pair.similarity) : GREY, pair?.accepted ?? false);
    label(String(k + 1), [at[0], at[1]], pair ? scoreColor(pair.similarity) : GREY);
    if (!pair) return;
    const value = pair.similarity.toFixed(2);
    label(value, [at[0] + (tile - labelWidth(value)) / 2, at[1] + tile + 1.6 * unit], scoreColor(pair.similarity));
  });
  generated.source.forEach((_, j) => {
    if (!tagged.has(j)) line(outline(faceAt(j)), GREY, false);
  });
  for (const pair of pairs) {
    const at = faceAt(pair.generated);
    line(outline(at), scoreColor(pair.similarity), pair.accepted);
    // Above the box: inside, it would cover an eye.
    label(String(pair.reference + 1), [at[0], at[1] - size - 2 * pad - pen], scoreColor(pair.similarity));
  }
  return canvas;
}

function faceOf(embeddings: Embeddings, row: number): Face {
  const at = embeddings.source[row];
  const face = at && embeddings.faces.faces[at.image]?.[at.face];
  return (
    face ?? {
      box: [0, 0, 1, 1],
      score: 0,
      points5: [
        [0, 0],
        [1, 0],
        [0.5, 0.5],
        [0, 1],
        [1, 1],
      ],
    }
  );
}

/** A square round a face with some hair and shoulders. */
function portraitOf({ box: [x0, y0, x1, y1] }: Face): Rect {
  const side = 1.7 * Math.max(x1 - x0, y1 - y0, 1);
  return [(x0 + x1 - side) / 2, (y0 + y1 - side) / 2, side, side];
}

function outline([x, y, w, h]: Rect): Point[] {
  return [
    [x, y],
    [x + w, y],
    [x + w, y + h],
    [x, y + h],
    [x, y],
  ];
}

/** A cubic that leaves and arrives upright. */
function curve([x0, y0]: Point, [x1, y1]: Point): Point[] {
  const bend = 0.5 * (y1 - y0);
  return Array.from({ length: 65 }, (_, i) => {
    const t = i / 64;
    const [a, b, c, d] = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3];
    return [(a + b) * x0 + (c + d) * x1, a * y0 + b * (y0 + bend) + c * (y1 - bend) + d * y1];
  });
}

export default implementNode(declaration, {
  run({ matches }) {
    const { data, width, height } = drawMatches(matches);
    return { IMAGE: f32([1, height, width, 3], data) };
  },
});
