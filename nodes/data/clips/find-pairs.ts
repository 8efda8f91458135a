// From pictures of clips to training pairs: who is who over all clips, and a reference of each person from another clip.
import { f32 } from "../../../engine/tensor/tensor.ts";
import type { Comparison, Embeddings } from "../../shared/contracts/data.ts";
import { accepts, similarityOf } from "../../shared/matching/similarity.ts";
import type { LeftOut } from "../folder-split.ts";
import { faceQuality, sideOf } from "./face-quality.ts";
import type { SeenFace, SeenPicture } from "./face-scan.ts";
import { hashDistance } from "./picture-measures.ts";
import { type People, sortIntoPeople } from "./sort-into-people.ts";

export interface PairRules {
  /** Shorter side of a face's box, in pixels. */
  readonly minFace: number;
  /** See `sharpness`. */
  readonly minSharpness: number;
  /** Bits of the hash: as near, two pictures of a clip count as one. */
  readonly duplicates: number;
  /** Cosine of a reference to its face in the target. Lower ones are refused beside the encoder's own threshold; higher ones are copies. */
  readonly band: readonly [min: number, max: number];
  readonly maxPeople: number;
  /** Targets that a track gives at most: its best pictures. */
  readonly perTrack: number;
}

export interface PairedPerson {
  readonly person: number;
  readonly face: SeenFace;
  readonly reference: SeenPicture;
  readonly referenceFace: SeenFace;
  readonly similarity: number;
}

export interface ClipPair {
  readonly target: SeenPicture;
  readonly people: readonly PairedPerson[];
}

export interface FoundPairs extends Pick<People, "persons" | "shots"> {
  readonly pairs: readonly ClipPair[];
  readonly tracks: number;
  readonly leftOut: readonly LeftOut[];
}

/** How faces are compared: an encoder's id and its rule. */
interface Comparing {
  readonly id: string;
  readonly comparison: Comparison;
}

/** Best references of a face that take turns. */
const TURNS = 4;

/** Pictures directly in the folder are clips of their own; pictures of one subfolder are one clip. @param folder with a slash at its end, or empty */
export function clipOf(name: string, folder: string): string {
  const below = name.slice(folder.length);
  const slash = below.indexOf("/");
  return slash < 0 ? below : below.slice(0, slash);
}

/** @param breathe called from time to time; throws where the run was cancelled */
export async function findPairs(
  pictures: readonly SeenPicture[],
  folder: string,
  encoder: Comparing,
  rules: PairRules,
  breathe: () => Promise<void> = async () => undefined,
): Promise<FoundPairs> {
  const leftOut: LeftOut[] = [];
  const reject = (picture: SeenPicture, why: string): void => void leftOut.push({ id: picture.name, why });
  const clips = Map.groupBy(pictures, ({ name }) => clipOf(name, folder));
  // Near duplicates are followed too: a track must not break where nothing moves.
  const people = await sortIntoPeople(clips, encoder.comparison, (face) => weakness(face, rules) === undefined, breathe);
  const kept = withoutDuplicates(pictures, folder, rules, reject);
  const references = referencesOf(people, new Set(kept));
  const candidates: ClipPair[] = [];
  for (const [k, target] of kept.entries()) {
    const weak = target.faces.map((face) => weakness(face, rules)).find((why) => why !== undefined);
    if (target.faces.length === 0) reject(target, "no face found");
    else if (weak !== undefined) reject(target, weak);
    else if (target.faces.length > rules.maxPeople) reject(target, `${target.faces.length} people, more than ${rules.maxPeople}`);
    else {
      const found = target.faces.map((face) => referenceFor(face, clipOf(target.name, folder), people, references, encoder, rules, k));
      const without = found.find((each) => typeof each === "string");
      const pair = { target, people: found.filter((each) => typeof each !== "string") };
      const swapped = without ?? likeAnother(pair, encoder);
      if (swapped === undefined) candidates.push(pair);
      else reject(target, swapped);
    }
  }
  const pairs = bestOfTracks(candidates, people, rules, reject);
  return { pairs, persons: people.persons, shots: people.shots, tracks: people.tracks.length, leftOut };
}

/** Why a face cannot be used; undefined when it can. */
function weakness(face: SeenFace, { minFace, minSharpness }: PairRules): string | undefined {
  if (sideOf(face) < minFace) return `a face of ${Math.round(sideOf(face))} pixels, fewer than ${minFace}`;
  if (face.sharpness < minSharpness) return `a blurred face: sharpness ${face.sharpness.toFixed(0)}, less than ${minSharpness}`;
  return undefined;
}

function withoutDuplicates(
  pictures: readonly SeenPicture[],
  folder: string,
  { duplicates }: PairRules,
  reject: (picture: SeenPicture, why: string) => void,
): readonly SeenPicture[] {
  const byClip = new Map<string, SeenPicture[]>();
  const contents = new Map<string, string>();
  return pictures.filter((picture) => {
    const clip = clipOf(picture.name, folder);
    const same = contents.get(picture.content);
    const near = byClip.get(clip)?.find((other) => hashDistance(other.hash, picture.hash) <= duplicates);
    const like = same ?? near?.name;
    if (like !== undefined) {
      reject(picture, `nearly the same as ${like}`);
      return false;
    }
    contents.set(picture.content, picture.name);
    byClip.set(clip, [...(byClip.get(clip) ?? []), picture]);
    return true;
  });
}

interface Reference {
  readonly clip: string;
  readonly picture: SeenPicture;
  readonly face: SeenFace;
}

/** By person: the best faces of each track. */
function referencesOf({ persons, tracks }: People, kept: ReadonlySet<SeenPicture>): readonly (readonly Reference[])[] {
  const references = Array.from({ length: persons }, (): Reference[] => []);
  for (const { clip, person, best } of tracks) {
    const some = best.filter(({ picture }) => kept.has(picture)).slice(0, TURNS);
    references[person]?.push(...some.map((each) => ({ clip, ...each })));
  }
  return references;
}

/** A reference from another clip within the band; the best ones take turns. A text says why there is none. */
function referenceFor(
  face: SeenFace,
  clip: string,
  { tracks, trackOf }: People,
  references: readonly (readonly Reference[])[],
  encoder: Comparing,
  { band: [min, max] }: PairRules,
  turn: number,
): PairedPerson | string {
  const person = tracks[trackOf.get(face) ?? -1]?.person ?? -1;
  const elsewhere = (references[person] ?? []).filter((each) => each.clip !== clip);
  if (elsewhere.length === 0) return `person ${person + 1} is in no other clip`;
  const similarity = similarityOf(
    vectorsOf([face], encoder),
    vectorsOf(
      elsewhere.map((e) => e.face),
      encoder,
    ),
  );
  const value = (k: number) => similarity.values.data[k] ?? 0;
  const within = elsewhere
    .map((reference, k) => ({ reference, k }))
    .filter(({ k }) => value(k) >= min && value(k) <= max && accepts(similarity, 0, k, similarity.comparison.threshold));
  if (within.length === 0) {
    const values = elsewhere.map((_, k) => value(k));
    return `no picture of person ${person + 1} in another clip is like it by ${min} to ${max} (they are by ${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)})`;
  }
  const best = within.sort((a, b) => faceQuality(b.reference.face) - faceQuality(a.reference.face)).slice(0, TURNS);
  const chosen = best[turn % best.length];
  if (!chosen) return "no reference";
  return { person, face, reference: chosen.reference.picture, referenceFace: chosen.reference.face, similarity: value(chosen.k) };
}

/** Why a pair may be swapped: a face that is more like another's reference than like its own. */
function likeAnother({ people }: ClipPair, encoder: Comparing): string | undefined {
  const faces = vectorsOf(
    people.map((p) => p.face),
    encoder,
  );
  const references = vectorsOf(
    people.map((p) => p.referenceFace),
    encoder,
  );
  const { values } = similarityOf(references, faces);
  for (const [i, own] of people.entries())
    for (const [j, other] of people.entries()) {
      const likeness = values.data[j * people.length + i] ?? 0;
      if (i !== j && likeness >= own.similarity)
        return `person ${own.person + 1} looks more like the reference of person ${other.person + 1} (${likeness.toFixed(2)}) than like their own (${own.similarity.toFixed(2)})`;
    }
  return undefined;
}

/** A picture stays when it is among the best of one of its tracks: what counts is its worst face. */
function bestOfTracks(
  candidates: readonly ClipPair[],
  { trackOf }: People,
  { perTrack }: PairRules,
  reject: (picture: SeenPicture, why: string) => void,
): readonly ClipPair[] {
  const worst = (pair: ClipPair): number => Math.min(...pair.people.map(({ face }) => faceQuality(face)));
  const ofTrack = new Map<number, ClipPair[]>();
  for (const pair of candidates)
    for (const { face } of pair.people) {
      const track = trackOf.get(face) ?? -1;
      ofTrack.set(track, [...(ofTrack.get(track) ?? []), pair]);
    }
  const kept = new Set([...ofTrack.values()].flatMap((of) => of.toSorted((a, b) => worst(b) - worst(a)).slice(0, perTrack)));
  return candidates.filter((pair) => {
    if (kept.has(pair)) return true;
    reject(pair.target, `sharper or more frontal pictures of the same scene are taken, ${perTrack} of each face`);
    return false;
  });
}

function vectorsOf(faces: readonly SeenFace[], { id, comparison }: Comparing): Embeddings {
  const dim = faces[0]?.vector.length ?? 0;
  const none = { images: f32([0, 1, 1, 3], []), faces: [] };
  return {
    encoder: id,
    comparison,
    vectors: f32(
      [faces.length, dim],
      faces.flatMap((f) => f.vector),
    ),
    source: faces.map((_, face) => ({ image: 0, face })),
    faces: none,
  };
}
