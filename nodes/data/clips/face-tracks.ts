// Faces followed from frame to frame inside a shot.
import type { Face } from "../../shared/contracts/data.ts";
import { hungarian } from "../../shared/matching/hungarian.ts";
import type { SeenFace, SeenPicture } from "./face-scan.ts";
import { type FaceSpace, squaredDistance } from "./face-space.ts";

/** One face of one picture. */
export interface Sighting {
  readonly picture: SeenPicture;
  readonly face: SeenFace;
}

/** Sightings of one person in one shot, in order; at most one per picture. */
export type Track = readonly Sighting[];

/** Frames in a row in which a face may be missing. */
const GAP = 2;
/** Sides of the face by which it may move from one frame to the next. */
const REACH = 2;
/** Overlap at which a face may look as different as {@link LOOSE} says: it turned, or is blurred. */
const SAME_PLACE = 0.5;
/** Times the squared distance of one person's faces. */
const LOOSE = 1.6;
/** Last sightings of a track that a face is compared with. */
const COMPARED = 3;

/** Faces are joined by place and appearance together: the assignment of the highest overlap plus likeness. @param shot pictures in a row */
export function trackFaces(shot: readonly SeenPicture[], space: FaceSpace): readonly Track[] {
  const tracks: { readonly sightings: Sighting[]; readonly points: Float64Array[]; last: number }[] = [];
  for (const [at, picture] of shot.entries()) {
    const open = tracks.filter((track) => at - track.last <= GAP + 1);
    const points = picture.faces.map((face) => space.point(face.vector));
    const costs = new Float64Array(open.length * points.length).fill(Number.POSITIVE_INFINITY);
    for (const [row, track] of open.entries())
      for (const [column, point] of points.entries()) {
        const before = track.sightings.at(-1)?.face;
        const face = picture.faces[column];
        if (!before || !face) continue;
        const distance = Math.min(...track.points.slice(-COMPARED).map((p) => squaredDistance(p, point)));
        const overlap = overlapOf(before.box, face.box);
        const isAlike = distance <= space.limit && isNear(before.box, face.box, at - track.last);
        if (isAlike || (overlap >= SAME_PLACE && distance <= LOOSE * space.limit))
          costs[row * points.length + column] = (distance > 0 ? distance / space.limit : 0) - overlap;
      }
    const joined = new Set<number>();
    for (const { row, column } of hungarian(costs, open.length, points.length).pairs) {
      const [track, face, point] = [open[row], picture.faces[column], points[column]];
      if (!track || !face || !point) continue;
      track.sightings.push({ picture, face });
      track.points.push(point);
      track.last = at;
      joined.add(column);
    }
    for (const [column, face] of picture.faces.entries()) {
      const point = points[column];
      if (point && !joined.has(column)) tracks.push({ sightings: [{ picture, face }], points: [point], last: at });
    }
  }
  return tracks.map((track) => track.sightings);
}

type Box = Face["box"];

/** Intersection over union, 0..1. */
export function overlapOf([ax0, ay0, ax1, ay1]: Box, [bx0, by0, bx1, by1]: Box): number {
  const both = Math.max(0, Math.min(ax1, bx1) - Math.max(ax0, bx0)) * Math.max(0, Math.min(ay1, by1) - Math.max(ay0, by0));
  const either = (ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - both;
  return either > 0 ? both / either : 0;
}

function isNear(a: Box, b: Box, frames: number): boolean {
  const apart = Math.hypot(a[0] + a[2] - b[0] - b[2], a[1] + a[3] - b[1] - b[3]) / 2;
  const side = Math.max(a[2] - a[0], a[3] - a[1], b[2] - b[0], b[3] - b[1]);
  return apart <= REACH * side * frames;
}
