// The people of a training pair: found in its pictures, as these will be trained on.
import { AppError, toAppError } from "../../engine/base/errors.ts";
import type { Compute } from "../../engine/ir/compute.ts";
import type { NodeContext } from "../../engine/node/context.ts";
import type { Embeddings, Face, Image } from "../shared/contracts/data.ts";
import type { FaceDetector, FaceEncoder } from "../shared/contracts/modules.ts";
import { embedFaces } from "../shared/faces/embed-faces.ts";
import { joinEmbeddings } from "../shared/faces/join-embeddings.ts";
import { matchFaces } from "../shared/matching/match-faces.ts";
import { similarityOf } from "../shared/matching/similarity.ts";
import { bucketOf, cutRoundFace, cutTo, keptWhole, readWhole, sizeOfImage, type WholePicture } from "./dataset-picture.ts";
import type { DatasetEntry } from "./layouts/dataset-entry.ts";

export const TARGET_FITS = ["buckets", "cut"] as const;
export const REFERENCE_FITS = ["keep", "face", "square"] as const;

/** How pictures are brought to size. */
export interface Fits {
  readonly width: number;
  readonly height: number;
  readonly target_fit: (typeof TARGET_FITS)[number];
  readonly reference_size: number;
  readonly reference_fit: (typeof REFERENCE_FITS)[number];
  readonly background: string;
}

export interface FaceModels {
  readonly detector?: FaceDetector | undefined;
  readonly encoder?: FaceEncoder | undefined;
}

/** What was found of one entry; the pictures are read again when the example is used. */
export interface FoundPeople {
  /** The largest face of each reference; empty without a detector. */
  readonly referenceFaces: readonly Face[];
  /** `targetFaces[k]` is assigned to reference k. */
  readonly targetFaces: readonly Face[];
  /** One row per reference; undefined without an encoder or references. */
  readonly people: Embeddings | undefined;
  /** sha256 of the target and of each reference. */
  readonly contents: readonly string[];
  /** Names of pictures that were put on the background. */
  readonly transparent: readonly string[];
  /** Pictures with the same sizes can share a batch. */
  readonly bucket: string;
  readonly warnings: readonly string[];
}

/** Shortest side of a picture, in pixels: that of a token. */
const LEAST = 16;

interface Fitted {
  readonly name: string;
  readonly whole: WholePicture;
  readonly image: Image;
}

/** Reads and fits the pictures of an entry. @returns target first @throws AppError IMAGE_*, INPUT_*, DATASET_FACE, DATASET_SIZE */
export async function fittedPictures(
  compute: Compute,
  readInput: NodeContext["readInput"],
  { detector }: FaceModels,
  entry: Pick<DatasetEntry, "target" | "references">,
  fits: Fits,
): Promise<readonly Fitted[]> {
  const target = await fitTarget(readInput, entry.target, fits);
  const references: Fitted[] = [];
  for (const name of entry.references) references.push(await fitReference(compute, readInput, detector, name, fits));
  return [target, ...references];
}

function largeEnough(name: string, whole: WholePicture): WholePicture {
  const { width, height } = sizeOfImage(whole.image);
  if (Math.min(width, height) >= LEAST) return whole;
  throw new AppError("DATASET_SIZE", `${name} has ${width} × ${height} pixels: fewer than ${LEAST} at a side show nothing`);
}

async function fitTarget(readInput: NodeContext["readInput"], name: string, fits: Fits): Promise<Fitted> {
  const whole = largeEnough(name, await readWhole(readInput, name, fits.background));
  const size = fits.target_fit === "cut" ? fits : bucketOf(sizeOfImage(whole.image), fits);
  return { name, whole, image: cutTo(whole.image, { width: size.width, height: size.height }).image };
}

async function fitReference(
  compute: Compute,
  readInput: NodeContext["readInput"],
  detector: FaceDetector | undefined,
  name: string,
  { reference_fit, reference_size: side, background }: Fits,
): Promise<Fitted> {
  const whole = largeEnough(name, await readWhole(readInput, name, background));
  if (reference_fit === "keep") return { name, whole, image: keptWhole(whole.image, side) };
  if (reference_fit === "square") return { name, whole, image: cutTo(whole.image, { width: side, height: side }).image };
  const [face] = detector ? await detector.detect(compute, whole.image, { maxFaces: 1 }) : [];
  if (!face) throw new AppError("DATASET_FACE", `${name}: no face found to cut it round`);
  return { name, whole, image: cutRoundFace(whole.image, face, side).image };
}

/**
 * Finds the face of each reference, and its best place among the faces of the target (Hungarian on the encoder's similarity).
 * @throws AppError DATASET_ENTRY with every problem of this entry in `details.problems`.
 */
export async function findPeople(
  compute: Compute,
  readInput: NodeContext["readInput"],
  models: FaceModels,
  entry: DatasetEntry,
  fits: Fits,
): Promise<FoundPeople> {
  const { detector, encoder } = models;
  const problems: string[] = [];
  const attempt = async (name: string, make: () => Promise<Fitted>): Promise<Fitted | undefined> => {
    try {
      return await make();
    } catch (error) {
      const { message } = toAppError(error);
      problems.push(message.includes(name) ? message : `${name}: ${message}`);
      return undefined;
    }
  };
  const references: { readonly picture: Fitted; readonly face: Face | undefined }[] = [];
  for (const name of entry.references) {
    const picture = await attempt(name, () => fitReference(compute, readInput, detector, name, fits));
    if (!picture) continue;
    const [face] = detector ? await detector.detect(compute, picture.image, { maxFaces: 1 }) : [];
    references.push({ picture, face });
    if (detector && !face) problems.push(`${name}: ${await missingFace(compute, detector, picture, fits)}`);
  }
  const target = await attempt(entry.target, () => fitTarget(readInput, entry.target, fits));
  const wanted = entry.references.length;
  const faces = target && detector && wanted > 0 ? await detector.detect(compute, target.image, {}) : [];
  if (target && detector && faces.length < wanted) problems.push(await fewFaces(compute, detector, target, faces.length, wanted));
  if (!target || problems.length > 0) throw new AppError("DATASET_ENTRY", problems.join("; "), { details: { problems } });

  const pictures = [target, ...references.map((r) => r.picture)];
  const warnings = pictures.flatMap((picture) => [...picture.whole.notes, ...enlarged(picture)]);
  const found = {
    contents: pictures.map((picture) => picture.whole.content),
    transparent: pictures.filter((picture) => picture.whole.isTransparent).map((picture) => picture.name),
    bucket: pictures.map(({ image }) => Object.values(sizeOfImage(image)).join("×")).join(" "),
  };
  const referenceFaces = references.flatMap((r) => r.face ?? []);
  if (!detector || !encoder || wanted === 0) return { ...found, referenceFaces, targetFaces: [], people: undefined, warnings };
  const people = joinEmbeddings(
    await Promise.all(
      references.map(({ picture, face }) => embedFaces(compute, encoder, { images: picture.image, faces: [face ? [face] : []] })),
    ),
  );
  const similarity = similarityOf(people, await embedFaces(compute, encoder, { images: target.image, faces: [faces] }));
  const { matches } = matchFaces(similarity, { threshold: encoder.comparison.threshold, gate: false });
  const targetFaces: Face[] = [];
  for (const { reference, generated, similarity: likeness, accepted } of matches.pairs) {
    const face = faces[generated];
    if (face) targetFaces.push(face);
    if (!accepted)
      warnings.push(
        `${entry.references[reference]} is not recognised in ${entry.target} (similarity ${likeness.toFixed(2)}); its most likely face is used`,
      );
  }
  return { ...found, referenceFaces, targetFaces, people, warnings };
}

/** A word for a picture that is trained on at more than twice its size. */
function enlarged({ name, whole, image }: Fitted): readonly string[] {
  const [from, to] = [sizeOfImage(whole.image), sizeOfImage(image)];
  const scale = Math.max(to.width / from.width, to.height / from.height);
  return scale > 2
    ? [
        `${name} has ${from.width} × ${from.height} pixels and is trained on at ${to.width} × ${to.height}: it teaches what enlarging looks like`,
      ]
    : [];
}

/** Why a reference shows no face: the cut, or the picture itself. */
async function missingFace(compute: Compute, detector: FaceDetector, { whole, image }: Fitted, { reference_fit }: Fits): Promise<string> {
  const { width, height } = sizeOfImage(image);
  if (reference_fit === "keep") return `no face found (at ${width} × ${height})`;
  const [there] = await detector.detect(compute, whole.image, { maxFaces: 1 });
  return there
    ? `no face found after cutting it to ${width} × ${height}; the whole picture shows one: set reference_fit to keep or face`
    : `no face found (after cutting it to ${width} × ${height}, nor in the whole picture)`;
}

async function fewFaces(
  compute: Compute,
  detector: FaceDetector,
  { name, whole, image }: Fitted,
  found: number,
  wanted: number,
): Promise<string> {
  const { width, height } = sizeOfImage(image);
  const all = await detector.detect(compute, whole.image, {});
  const inWhole = all.length > found ? `; the whole picture shows ${all.length}: set target_fit to buckets, or another size` : "";
  return `${name}: ${found} faces found for ${wanted} references (after cutting it to ${width} × ${height}${inWhole})`;
}
