// Who is who over all clips: faces become tracks, tracks become people.
import type { Comparison } from "../../shared/contracts/data.ts";
import { faceQuality } from "./face-quality.ts";
import type { SeenFace, SeenPicture } from "./face-scan.ts";
import { faceSpace } from "./face-space.ts";
import { type Sighting, type Track, trackFaces } from "./face-tracks.ts";
import { groupTracks } from "./group-tracks.ts";
import { shotsOf } from "./shots.ts";

/** The best sightings of a track, which say who it shows. */
const BEST = 5;

/** A track whose person is known. */
export interface PersonTrack {
  readonly clip: string;
  /** From 0, in the order of first appearance. */
  readonly person: number;
  /** With faces good enough to be learned from, the best first. */
  readonly best: readonly Sighting[];
}

export interface People {
  readonly persons: number;
  readonly shots: number;
  /** Those that show a usable face. */
  readonly tracks: readonly PersonTrack[];
  /** The number of each usable face's track. */
  readonly trackOf: ReadonlyMap<SeenFace, number>;
}

/**
 * @param clips pictures by clip
 * @param isUsable whether a face is good enough to tell who it is: others are followed, and decide nothing
 */
export async function sortIntoPeople(
  clips: ReadonlyMap<string, readonly SeenPicture[]>,
  comparison: Comparison,
  isUsable: (face: SeenFace) => boolean,
  breathe: () => Promise<void>,
): Promise<People> {
  const space = faceSpace(comparison);
  const found: { readonly clip: string; readonly track: Track; readonly best: readonly Sighting[] }[] = [];
  let shots = 0;
  for (const [clip, pictures] of clips)
    for (const shot of shotsOf(pictures)) {
      shots++;
      for (const track of trackFaces(shot, space)) {
        const best = track.filter(({ face }) => isUsable(face)).sort((a, b) => faceQuality(b.face) - faceQuality(a.face));
        if (best.length > 0) found.push({ clip, track, best });
      }
    }
  const numbers = await groupTracks(
    found.map(({ track, best }) => ({
      points: best.slice(0, BEST).map(({ face }) => space.point(face.vector)),
      seenIn: new Set(track.map(({ picture }) => picture.name)),
    })),
    space,
    breathe,
  );
  const tracks = found.map(({ clip, best }, k) => ({ clip, person: numbers[k] ?? -1, best }));
  const trackOf = new Map(tracks.flatMap(({ best }, k) => best.map(({ face }) => [face, k] as const)));
  return { persons: Math.max(-1, ...numbers) + 1, shots, tracks, trackOf };
}
