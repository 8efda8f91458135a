// From pictures of clips to training pairs: who is who over all clips, and a reference of each person from another clip.
import { f32 } from "../../../engine/tensor/tensor.ts";
import type { Comparison, Embeddings } from "../../shared/contracts/data.ts";
import { accepts, similarityOf } from "../../shared/matching/similarity.ts";
import type { LeftOut } from "../folder-split.ts";
import type { SeenFace, SeenPicture } from "./face-scan.ts";
import { hashDistance } from "./picture-measures.ts";

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
}

export interface ClipPair {
  readonly target: SeenPicture;
  readonly people: readonly {
    readonly person: number;
    readonly face: SeenFace;
    readonly reference: SeenPicture;
    readonly referenceFace: SeenFace;
    readonly similarity: number;
  }[];
}

interface Appearance {
  readonly picture: SeenPicture;
  readonly clip: string;
  readonly face: SeenFace;
}

/** Members of a person that a new face is compared with. */
const COMPARED = 8;

/** Pictures directly in the folder are clips of their own; pictures of one subfolder are one clip. @param folder with a slash at its end, or empty */
export function clipOf(name: string, folder: string): string {
  const below = name.slice(folder.length);
  const slash = below.indexOf("/");
  return slash < 0 ? below : below.slice(0, slash);
}

/** @param encoder for comparing: its id and comparison */
export function findPairs(
  pictures: readonly SeenPicture[],
  folder: string,
  encoder: { readonly id: string; readonly comparison: Comparison },
  rules: PairRules,
): { readonly pairs: readonly ClipPair[]; readonly persons: number; readonly leftOut: readonly LeftOut[] } {
  const leftOut: LeftOut[] = [];
  const reject = (picture: SeenPicture, why: string): void => void leftOut.push({ id: picture.name, why });
  const kept = withoutDuplicates(pictures, folder, rules, reject);
  const persons: Appearance[][] = [];
  const personOf = new Map<SeenFace, number>();
  for (const picture of kept) {
    const here = new Set<number>();
    for (const face of picture.faces.filter((each) => weakness(each, rules) === undefined)) {
      const appearance = { picture, clip: clipOf(picture.name, folder), face };
      const known = mostLike(appearance, persons, here, encoder);
      const person = known ?? persons.push([]) - 1;
      persons[person]?.push(appearance);
      here.add(person);
      personOf.set(face, person);
    }
  }
  const pairs: ClipPair[] = [];
  for (const [k, target] of kept.entries()) {
    const weak = target.faces.map((face) => weakness(face, rules)).find((why) => why !== undefined);
    if (target.faces.length === 0) reject(target, "no face found");
    else if (weak !== undefined) reject(target, weak);
    else if (target.faces.length > rules.maxPeople) reject(target, `${target.faces.length} people, more than ${rules.maxPeople}`);
    else {
      const found = target.faces.map((face) =>
        referenceFor(face, personOf.get(face) ?? -1, clipOf(target.name, folder), persons, encoder, rules, k),
      );
      const without = found.find((each) => typeof each === "string");
      if (without === undefined) pairs.push({ target, people: found.filter((each) => typeof each !== "string") });
      else reject(target, without);
    }
  }
  return { pairs, persons: persons.length, leftOut };
}

/** Why a face cannot be used; undefined when it can. */
function weakness({ box: [x0, y0, x1, y1], sharpness }: SeenFace, { minFace, minSharpness }: PairRules): string | undefined {
  const side = Math.min(x1 - x0, y1 - y0);
  if (side < minFace) return `a face of ${Math.round(side)} pixels, fewer than ${minFace}`;
  if (sharpness < minSharpness) return `a blurred face: sharpness ${sharpness.toFixed(0)}, less than ${minSharpness}`;
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

/** The person whose known faces are most like this one; nobody who is in the picture already. */
function mostLike(
  { face }: Appearance,
  persons: readonly (readonly Appearance[])[],
  here: ReadonlySet<number>,
  encoder: { readonly id: string; readonly comparison: Comparison },
): number | undefined {
  let best: { readonly person: number; readonly mean: number } | undefined;
  for (const [person, members] of persons.entries()) {
    if (here.has(person)) continue;
    const some = members.slice(-COMPARED);
    const similarity = similarityOf(
      vectorsOf([face], encoder),
      vectorsOf(
        some.map((m) => m.face),
        encoder,
      ),
    );
    const accepted = some.filter((_, k) => accepts(similarity, 0, k, similarity.comparison.threshold)).length;
    const mean = similarity.values.data.reduce((a, b) => a + b, 0) / some.length;
    if (2 * accepted >= some.length && (!best || mean > best.mean)) best = { person, mean };
  }
  return best?.person;
}

/** A reference from another clip within the band; the best ones take turns. A text says why there is none. */
function referenceFor(
  face: SeenFace,
  person: number,
  clip: string,
  persons: readonly (readonly Appearance[])[],
  encoder: { readonly id: string; readonly comparison: Comparison },
  { band: [min, max] }: PairRules,
  turn: number,
): ClipPair["people"][number] | string {
  const elsewhere = (persons[person] ?? []).filter((each) => each.clip !== clip);
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
    .map((appearance, k) => ({ appearance, k }))
    .filter(({ k }) => value(k) >= min && value(k) <= max && accepts(similarity, 0, k, similarity.comparison.threshold));
  if (within.length === 0) {
    const values = elsewhere.map((_, k) => value(k));
    return `no picture of person ${person + 1} in another clip is like it by ${min} to ${max} (they are by ${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)})`;
  }
  const best = within.sort((a, b) => quality(b.appearance) - quality(a.appearance)).slice(0, 4);
  const chosen = best[turn % best.length];
  if (!chosen) return "no reference";
  return { person, face, reference: chosen.appearance.picture, referenceFace: chosen.appearance.face, similarity: value(chosen.k) };
}

/** Large and sharp. */
function quality({ face: { box, sharpness } }: Appearance): number {
  return Math.sqrt(sharpness) * Math.min(box[2] - box[0], box[3] - box[1]);
}

function vectorsOf(faces: readonly SeenFace[], { id, comparison }: { readonly id: string; readonly comparison: Comparison }): Embeddings {
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
