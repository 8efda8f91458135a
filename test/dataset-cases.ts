// Datasets as people have them, in memory: what FolderDataset says to each.
import sharp from "sharp";
import { AppError, toAppError } from "../engine/base/errors.ts";
import type { Videos } from "../engine/node/context.ts";
import folderDataset from "../nodes/data/folder-dataset.ts";
import type { Face } from "../nodes/shared/contracts/data.ts";
import { fakeContext } from "./fake-context.ts";
import { fakeDetector, fakeEncoder } from "./fake-face-models.ts";
import { interpreterCompute } from "./interpreter-compute.ts";

const solid = (width: number, height: number, seed: number, alpha = 1) =>
  sharp({ create: { width, height, channels: 4, background: { r: (seed * 37) % 256, g: (seed * 91) % 256, b: (seed * 53) % 256, alpha } } })
    .png()
    .toBuffer();

const FACE: Face = {
  box: [16, 16, 48, 48],
  score: 1,
  points5: [
    [24, 26],
    [40, 26],
    [32, 34],
    [27, 42],
    [37, 42],
  ],
};
/** Finds faces in tall pictures only. */
const detector = {
  ...fakeDetector([FACE]),
  detect: async (_: unknown, { shape: [, h = 1, w = 1] }: { readonly shape: readonly number[] }) => (h / w > 1.3 ? [FACE] : []),
};
const models = { detector, encoder: fakeEncoder() };
const blind = { detector: undefined, encoder: undefined };
const widgets = {
  manifest: "set",
  width: 64,
  height: 64,
  reference_size: 64,
  held_out: 0,
  target_fit: "buckets",
  reference_fit: "keep",
  background: "#ffffff",
  split_by: "people",
  on_problem: "stop",
  controls: "",
  default_prompt: "",
} as const;

type Files = Readonly<Record<string, string | Uint8Array>>;
type Inputs = Parameters<typeof folderDataset.run>[0];

/** A job of ai-toolkit as its documentation writes it. */
const JOB = `job: extension
config:
  name: "my_first_lora"
  process:
    - type: 'diffusion_trainer'
      trigger_word: "p3r5on"
      datasets:
        - folder_path: "target"
          control_path:
            - "control"
            - "control_2"
          caption_ext: "txt"
          resolution: [ 512, 768, 1024 ]
`;

/** With the mark at its beginning. */
const utf16 = (text: string): Uint8Array => new Uint8Array(Buffer.from(`\uFEFF${text}`, "utf16le"));

/** @param isPromptShown also says what the first example's prompt is */
async function told(files: Files, changes: Partial<Inputs> = {}, videos?: Videos, isPromptShown = false): Promise<string> {
  const find = (name: string) => Object.keys(files).find((each) => each.normalize("NFC") === name.normalize("NFC"));
  const ctx = {
    ...fakeContext(interpreterCompute()),
    ...(videos && { videos }),
    listInputs: async (folder: string) =>
      Object.keys(files)
        .filter((name) => folder === "." || name.startsWith(`${folder}/`))
        .sort(),
    readInput: async (name: string) => {
      const content = files[find(name) ?? ""];
      if (content === undefined) throw new AppError("INPUT_NOT_FOUND", `there is no input file "${name}"`);
      return typeof content === "string" ? new TextEncoder().encode(content) : new Uint8Array(content);
    },
  };
  try {
    const { dataset } = await folderDataset.run({ ...widgets, ...blind, ...changes }, ctx, {});
    const { target, references, prompt } = await dataset.example("train", 0);
    const sizes = [target, ...references].map(({ shape: [, h, w] }) => `${w} × ${h}`).join(", ");
    const lines = ctx.logs.map((line) => `“${line.replace(/^\w+: /, "").replaceAll("\n", " ")}”`);
    return `goes on: ${dataset.train} to train on, ${dataset.heldOut} held out; the first is ${sizes}${isPromptShown ? `, “${prompt}”` : ""}; ${lines.join("; ")}`;
  } catch (error) {
    const { code, message, hint } = toAppError(error);
    return `ends: ${code}, “${message}”${hint ? ` (${hint})` : ""}`;
  }
}

/** @returns rows of the table */
export async function datasetCases(): Promise<readonly (readonly [what: string, happens: string])[]> {
  const [a, b, c, d, tall, clear, dot] = await Promise.all([
    ...[1, 2, 3, 4].map((seed) => solid(96, 96, seed)),
    solid(64, 192, 5),
    solid(96, 96, 6, 0.5),
    solid(1, 1, 7),
  ]);
  if (!a || !b || !c || !d || !tall || !clear || !dot) throw new Error("no pictures");
  const lines = (...entries: object[]) => entries.map((entry) => JSON.stringify(entry)).join("\n");
  const pair = (id: string, target: string, ...references: string[]) => ({ id, prompt: "together", target, references });
  const pictures = { "set/a.png": a, "set/b.png": b, "set/c.png": c, "set/d.png": d, "set/tall.png": tall };
  const manifest = (...entries: object[]) => ({ ...pictures, "set/pairs.jsonl": lines(...entries) });
  const slots = { "set/target/1.png": a, "set/target/1.txt": "red", "set/control/1.png": b, "set/control_2/1.png": c };
  const people = ["Ann", "Bob", "Cid", "Dot"];
  const portraits = people.flatMap((x, i) =>
    people.slice(i + 1).map((y, k) => ({ ...pair(`${x}+${y}`, `${"abcd"[(i + k) % 4]}.png`, "a.png", "b.png"), people: [x, y] })),
  );
  const some = portraits.map((each, i) => (i === 5 ? { ...each, split: "held_out" } : each));
  return [
    ["a tall reference, cut to a square", await told(manifest(pair("x", "tall.png", "tall.png")), { ...models, reference_fit: "square" })],
    ["a tall reference, kept whole", await told(manifest(pair("x", "tall.png", "tall.png")), models)],
    ["targets of several sizes", await told(manifest(pair("x", "tall.png", "a.png"), pair("y", "a.png", "b.png")))],
    ["pairs without faces: no detector", await told(manifest(pair("x", "a.png", "b.png")))],
    ["targets without references", await told(manifest(pair("x", "a.png")))],
    ["a detector without an encoder", await told(manifest(pair("x", "a.png", "b.png")), { detector })],
    ["a picture with transparency", await told({ ...manifest(pair("x", "clear.png")), "set/clear.png": clear })],
    ["portraits used in every pair, one entry held out", await told(manifest(...portraits), { held_out: 1 })],
    ["the same, a marked entry", await told(manifest(...some))],
    ["the same, split_by: nothing", await told(manifest(...some), { split_by: "nothing" })],
    [
      "all people in the held-out entry",
      await told(manifest({ ...pair("x", "a.png", "b.png"), split: "held_out" }, pair("y", "c.png", "b.png"))),
    ],
    ["a broken picture", await told({ ...manifest(pair("x", "a.png", "b.png"), pair("y", "c.png", "d.png")), "set/b.png": "no picture" })],
    [
      "the same, on_problem: leave_out",
      await told(
        { ...manifest(pair("x", "a.png", "b.png"), pair("y", "c.png", "d.png")), "set/b.png": "no picture" },
        { on_problem: "leave_out" },
      ),
    ],
    ["ai-toolkit: a folder per control slot", await told(slots)],
    ["the same without a caption", await told({ ...slots, "set/target/2.png": d, "set/control/2.png": d, "set/control_2/2.png": d })],
    [
      "the same, a control picture is missing",
      await told({ ...slots, "set/target/2.png": d, "set/target/2.txt": "p", "set/control/2.png": d }),
    ],
    [
      "musubi-tuner: TOML",
      await told({
        "set/dataset.toml": '[general]\nresolution = [64, 64]\n[[datasets]]\nimage_directory = "target"\ncontrol_directory = "control"\n',
        ...slots,
      }),
    ],
    [
      "musubi-tuner: JSONL",
      await told(
        { ...pictures, "set/m.jsonl": lines({ image_path: "a.png", caption: "p", control_path_0: "b.png", control_path_1: "c.png" }) },
        { manifest: "set/m.jsonl" },
      ),
    ],
    ["DiffSynth: CSV", await told({ ...pictures, "set/metadata.csv": "image,prompt,edit_image\na.png,p,b.png\n" })],
    ["diffusers: metadata.jsonl", await told({ ...pictures, "set/metadata.jsonl": lines({ file_name: "a.png", text: "p" }) })],
    ["ai-toolkit: a job file", await told({ ...slots, "set/config.yaml": JOB })],
    [
      "musubi-tuner: a folder of videos",
      await told(
        { "set/dataset.toml": '[[datasets]]\nvideo_directory = "v"\n', "set/v/a.mp4": a, "set/v/a.txt": "p" },
        {},
        { count: async () => 9, frame: async () => b },
      ),
    ],
    [
      "the same without ffmpeg",
      await told(
        { "set/dataset.toml": '[[datasets]]\nvideo_directory = "v"\n', "set/v/a.mp4": a, "set/v/a.txt": "p" },
        {},
        {
          count: async () =>
            Promise.reject(
              new AppError("VIDEO_FFMPEG", "ffmpeg is needed to read videos, and is not installed", { hint: "apt-get install ffmpeg" }),
            ),
          frame: async () => b,
        },
      ),
    ],
    ["a caption in UTF-16", await told({ ...slots, "set/target/1.txt": utf16("rot") }, {}, undefined, true)],
    ["a caption in UTF-8 with a mark", await told({ ...slots, "set/target/1.txt": "\uFEFFrot" }, {}, undefined, true)],
    ["a caption in Latin-1", await told({ ...slots, "set/target/1.txt": Uint8Array.of(0x67, 0x72, 0xfc, 0x6e) })],
    ["a manifest in UTF-16 without a mark", await told({ ...pictures, "set/pairs.jsonl": utf16("{}").slice(2) })],
    [
      "names of which one has é as two characters",
      await told({ "set/target/e\u0301.png": a, "set/target/\u00e9.txt": "p", "set/control/\u00e9.png": b }),
    ],
    ["two targets of one name", await told({ ...slots, "set/target/1.jpg": d })],
    ["two control pictures of one name", await told({ ...slots, "set/control/1.jpg": d })],
    [
      "a held-out target is trained on with other references",
      await told(manifest({ ...pair("x", "a.png", "b.png"), split: "held_out" }, pair("y", "a.png", "c.png"), pair("z", "d.png", "c.png"))),
    ],
    ["a picture of one pixel", await told({ ...manifest(pair("x", "dot.png", "a.png")), "set/dot.png": dot })],
    ["a reference without a face", await told(manifest(pair("x", "tall.png", "a.png")), models)],
    ["a table whose columns nobody knows", await told({ ...pictures, "set/m.csv": "foo,bar\n1,2\n" }, { manifest: "set/m.csv" })],
  ];
}
