// Datasets as people have them, in memory: what FolderDataset says to each.
import sharp from "sharp";
import { AppError, toAppError } from "../engine/base/errors.ts";
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

async function told(files: Files, changes: Partial<Inputs> = {}): Promise<string> {
  const find = (name: string) => Object.keys(files).find((each) => each === name);
  const ctx = {
    ...fakeContext(interpreterCompute()),
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
    const { target, references } = await dataset.example("train", 0);
    const sizes = [target, ...references].map(({ shape: [, h, w] }) => `${w} × ${h}`).join(", ");
    const lines = ctx.logs.map((line) => `“${line.replace(/^\w+: /, "").replaceAll("\n", " ")}”`);
    return `goes on: ${dataset.train} to train on, ${dataset.heldOut} held out; the first is ${sizes}; ${lines.join("; ")}`;
  } catch (error) {
    const { code, message, hint } = toAppError(error);
    return `ends: ${code}, “${message}”${hint ? ` (${hint})` : ""}`;
  }
}

/** @returns rows of the table */
export async function datasetCases(): Promise<readonly (readonly [what: string, happens: string])[]> {
  const [a, b, c, d, tall, clear] = await Promise.all([
    ...[1, 2, 3, 4].map((seed) => solid(96, 96, seed)),
    solid(64, 192, 5),
    solid(96, 96, 6, 0.5),
  ]);
  if (!a || !b || !c || !d || !tall || !clear) throw new Error("no pictures");
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
    ["a table whose columns nobody knows", await told({ ...pictures, "set/m.csv": "foo,bar\n1,2\n" }, { manifest: "set/m.csv" })],
  ];
}
