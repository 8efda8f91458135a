// Who is on an example, as a detector and an encoder see it.
import { z } from "zod";
import type { Compute } from "../../engine/ir/compute.ts";
import type { Embeddings, Example, Face, Image } from "../shared/contracts/data.ts";
import type { FaceDetector, FaceEncoder } from "../shared/contracts/modules.ts";
import { embedFaces } from "../shared/faces/embed-faces.ts";
import { joinEmbeddings } from "../shared/faces/join-embeddings.ts";
import { matchFaces } from "../shared/matching/match-faces.ts";
import { similarityOf } from "../shared/matching/similarity.ts";
import { overlapOf } from "./clips/face-tracks.ts";

export const exampleFaces = z.object({
  id: z.string(),
  /** References without a face, from 0. */
  faceless: z.array(z.number()),
  /** Faces in the target. */
  found: z.number(),
  /** By reference, where every one has a face and the target has as many. */
  people: z.array(
    z.object({
      /** To the face it is assigned to. */
      similarity: z.number(),
      /** Highest of that face to another reference, or of this reference to another face; null where there is none. */
      other: z.number().nullable(),
      /** The reference in whose intended place the assigned face is; null where no place is known. */
      inPlaceOf: z.number().nullable(),
    }),
  ),
});
export type ExampleFaces = z.infer<typeof exampleFaces>;

/** Overlap with an intended face from which a found one counts as being there. */
const SAME_PLACE = 0.3;

/** Finds the faces of an example, whatever the example says of them, and assigns them (Hungarian, on similarity alone). */
export async function facesOfExample(
  compute: Compute,
  { detector, encoder }: { readonly detector: FaceDetector; readonly encoder: FaceEncoder },
  example: Example,
): Promise<ExampleFaces> {
  const faceless: number[] = [];
  const portraits: { readonly images: Image; readonly face: Face }[] = [];
  for (const [k, images] of example.references.entries()) {
    const [face] = await detector.detect(compute, images, { maxFaces: 1 });
    if (face) portraits.push({ images, face });
    else faceless.push(k);
  }
  const found = await detector.detect(compute, example.target, {});
  const seen = { id: example.id, faceless, found: found.length };
  if (faceless.length > 0 || found.length !== portraits.length || found.length === 0) return { ...seen, people: [] };
  const vectors: Embeddings[] = [];
  for (const { images, face } of portraits) vectors.push(await embedFaces(compute, encoder, { images, faces: [[face]] }));
  const similarity = similarityOf(joinEmbeddings(vectors), await embedFaces(compute, encoder, { images: example.target, faces: [found] }));
  const { matches } = matchFaces(similarity, { threshold: encoder.comparison.threshold, gate: false });
  const n = found.length;
  const value = (reference: number, face: number): number => similarity.values.data[reference * n + face] ?? -1;
  const others = Array.from({ length: n }, (_, k) => k);
  const people = matches.pairs.map(({ reference, generated, similarity: own }) => {
    const rivals = others.flatMap((k) => [
      ...(k === reference ? [] : [value(k, generated)]),
      ...(k === generated ? [] : [value(reference, k)]),
    ]);
    return { similarity: own, other: rivals.length > 0 ? Math.max(...rivals) : null, inPlaceOf: placeOf(found[generated], example) };
  });
  return { ...seen, people };
}

/** Whose intended place a face stands in; null where the example names no places, or it stands in none. */
function placeOf(face: Face | undefined, { targetFaces }: Example): number | null {
  if (!face) return null;
  const overlaps = targetFaces.map(({ box }) => overlapOf(box, face.box));
  const best = Math.max(0, ...overlaps);
  return best >= SAME_PLACE ? overlaps.indexOf(best) : null;
}

export interface FaceRules {
  readonly min_similarity: number;
  readonly max_similarity: number;
  readonly min_margin: number;
}

/** Why an example is not right; undefined when it is. */
export function faultOf({ faceless, found, people }: ExampleFaces, wanted: number, rules: FaceRules): string | undefined {
  const [first] = faceless;
  if (first !== undefined) return `no face found in reference ${first + 1}`;
  if (found !== wanted) return `${found} faces found for ${wanted} references`;
  for (const [k, { similarity, other, inPlaceOf }] of people.entries()) {
    const who = `the face of reference ${k + 1}`;
    if (inPlaceOf !== null && inPlaceOf !== k) return `${who} stands in the place of reference ${inPlaceOf + 1}`;
    if (!(similarity >= rules.min_similarity)) return `${who} is like it by ${similarity.toFixed(2)}, less than ${rules.min_similarity}`;
    if (!(similarity <= rules.max_similarity))
      return `${who} is like it by ${similarity.toFixed(2)}, more than ${rules.max_similarity}: a copy`;
    if (other !== null && !(similarity - other >= rules.min_margin))
      return `${who} is like it by ${similarity.toFixed(2)}, and by ${other.toFixed(2)} like another: less than ${rules.min_margin} apart`;
  }
  return undefined;
}
