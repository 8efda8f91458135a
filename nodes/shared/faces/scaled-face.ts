import type { Face, Image } from "../contracts/data.ts";

/** The face in the coordinates of a picture of another size. */
export function scaledFace(face: Face, from: Image, to: Image): Face {
  const [, h0 = 1, w0 = 1] = from.shape;
  const [, h1 = 1, w1 = 1] = to.shape;
  if (h0 === h1 && w0 === w1) return face;
  const [sx, sy] = [w1 / w0, h1 / h0];
  const move = ([x, y]: readonly [number, number]) => [x * sx, y * sy] as const;
  const [a, b, c, d, e] = face.points5;
  const [x0, y0, x1, y1] = face.box;
  return {
    box: [x0 * sx, y0 * sy, x1 * sx, y1 * sy],
    score: face.score,
    points5: [move(a), move(b), move(c), move(d), move(e)],
    ...(face.points68 ? { points68: face.points68.map(move) } : {}),
  };
}
