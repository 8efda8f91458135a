// Clips as people have them, in memory: what ClipsDataset and FilterDataset say to each. Faces are given, not found.
import sharp from "sharp";
import { AppError, toAppError } from "../engine/base/errors.ts";
import clipsDataset from "../nodes/data/clips-dataset.ts";
import filterDataset from "../nodes/data/filter-dataset.ts";
import type { Face } from "../nodes/shared/contracts/data.ts";
import type { FaceDetector } from "../nodes/shared/contracts/modules.ts";
import { fakeContext } from "./fake-context.ts";
import { fakeDataset } from "./fake-diffusion.ts";
import { fakeEncoder } from "./fake-face-models.ts";
import { interpreterCompute } from "./interpreter-compute.ts";
import { memoryDirectory } from "./memory-directory.ts";

/** A checkered square is a face: its colours are the person. */
const PEOPLE = [
  [
    [220, 40, 40],
    [40, 40, 220],
  ],
  [
    [40, 200, 60],
    [230, 220, 60],
  ],
] as const;

interface Shown {
  readonly person: number;
  readonly side?: number;
}

/** A picture of 192 × 96 on a grey of its own, faces side by side. */
async function photograph(grey: number, shown: readonly Shown[], blur = 0): Promise<Uint8Array> {
  const [width, height] = [192, 96];
  const rgb = Buffer.alloc(width * height * 3, grey);
  for (const [k, { person, side = 64 }] of shown.entries())
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const colours = PEOPLE[person] ?? PEOPLE[0];
        const colour = colours[(Math.floor((8 * x) / side) + Math.floor((8 * y) / side)) % 2] ?? colours[0];
        for (const [c, value] of colour.entries()) rgb[((y + 16) * width + x + 16 + 90 * k) * 3 + c] = Math.max(0, value - (grey % 7) * 3);
      }
  const picture = sharp(rgb, { raw: { width, height, channels: 3 } });
  return new Uint8Array(await (blur > 0 ? picture.blur(blur) : picture).png().toBuffer());
}

/** Says where the faces of a picture are, by its grey. */
function detectorOf(faces: ReadonlyMap<number, readonly Shown[]>): FaceDetector {
  return {
    id: "given faces",
    detect: async (_, { data }) =>
      (faces.get(Math.round(255 * (data[0] ?? 0))) ?? []).map(({ side = 64 }, k): Face => {
        const at = (x: number, y: number): [number, number] => [16 + 90 * k + x * side, 16 + y * side];
        return {
          box: [...at(0, 0), ...at(1, 1)],
          score: 1,
          points5: [at(0.3, 0.35), at(0.7, 0.35), at(0.5, 0.55), at(0.35, 0.75), at(0.65, 0.75)],
        };
      }),
  };
}

const encoder = fakeEncoder({ comparison: { kind: "cosine", threshold: 0.9 } });
const widgets = {
  encoder,
  folder: "clips",
  width: 64,
  height: 64,
  reference_size: 64,
  prompt: "together",
  held_out: 0,
  min_similarity: -1,
  max_similarity: 1,
  min_face: 48,
  min_sharpness: 30,
  duplicates: -1,
  per_track: 3,
  accept: "encoder",
  threshold: 0.5,
  max_people: 3,
} as const;

type Picture = readonly [name: string, grey: number, shown: readonly Shown[], blur?: number];

async function told(pictures: readonly Picture[], changes: Partial<Parameters<typeof clipsDataset.run>[0]> = {}): Promise<string> {
  const files = new Map<string, Uint8Array>();
  for (const [name, grey, shown, blur] of pictures) files.set(`clips/${name}`, await photograph(grey, shown, blur));
  const dir = memoryDirectory();
  const ctx = {
    ...fakeContext(interpreterCompute()),
    runDirectory: async () => dir,
    listInputs: async () => [...files.keys()].sort(),
    readInput: async (name: string) => files.get(name) ?? Promise.reject(new AppError("INPUT_NOT_FOUND", name)),
  };
  try {
    const detector = detectorOf(new Map(pictures.map(([, grey, shown]) => [grey, shown])));
    const { dataset } = await clipsDataset.run({ ...widgets, detector, ...changes }, ctx, {});
    const lines = ctx.logs.map((line) => `“${line.replace(/^\w+: /, "")}”`);
    return `goes on: ${dataset.train} to train on, ${dataset.heldOut} held out; ${lines.join("; ")}`;
  } catch (error) {
    const { code, message, hint } = toAppError(error);
    return `ends: ${code}, “${message}”${hint ? ` (${hint})` : ""}`;
  }
}

/** @returns rows of the table */
export async function clipCases(): Promise<readonly (readonly [what: string, happens: string])[]> {
  const ann = { person: 0 };
  const bob = { person: 1 };
  const two: readonly Picture[] = [
    ["beach/1.png", 20, [ann]],
    ["office/1.png", 90, [ann]],
  ];
  const filter = await filtered();
  return [
    ["clips: a person in two of them", await told(two)],
    ["clips: a person in one of them only", await told([...two, ["office/2.png", 160, [bob]]])],
    ["clips: everybody in one of them only", await told([two[0] ?? ["", 0, []], ["office/1.png", 90, [bob]]])],
    [
      "clips: no face, a small one, a blurred one",
      await told([...two, ["office/2.png", 120, []], ["office/3.png", 150, [{ ...ann, side: 40 }]], ["office/4.png", 180, [ann], 6]]),
    ],
    ["clips: the same picture twice", await told([...two, ["office/2.png", 90, [ann]]])],
    ["clips: copies of one face", await told(two, { max_similarity: 0.5 })],
    [
      "clips: a scene of many frames",
      await told([...[1, 2, 3, 4, 5].map((k): Picture => [`beach/${k}.png`, 20 + k, [ann]]), ["office/1.png", 200, [ann]]]),
    ],
    ["clips: everybody is held out", await told(two, { held_out: 2 })],
    ["synthetic scenes: none shows its people", filter],
  ];
}

async function filtered(): Promise<string> {
  const dir = memoryDirectory();
  const ctx = { ...fakeContext(interpreterCompute()), runDirectory: async () => dir };
  try {
    await filterDataset.run(
      {
        dataset: fakeDataset(3, 0),
        detector: detectorOf(new Map()),
        encoder,
        min_similarity: 0.4,
        max_similarity: 0.97,
        min_margin: 0,
        wanted: 0,
        prefix: "r",
      },
      ctx,
      {},
    );
    return "goes on";
  } catch (error) {
    const { code, message, hint } = toAppError(error);
    return `ends: ${code}, “${message}”${hint ? ` (${hint})` : ""}`;
  }
}
