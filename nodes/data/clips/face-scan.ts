// Looks at every picture once: faces, their vectors, how sharp they are. What was seen is kept, so that a scan that was stopped goes on.
import { z } from "zod";
import { toAppError } from "../../../engine/base/errors.ts";
import { sha256 } from "../../../engine/base/hash.ts";
import type { NodeContext } from "../../../engine/node/context.ts";
import type { Face } from "../../shared/contracts/data.ts";
import type { FaceDetector, FaceEncoder } from "../../shared/contracts/modules.ts";
import { embedFaces } from "../../shared/faces/embed-faces.ts";
import { readWhole, sizeOfImage } from "../dataset-picture.ts";
import { jsonLines } from "../json-lines.ts";
import { differenceHash, sharpness, thumbnail } from "./picture-measures.ts";

const point = z.tuple([z.number(), z.number()]);
const seenFace = z.object({
  box: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  score: z.number(),
  points5: z.tuple([point, point, point, point, point]),
  /** See {@link sharpness}. */
  sharpness: z.number(),
  vector: z.array(z.number()),
});
const seenPicture = z.object({
  name: z.string(),
  content: z.string(),
  width: z.number(),
  height: z.number(),
  hash: z.string(),
  /** See {@link thumbnail}. */
  thumbnail: z.string(),
  faces: z.array(seenFace),
});
export type SeenFace = z.infer<typeof seenFace>;
export type SeenPicture = z.infer<typeof seenPicture>;

const FILE = "faces.jsonl";

export interface Scan {
  readonly pictures: readonly SeenPicture[];
  readonly unreadable: readonly { readonly id: string; readonly why: string }[];
}

/** @param names of pictures @throws AppError CANCELLED */
export async function scanFaces(ctx: NodeContext, detector: FaceDetector, encoder: FaceEncoder, names: readonly string[]): Promise<Scan> {
  const dir = await ctx.runDirectory(`faces-${sha256(`${detector.id}|${encoder.id}`).slice(0, 12)}`);
  const known = new Map<string, SeenPicture>();
  for (const seen of await jsonLines(dir, FILE, seenPicture)) known.set(`${seen.name}|${seen.content}`, seen);
  const pictures: SeenPicture[] = [];
  const unreadable: { id: string; why: string }[] = [];
  for (const [k, name] of names.entries()) {
    try {
      const content = sha256(await ctx.readInput(name));
      let seen = known.get(`${name}|${content}`);
      if (!seen) {
        seen = await look(ctx, detector, encoder, name);
        await dir.append(FILE, JSON.stringify(seen));
      }
      pictures.push(seen);
    } catch (error) {
      const { code, message } = toAppError(error);
      if (!/^(IMAGE|INPUT|FILE)_/.test(code)) throw error;
      unreadable.push({ id: name, why: message });
    }
    ctx.progress(k + 1, names.length, `faces of ${name}`);
  }
  return { pictures, unreadable };
}

async function look(ctx: NodeContext, detector: FaceDetector, encoder: FaceEncoder, name: string): Promise<SeenPicture> {
  const { image, content } = await readWhole(ctx.readInput, name, "#ffffff");
  const found: readonly Face[] = await detector.detect(ctx.compute, image, {});
  const { vectors } = await embedFaces(ctx.compute, encoder, { images: image, faces: [found] });
  const faces = found.map((face, k) =>
    seenFace.parse({
      ...face,
      sharpness: sharpness(image, face.box),
      vector: [...vectors.data.subarray(k * encoder.dim, (k + 1) * encoder.dim)],
    }),
  );
  return { name, content, ...sizeOfImage(image), hash: differenceHash(image), thumbnail: thumbnail(image), faces };
}
