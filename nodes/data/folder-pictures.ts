// Pictures of a training pair from a folder: read, fitted, and the people in them found.
import { AppError, toAppError } from "../../engine/base/errors.ts";
import { sha256 } from "../../engine/base/hash.ts";
import type { Compute } from "../../engine/ir/compute.ts";
import type { NodeContext } from "../../engine/node/context.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { Embeddings, Face, Image } from "../shared/contracts/data.ts";
import type { FaceDetector, FaceEncoder } from "../shared/contracts/modules.ts";
import { embedFaces } from "../shared/faces/embed-faces.ts";
import { matchFaces } from "../shared/matching/match-faces.ts";
import { similarityOf } from "../shared/matching/similarity.ts";
import { decodePicture } from "../shared/pictures/codec.ts";
import { imageOfBytes } from "../shared/pictures/picture-bytes.ts";
import type { PictureSize } from "../shared/pictures/resize/size.ts";
import { upscale } from "../shared/pictures/resize/upscale.ts";
import type { ManifestEntry } from "./dataset-manifest.ts";

export interface FolderPicture {
  /** [1, height, width, 3]. */
  readonly image: Image;
  /** sha256 of the file. */
  readonly content: string;
  /** What a person should know of the file. */
  readonly notes: readonly string[];
}

/** Reads pictures named beside a manifest and cuts them to size. */
export type ReadPicture = (name: string, size: PictureSize) => Promise<FolderPicture>;

/** @param manifest its name in the input folder; file names of its entries are relative to its folder. */
export function pictureReader(readInput: NodeContext["readInput"], manifest: string): ReadPicture {
  const folder = manifest.slice(0, manifest.lastIndexOf("/") + 1);
  return async (name, size) => {
    const bytes = await readInput(folder + name);
    const { width, height, rgb, notes } = await decodePicture(bytes, name);
    return { image: upscale(imageOfBytes(rgb, width, height), size, "lanczos", "center"), content: sha256(bytes), notes };
  };
}

/** The people of one entry, found once; the pictures are read again when the example is used. */
export interface FoundPeople {
  /** The largest face of each reference. */
  readonly referenceFaces: readonly Face[];
  /** `targetFaces[k]` is assigned to reference k. */
  readonly targetFaces: readonly Face[];
  /** One row per reference. */
  readonly people: Embeddings;
  /** sha256 of the target and of each reference. */
  readonly contents: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Finds the face of each reference, and its best place among the faces of the target (Hungarian on the encoder's similarity).
 * @throws AppError DATASET_ENTRY with every problem of this entry in `details.problems`.
 */
export async function findPeople(
  compute: Compute,
  { detector, encoder }: { readonly detector: FaceDetector; readonly encoder: FaceEncoder },
  read: ReadPicture,
  entry: ManifestEntry,
  sizes: { readonly target: PictureSize; readonly reference: PictureSize },
): Promise<FoundPeople> {
  const problems: string[] = [];
  const attempt = async (name: string, size: PictureSize): Promise<FolderPicture | undefined> => {
    try {
      return await read(name, size);
    } catch (error) {
      const { message } = toAppError(error);
      problems.push(message.includes(name) ? message : `${name}: ${message}`);
      return undefined;
    }
  };
  const references: { readonly picture: FolderPicture; readonly face: Face }[] = [];
  for (const name of entry.references) {
    const picture = await attempt(name, sizes.reference);
    if (!picture) continue;
    const [face] = await detector.detect(compute, picture.image, { maxFaces: 1 });
    if (face) references.push({ picture, face });
    else problems.push(`${name}: no face found`);
  }
  const target = await attempt(entry.target, sizes.target);
  const faces = target ? await detector.detect(compute, target.image, {}) : [];
  const wanted = entry.references.length;
  if (target && faces.length < wanted)
    problems.push(`${entry.target}: ${faces.length} faces found for ${wanted} references (after cutting it to size)`);
  if (!target || problems.length > 0) throw new AppError("DATASET_ENTRY", problems.join("; "), { details: { problems } });

  const { width, height } = sizes.reference;
  const portraits = new Float32Array(wanted * width * height * 3);
  references.forEach(({ picture }, k) => {
    portraits.set(picture.image.data, k * width * height * 3);
  });
  const referenceFaces = references.map((r) => r.face);
  const people = await embedFaces(compute, encoder, {
    images: f32([wanted, height, width, 3], portraits),
    faces: referenceFaces.map((face) => [face]),
  });
  const similarity = similarityOf(people, await embedFaces(compute, encoder, { images: target.image, faces: [faces] }));
  const { matches } = matchFaces(similarity, { threshold: encoder.comparison.threshold, gate: false });
  const targetFaces: Face[] = [];
  const warnings: string[] = [target, ...references.map((r) => r.picture)].flatMap((picture) => picture.notes);
  for (const { reference, generated, similarity: likeness, accepted } of matches.pairs) {
    const face = faces[generated];
    if (face) targetFaces.push(face);
    if (!accepted)
      warnings.push(
        `${entry.references[reference]} is not recognised in ${entry.target} (similarity ${likeness.toFixed(2)}); its most likely face is used`,
      );
  }
  const contents = [target.content, ...references.map((r) => r.picture.content)];
  return { referenceFaces, targetFaces, people, contents, warnings };
}
