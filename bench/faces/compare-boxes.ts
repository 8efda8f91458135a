import { type Box, iou } from "../../nodes/faces/box.ts";
import type { Face } from "../../nodes/shared/contracts/data.ts";
import type { Photograph } from "./photographs.ts";

/** A found box is the wanted one when they share this part of their union. */
const SAME = 0.3;

/**
 * The found face of each wanted one (the best overlap first), and those that are nobody's.
 * @param view how the picture was turned, clockwise in degrees, and its size then
 */
export function compareBoxes(
  found: readonly Face[],
  wanted: Photograph["faces"],
  unclear: readonly Box[],
  view: { readonly turn: number; readonly width: number; readonly height: number },
): { readonly kept: readonly (Face | undefined)[]; readonly extra: readonly Face[] } {
  const pairs = wanted
    .flatMap(({ box }, i) => found.map((face) => ({ face, i, overlap: iou(turned(box, view), face.box) })))
    .filter((p) => p.overlap >= SAME)
    .sort((p, q) => q.overlap - p.overlap);
  const kept = new Map<number, Face>();
  const taken = new Set<Face>();
  for (const { face, i } of pairs)
    if (!kept.has(i) && !taken.has(face)) {
      kept.set(i, face);
      taken.add(face);
    }
  const extra = found.filter((face) => !taken.has(face) && unclear.every((box) => iou(turned(box, view), face.box) < SAME));
  return { kept: wanted.map((_, i) => kept.get(i)), extra };
}

/** A box of the upright picture in the turned one. */
function turned(
  [x0, y0, x1, y1]: Box,
  { turn, width, height }: { readonly turn: number; readonly width: number; readonly height: number },
): Box {
  switch (((turn % 360) + 360) % 360) {
    case 90:
      return [width - y1, x0, width - y0, x1];
    case 180:
      return [width - x1, height - y1, width - x0, height - y0];
    case 270:
      return [y0, height - x1, y1, height - x0];
    default:
      return [x0, y0, x1, y1];
  }
}
