// Which tracks show the same person, over all clips.
import { type FaceSpace, squaredDistance } from "./face-space.ts";

/** What a group of tracks is compared by: the mean squared distance of its faces to another's follows from their sums. */
export interface Grouped {
  /** Points of its faces, see `FaceSpace`. */
  readonly points: readonly Float64Array[];
  /** Names of the pictures it is seen in: two that share one are two people. */
  readonly seenIn: ReadonlySet<string>;
}

interface Group {
  readonly members: readonly number[];
  readonly mean: Float64Array;
  /** Mean squared distance of its points to their mean. */
  readonly spread: number;
  readonly count: number;
  readonly seenIn: ReadonlySet<string>;
}

/** Searches between two looks at whether the run was cancelled. */
const SEARCHES = 64;

/**
 * Average linkage: two groups become one while the mean squared distance between their faces is within the encoder's limit and they never share a
 * picture. The result is that of always joining the two nearest, whatever the order of the tracks; found along chains of nearest neighbours in O(n²),
 * which average linkage allows, also with pairs that must not be joined.
 * @returns for each track the number of its person, in the order of first appearance
 */
export async function groupTracks(
  tracks: readonly Grouped[],
  { limit }: FaceSpace,
  breathe: () => Promise<void>,
): Promise<readonly number[]> {
  let groups = new Set<Group>(tracks.map((track, k) => groupOf(track, k)));
  const done: Group[] = [];
  const chain: Group[] = [];
  let searches = 0;
  while (groups.size > 0) {
    const [first] = groups;
    if (chain.length === 0 && first) chain.push(first);
    const top = chain.at(-1);
    if (!top) break;
    if (++searches % SEARCHES === 0) await breathe();
    const before = chain.at(-2);
    const { nearest, distance } = nearestTo(top, groups, before);
    if (!nearest || distance > limit) {
      // Nothing can come nearer: what is joined lies between what it was joined of.
      groups.delete(top);
      done.push(top);
      chain.pop();
    } else if (nearest === before) {
      chain.splice(-2);
      groups.delete(top);
      groups.delete(nearest);
      groups = groups.add(joined(nearest, top));
    } else chain.push(nearest);
  }
  const person = new Array<number>(tracks.length).fill(-1);
  done
    .map((group) => group.members.toSorted((a, b) => a - b))
    .sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0))
    .forEach((members, number) => {
      for (const k of members) person[k] = number;
    });
  return person;
}

function groupOf({ points, seenIn }: Grouped, k: number): Group {
  const mean = new Float64Array(points[0]?.length ?? 0);
  for (const point of points) for (let i = 0; i < mean.length; i++) mean[i] = (mean[i] ?? 0) + (point[i] ?? 0) / points.length;
  const spread = points.reduce((sum, point) => sum + squaredDistance(point, mean), 0) / points.length;
  return { members: [k], mean, spread, count: points.length, seenIn };
}

/** Mean squared distance over all pairs of a face of a and one of b. */
function linkage(a: Group, b: Group): number {
  return squaredDistance(a.mean, b.mean) + a.spread + b.spread;
}

/** Of equally near ones the one before, so that chains end. */
function nearestTo(
  top: Group,
  groups: ReadonlySet<Group>,
  before: Group | undefined,
): { readonly nearest: Group | undefined; readonly distance: number } {
  let nearest = before;
  let distance = before ? linkage(top, before) : Number.POSITIVE_INFINITY;
  for (const other of groups) {
    if (other === top || other === before) continue;
    const between = linkage(top, other);
    if (between < distance && !sharesPicture(top, other)) [nearest, distance] = [other, between];
  }
  return { nearest, distance };
}

function sharesPicture({ seenIn: a }: Group, { seenIn: b }: Group): boolean {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  for (const name of small) if (large.has(name)) return true;
  return false;
}

function joined(a: Group, b: Group): Group {
  const count = a.count + b.count;
  const mean = a.mean.map((x, i) => (x * a.count + (b.mean[i] ?? 0) * b.count) / count);
  const spread = (a.count * (a.spread + squaredDistance(a.mean, mean)) + b.count * (b.spread + squaredDistance(b.mean, mean))) / count;
  return { members: [...a.members, ...b.members], mean, spread, count, seenIn: new Set([...a.seenIn, ...b.seenIn]) };
}
