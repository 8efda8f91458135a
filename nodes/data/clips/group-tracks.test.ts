import { expect, it } from "vitest";
import { type RandomSource, randomSource } from "../../../engine/base/random.ts";
import { squaredDistance } from "./face-space.ts";
import { type Grouped, groupTracks } from "./group-tracks.ts";

const breathe = async () => undefined;
const space = { limit: 1, point: (vector: readonly number[]) => Float64Array.from(vector) };

/** Tracks of a few people, at places round theirs; some share pictures. */
function tracksOf(rng: RandomSource, n: number, people: number, spread: number): Grouped[] {
  const centres = Array.from({ length: people }, () => [3 * rng.uniform(), 3 * rng.uniform(), 3 * rng.uniform()]);
  return Array.from({ length: n }, (_, k) => ({
    points: Array.from({ length: 1 + rng.below(4) }, () =>
      Float64Array.from(centres[k % people] ?? [], (x) => x + spread * (rng.uniform() - 0.5)),
    ),
    seenIn: new Set([`picture ${rng.below(2 * n)}`, `picture ${k} alone`]),
  }));
}

/** Always the two nearest groups that may be joined, over all pairs of their faces: what average linkage is. */
function bruteForce(tracks: readonly Grouped[], limit: number): number[] {
  const groups = tracks.map((track, k) => ({ members: [k], points: [...track.points], seenIn: new Set(track.seenIn) }));
  for (;;) {
    let best: { readonly i: number; readonly j: number; readonly d: number } | undefined;
    for (const [i, a] of groups.entries())
      for (const [j, b] of groups.entries()) {
        if (j <= i || [...a.seenIn].some((name) => b.seenIn.has(name))) continue;
        const all = a.points.flatMap((p) => b.points.map((q) => squaredDistance(p, q)));
        const d = all.reduce((x, y) => x + y, 0) / all.length;
        if (d <= limit && (!best || d < best.d)) best = { i, j, d };
      }
    if (!best) break;
    const [a, b] = [groups[best.i], groups[best.j]];
    if (!a || !b) break;
    groups[best.i] = {
      members: [...a.members, ...b.members],
      points: [...a.points, ...b.points],
      seenIn: new Set([...a.seenIn, ...b.seenIn]),
    };
    groups.splice(best.j, 1);
  }
  const person = new Array<number>(tracks.length).fill(-1);
  groups
    .sort((a, b) => Math.min(...a.members) - Math.min(...b.members))
    .forEach(({ members }, number) => {
      for (const k of members) person[k] = number;
    });
  return person;
}

it("joins what always joining the two nearest joins, with tracks that may not be joined", async () => {
  const rng = randomSource(7);
  let groups = 0;
  for (let run = 0; run < 150; run++) {
    const tracks = tracksOf(rng, 1 + rng.below(24), 1 + rng.below(5), 0.4 + 1.6 * rng.uniform());
    const found = await groupTracks(tracks, space, breathe);
    expect(found, `run ${run}`).toEqual(bruteForce(tracks, space.limit));
    groups += Math.max(...found) + 1;
  }
  // Neither everything joined nor nothing.
  expect(groups).toBeGreaterThan(300);
  expect(groups).toBeLessThan(1500);
});

it("the order of the tracks changes nothing but the numbers", async () => {
  const tracks = tracksOf(randomSource(3), 20, 4, 1);
  const forward = await groupTracks(tracks, space, breathe);
  const backward = (await groupTracks(tracks.toReversed(), space, breathe)).toReversed();
  for (const i of tracks.keys())
    for (const j of tracks.keys()) expect(forward[i] === forward[j], `${i} and ${j}`).toBe(backward[i] === backward[j]);
});

it("two of one picture stay two, however alike; no tracks are no people", async () => {
  const at = (x: number, ...seenIn: string[]) => ({ points: [Float64Array.of(x)], seenIn: new Set(seenIn) });
  expect(await groupTracks([at(0, "a"), at(0, "a"), at(0.1, "b")], space, breathe)).toEqual([0, 1, expect.any(Number)]);
  expect(await groupTracks([], space, breathe)).toEqual([]);
});

it("stops where the run is cancelled", async () => {
  const stop = async () => {
    throw new Error("cancelled");
  };
  await expect(groupTracks(tracksOf(randomSource(1), 100, 5, 1), space, stop)).rejects.toThrow("cancelled");
});
