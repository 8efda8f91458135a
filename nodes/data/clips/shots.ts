import type { SeenPicture } from "./face-scan.ts";

/** Mean difference of two thumbnails, of 255, above which the camera looks at something else. */
const CUT = 27;

const byName = new Intl.Collator("en", { numeric: true });

/**
 * The pictures of one clip in the order of their names (`frame_2` before `frame_10`), cut where a scene ends. Photographs that were not taken in a row are
 * shots of their own, as far as they look different.
 */
export function shotsOf(clip: readonly SeenPicture[]): readonly (readonly SeenPicture[])[] {
  const shots: SeenPicture[][] = [];
  let before: SeenPicture | undefined;
  for (const picture of clip.toSorted((a, b) => byName.compare(a.name, b.name) || (a.name < b.name ? -1 : 1))) {
    if (!before || thumbnailDifference(before.thumbnail, picture.thumbnail) > CUT) shots.push([]);
    shots.at(-1)?.push(picture);
    before = picture;
  }
  return shots;
}

/** Mean absolute difference of two thumbnails, 0..255. @param a hexadecimal bytes, as many as b's */
export function thumbnailDifference(a: string, b: string): number {
  const count = a.length / 2;
  let sum = 0;
  for (let k = 0; k < a.length; k += 2) sum += Math.abs(Number.parseInt(a.slice(k, k + 2), 16) - Number.parseInt(b.slice(k, k + 2), 16));
  return sum / count;
}
