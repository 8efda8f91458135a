// Faces of photographs in a folder, and scorers of photographs that are judged by cross-validation: few photographs exist that may be used.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Compute } from "../engine/ir/compute.ts";
import { f32 } from "../engine/tensor/tensor.ts";
import type { Face } from "../nodes/shared/contracts/data.ts";
import type { FaceDetector } from "../nodes/shared/contracts/modules.ts";
import { decodePicture } from "../nodes/shared/pictures/codec.ts";
import { imageOfBytes } from "../nodes/shared/pictures/picture-bytes.ts";
import { DEGRADATIONS } from "../nodes/shared/realism/degradations.ts";
import { facePixels, windowPixels } from "../nodes/shared/realism/face-pixels.ts";
import type { Preferences } from "../nodes/shared/realism/preferences.ts";
import type { RealismScorer } from "../nodes/shared/realism/scorer-net.ts";
import trainRealismReward from "../nodes/train/realism/train-realism-reward.ts";
import { fakeContext } from "../test/fake-context.ts";
import { memoryDirectory } from "../test/memory-directory.ts";
import type { JudgedFace } from "./realism.ts";

/** Window of a scorer of photographs. */
const SIDE = 64;
/** Native pixels of a face that are looked at, at most: the middle of larger ones. */
const MOST = 96;
const FOLDS = 3;

/** Faces of at least 64 pixels, of at most `most` in all; the photographs in an order that follows from their bytes. */
export async function photographedFaces(compute: Compute, detector: FaceDetector, folder: string, most: number): Promise<JudgedFace[]> {
  const files = readdirSync(folder)
    .filter((name) => /\.(jpe?g|png)$/i.test(name))
    .map((name) => {
      const bytes = readFileSync(join(folder, name));
      return { name, bytes, hash: createHash("sha256").update(bytes).digest("hex") };
    })
    .sort((a, b) => (a.hash < b.hash ? -1 : 1));
  const out: JudgedFace[] = [];
  for (const { name, bytes, hash } of files) {
    if (out.length >= most) break;
    const { rgb, width, height } = await decodePicture(bytes, name);
    const image = imageOfBytes(rgb, width, height);
    const faces = (await detector.detect(compute, image, {})).map(middle);
    for (const { window, mask } of facePixels(image, faces, SIDE))
      out.push({ planes: { data: windowPixels(image, window).data, side: window.side }, mask, source: hash });
  }
  return out.slice(0, most);
}

/** The face with a box of at most {@link MOST} pixels round its middle: a window of native pixels follows from the box. */
function middle(face: Face): Face {
  const [x0, y0, x1, y1] = face.box;
  const half = Math.min(MOST, Math.max(x1 - x0, y1 - y0)) / 2;
  const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
  return { ...face, box: [x - half, y - half, x + half, y + half] };
}

/** For each face, a scorer that saw no face of its photograph. */
export async function crossValidated(compute: Compute, faces: readonly JudgedFace[]): Promise<ReadonlyMap<JudgedFace, RealismScorer>> {
  const sources = [...new Set(faces.map((f) => f.source))];
  const foldOf = (face: JudgedFace) => sources.indexOf(face.source) % FOLDS;
  const scorers: RealismScorer[] = [];
  for (let fold = 0; fold < FOLDS; fold++)
    scorers.push(
      await trained(
        compute,
        faces.filter((face) => foldOf(face) !== fold),
      ),
    );
  return new Map(
    faces.flatMap((face) => {
      const scorer = scorers[foldOf(face)];
      return scorer ? [[face, scorer] as const] : [];
    }),
  );
}

async function trained(compute: Compute, faces: readonly JudgedFace[]): Promise<RealismScorer> {
  const usable = faces.filter(({ planes }) => planes.side >= SIDE);
  const preferences: Preferences = {
    id: createHash("sha256")
      .update(usable.map((f) => f.source).join())
      .digest("hex"),
    train: usable.length,
    heldOut: 0,
    async pair(_, index) {
      const face = usable[index];
      if (!face) throw new Error(`there is no face ${index}`);
      const { data, side } = face.planes;
      const image = f32(
        [1, side, side, 3],
        data.map((_x, i) => data[(i % 3) * side * side + Math.floor(i / 3)] ?? 0),
      );
      return { id: `face ${index}`, win: { image, faces: [wholePicture(side)] }, lose: null, weight: 1, labelled: true };
    },
  };
  const directory = memoryDirectory();
  const ctx = { ...fakeContext(compute), runDirectory: async () => directory };
  const settings = { steps: 200, batch: 8, side: SIDE, width: 8, hard_negatives: DEGRADATIONS.join(", "), cross_entropy: 0.5 };
  const schedule = {
    learning_rate: 0.004,
    lr_schedule: "cosine",
    warmup: 20,
    weight_decay: 0.01,
    max_grad_norm: 1,
    ema_decay: 0.99,
  } as const;
  const asked = { ...settings, ...schedule, seed: 0, checkpoint_every: 1000, prefix: "photographs" };
  return (await trainRealismReward.run({ preferences_1: preferences, face_detector: undefined, ...asked }, ctx, {})).scorer;
}

/** A face whose window is the whole picture. */
function wholePicture(side: number): Face {
  const at = (x: number, y: number): readonly [number, number] => [x * side, y * side];
  return {
    box: [0, 0, side, side],
    score: 1,
    points5: [at(0.3, 0.4), at(0.7, 0.4), at(0.5, 0.6), at(0.35, 0.75), at(0.65, 0.75)],
  };
}
