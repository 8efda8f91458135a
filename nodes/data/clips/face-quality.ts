import type { SeenFace } from "./face-scan.ts";

/** Shorter side of a face's box, in pixels. */
export function sideOf({ box: [x0, y0, x1, y1] }: SeenFace): number {
  return Math.min(x1 - x0, y1 - y0);
}

/** 1 = looks into the camera, 0 = profile: how far the nose is from the middle of the eyes, along the line through them. Tilting the head changes nothing. */
export function frontality({ points5: [left, right, nose] }: Pick<SeenFace, "points5">): number {
  const [ex, ey] = [right[0] - left[0], right[1] - left[1]];
  const length = ex * ex + ey * ey;
  if (length === 0) return 0;
  const along = ((nose[0] - left[0]) * ex + (nose[1] - left[1]) * ey) / length;
  return Math.max(0, 1 - 2 * Math.abs(along - 0.5));
}

/** Large, sharp and frontal; of two profiles the sharper one. */
export function faceQuality(face: SeenFace): number {
  return Math.sqrt(face.sharpness) * sideOf(face) * Math.max(0.1, frontality(face));
}
