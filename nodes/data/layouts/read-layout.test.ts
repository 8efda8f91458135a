import { expect, it } from "vitest";
import { AppError } from "../../../engine/base/errors.ts";
import { readLayout } from "./read-layout.ts";

const options = { controls: [], defaultPrompt: "" };

/** A folder of these files; pictures are empty, which nobody looks at here. */
function filesOf(files: Readonly<Record<string, string>>) {
  return {
    listInputs: async (folder: string) =>
      Object.keys(files)
        .filter((name) => folder === "." || name.startsWith(`${folder}/`))
        .sort(),
    readInput: async (name: string) => {
      const text = files[name];
      if (text === undefined) throw new AppError("INPUT_NOT_FOUND", `no ${name}`);
      return new TextEncoder().encode(text);
    },
  };
}
const short = (entries: Awaited<ReturnType<typeof readLayout>>["entries"]) =>
  entries.map((e) => [e.id, e.prompt, e.target, ...e.references]);
const TWO = [
  ["a", "first", "set/target/a.png", "set/control/a.jpg", "set/control_2/a.jpg"],
  ["b", "second", "set/target/b.png", "set/control/b.jpg", "set/control_2/b.jpg"],
];
const FOLDERS = {
  ...{ "set/target/a.png": "", "set/target/a.txt": "first\n", "set/target/b.png": "", "set/target/b.txt": "second" },
  ...{ "set/control/a.jpg": "", "set/control/b.jpg": "", "set/control_2/a.jpg": "", "set/control_2/b.jpg": "" },
};

it("ai-toolkit: a folder per control slot, captions beside the targets", async () => {
  const layout = await readLayout(filesOf({ ...FOLDERS, "set/old/x.png": "" }), "set", options);
  expect([short(layout.entries), layout.issues, layout.notes]).toEqual([TWO, [], ["not read: the folder old"]]);
  const { "set/target/b.txt": _, "set/control/a.jpg": __, ...broken } = FOLDERS;
  expect((await readLayout(filesOf({ ...broken, "set/control/z.jpg": "" }), "set", options)).issues).toEqual([
    { place: "a.png", message: "set/control/ has no picture called a" },
    { place: "b.png", message: "it has no caption: b.txt is missing or empty" },
    { place: "set/control/", message: "no target is called z" },
  ]);
  const named = await readLayout(filesOf({ "a.png": "", "faces/a.png": "" }), ".", { controls: ["faces"], defaultPrompt: "edit it" });
  expect(short(named.entries)).toEqual([["a", "edit it", "a.png", "faces/a.png"]]);
  const alone = await readLayout(filesOf({ "set/a.png": "", "set/a.txt": "x" }), "set", options);
  expect(short(alone.entries)).toEqual([["a", "x", "set/a.png"]]);
});

it("musubi-tuner: TOML with folders or JSONL, numbered control pictures, repeats", async () => {
  const toml = `
[general]
resolution = [960, 544]
caption_extension = ".caption"
[[datasets]]
image_directory = "img"
control_directory = "ctl"
num_repeats = 2
[[datasets]]
image_jsonl_file = "list/more.jsonl"
`;
  const files = filesOf({
    "set/dataset.toml": toml,
    ...{ "set/img/a.png": "", "set/img/a.caption": "first", "set/ctl/a_0.png": "", "set/ctl/a_1.png": "", "set/ctl/ab_0.png": "" },
    "set/list/more.jsonl": '{"image_path": "x.jpg", "caption": "third", "control_path_1": "/data/2.jpg", "control_path_0": "../1.jpg"}\n',
  });
  const layout = await readLayout(files, "set", options);
  expect(layout.issues).toEqual([]);
  expect(short(layout.entries)).toEqual([
    ["0/a", "first", "set/img/a.png", "set/ctl/a_0.png", "set/ctl/a_1.png"],
    ["0/a (2)", "first", "set/img/a.png", "set/ctl/a_0.png", "set/ctl/a_1.png"],
    ["1/x", "third", "set/list/x.jpg", "set/1.jpg", "/data/2.jpg"],
  ]);
  expect(layout.notes).toEqual(["set/dataset.toml: resolution is not read; the widgets here say it"]);
  expect((await readLayout(filesOf({ "d.toml": "[[datasets]\n" }), "d.toml", options)).issues[0]?.message).toMatch(/^not TOML/);
});

it("DiffSynth: CSV and JSON, one edit_image or a list; diffusers: metadata.jsonl", async () => {
  const csv = 'image,prompt,edit_image\na.png,"red, please","[""1.png"",""2.png""]"\nb.png,,c.png\n';
  const table = await readLayout(filesOf({ "set/metadata.csv": csv }), "set", options);
  expect(short(table.entries)).toEqual([
    ["a", "red, please", "set/a.png", "set/1.png", "set/2.png"],
    ["b", "", "set/b.png", "set/c.png"],
  ]);
  expect(table.issues).toEqual([{ place: "line 3", message: "no caption: caption, text, prompt is missing or empty" }]);
  const json = JSON.stringify([{ prompt: "p", image: "a.png", edit_image: ["1.png", "2.png"] }]);
  expect(short((await readLayout(filesOf({ "m.json": json }), "m.json", options)).entries)).toEqual([
    ["a", "p", "a.png", "1.png", "2.png"],
  ]);
  const rows =
    '{"file_name": "train/a.png", "text": "p"}\n{"file_name": "train/a.png", "text": "q", "conditioning_image": "c.png"}\n{"text": "lost"}\n';
  const diffusers = await readLayout(filesOf({ "set/metadata.jsonl": rows }), "set", options);
  expect(short(diffusers.entries)).toEqual([
    ["a", "p", "set/train/a.png"],
    ["a (2)", "q", "set/train/a.png", "set/c.png"],
  ]);
  expect(diffusers.issues).toMatchObject([{ place: "line 3", message: expect.stringMatching(/^no column says which picture it is/) }]);
});

it("the own manifest, with people by name", async () => {
  const line = { id: "a", prompt: "p", target: "./t.png", references: ["r.png"], people: ["Ann"] };
  const layout = await readLayout(filesOf({ "set/pairs.jsonl": JSON.stringify(line) }), "set/pairs.jsonl", options);
  expect(layout.entries).toEqual([
    { id: "a", prompt: "p", target: "set/t.png", references: ["set/r.png"], people: ["Ann"], place: "line 1" },
  ]);
  const wrong = JSON.stringify({ ...line, people: ["Ann", "Bob"] });
  expect((await readLayout(filesOf({ "pairs.jsonl": wrong }), "pairs.jsonl", options)).issues[0]?.message).toBe(
    "people names 2 for 1 references",
  );
});
