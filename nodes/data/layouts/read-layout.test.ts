import { expect, it } from "vitest";
import { AppError } from "../../../engine/base/errors.ts";
import { readLayout } from "./read-layout.ts";
import { pictureReader, windowStarts } from "./video-frames.ts";

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

it("pictures that cannot be read are entries too, so that they are refused by their name", async () => {
  const photos = await readLayout(filesOf({ "set/a.HEIC": "", "set/a.txt": "x", "set/b.gif": "", "set/b.txt": "y" }), "set", options);
  expect(short(photos.entries)).toEqual([
    ["a", "x", "set/a.HEIC"],
    ["b", "y", "set/b.gif"],
  ]);
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
  expect(layout.notes).toEqual(["set/dataset.toml: resolution is not read; size, batches and training are set by widgets"]);
  expect((await readLayout(filesOf({ "d.toml": "[[datasets]\n" }), "d.toml", options)).issues[0]?.message).toMatch(/^not TOML/);
});

/** The example of ai-toolkit's documentation, with folders of ours. */
const JOB = `---
job: extension
config:
  # this name will be the folder and filename name
  name: "my_first_lora"
  process:
    - type: 'diffusion_trainer'
      training_folder: "output"
      trigger_word: "p3r5on"
      network:
        type: "lora"
        linear: 16
        linear_alpha: 16
      datasets:
        - folder_path: "target"
          control_path:
            - "control"
            - "control_2"
          caption_ext: "txt"
          caption_dropout_rate: 0.05  # will drop out the caption 5% of time
          resolution: [ 512, 768, 1024 ]
        - folder_path: "/data/more"
          control_path_1: "/data/slot 1"
          default_caption: "a photo of [trigger]"
          num_repeats: 2
          cache_latents_to_disk: true
      train:
        batch_size: 1
        lr: 1e-4
      model:
        name_or_path: "Qwen/Qwen-Image-Edit-2509"
        arch: "qwen_image_edit_plus"
meta:
  name: "[name]"
  version: '1.0'
`;

it("ai-toolkit's job: folders with control slots, captions, trigger word, repeats", async () => {
  const more = { "/data/more/x.png": "", "/data/slot 1/x.webp": "" };
  const layout = await readLayout(filesOf({ ...FOLDERS, ...more, "set/job.yaml": JOB }), "set/job.yaml", options);
  expect(layout.issues).toEqual([]);
  expect(short(layout.entries)).toEqual([
    ["0/a", "p3r5on first", "set/target/a.png", "set/control/a.jpg", "set/control_2/a.jpg"],
    ["0/b", "p3r5on second", "set/target/b.png", "set/control/b.jpg", "set/control_2/b.jpg"],
    ["1/x", "a photo of p3r5on", "/data/more/x.png", "/data/slot 1/x.webp"],
    ["1/x (2)", "a photo of p3r5on", "/data/more/x.png", "/data/slot 1/x.webp"],
  ]);
  expect(layout.notes).toEqual([
    "set/job.yaml: caption_dropout_rate, resolution are not read; size, batches and training are set by widgets",
  ]);
  // In a folder it is found by its name.
  expect((await readLayout(filesOf({ ...FOLDERS, ...more, "set/config.yaml": JOB }), "set", options)).entries).toHaveLength(4);
});

it("ai-toolkit's job: what is wrong with it", async () => {
  const told = async (text: string) => (await readLayout(filesOf({ ...FOLDERS, "set/j.yaml": text }), "set/j.yaml", options)).issues;
  expect((await told("a: [1"))[0]?.message).toMatch(/^not YAML: /);
  expect((await told("resolution: 512\n"))[0]?.message).toMatch(/^not a job of ai-toolkit: config: /);
  const job = (datasets: string) => `config:\n  process:\n    - datasets: ${datasets}\n`;
  expect(await told(job("[]"))).toEqual([{ place: "set/j.yaml", message: "no process has datasets" }]);
  expect(await told(job("[{ control_path: control }]"))).toEqual([{ place: "process[0].datasets[0]", message: "it names no folder_path" }]);
  expect(await told(job("[{ folder_path: target, control_path_1: control, caption_ext: md }]"))).toEqual([
    { place: "a.png", message: "it has no caption: a.md is missing or empty" },
    { place: "b.png", message: "it has no caption: b.md is missing or empty" },
  ]);
  // A word is taken as it is written.
  const dollar = job("[{ folder_path: target, trigger_word: a$$ap, default_caption: 'x [trigger]', caption_ext: md }]");
  const { entries } = await readLayout(filesOf({ ...FOLDERS, "set/j.yaml": dollar }), "set/j.yaml", options);
  expect(entries[0]?.prompt).toBe("x a$$ap");
  expect((await told(job("[{ folder_path: target, num_repeats: 1000000000 }]")))[0]?.message).toMatch(
    /makes 2000000000 entries; 100000 are the limit/,
  );
  // A few lines that would unfold into a billion.
  const bomb = [
    "a: &a [x,x,x,x,x,x,x,x,x]",
    ..."bcdefghi".split("").map((c, k) => `${c}: &${c} [${Array(9).fill(`*${"abcdefgh"[k]}`).join(",")}]`),
  ];
  expect((await told(bomb.join("\n")))[0]?.message).toMatch(/^not YAML: /);
});

const videosOf = (counts: Readonly<Record<string, number>>) => ({
  count: async (name: string) => counts[name] ?? Promise.reject(new AppError("VIDEO_READ", `${name} cannot be read: moov atom not found`)),
  frame: async (name: string, index: number) => new TextEncoder().encode(`${name} ${index}`),
});

it("musubi-tuner's videos: a folder with captions and controls, and JSONL; frames as they are extracted there", async () => {
  const toml = `
[general]
resolution = [960, 544]
caption_extension = ".txt"
batch_size = 1
[[datasets]]
video_directory = "videos"
control_directory = "controls"
cache_directory = "cache"
target_frames = [1, 25, 45]
frame_extraction = "head"
source_fps = 30.0
[[datasets]]
video_jsonl_file = "metadata.jsonl"
target_frames = [1]
frame_extraction = "uniform"
frame_sample = 3
`;
  const files = {
    ...filesOf({
      "set/dataset.toml": toml,
      ...{ "set/videos/one.mp4": "", "set/videos/one.txt": "first", "set/videos/two.mov": "", "set/videos/two.txt": "second" },
      ...{ "set/controls/one.mp4": "", "set/controls/two/1.png": "", "set/controls/two/2.png": "" },
      "set/metadata.jsonl": '{"video_path": "more/three.mp4", "caption": "third"}\n{"video_path": "frames", "caption": "fourth"}\n',
      ...{ "set/frames/2.png": "", "set/frames/10.png": "", "set/frames/1.png": "" },
    }),
    videos: videosOf({ "set/videos/one.mp4": 40, "set/controls/one.mp4": 40, "set/videos/two.mov": 30, "set/more/three.mp4": 21 }),
  };
  const layout = await readLayout(files, "set", options);
  expect(layout.issues).toEqual([]);
  expect(short(layout.entries)).toEqual([
    ["0/one#0", "first", "set/videos/one.mp4#0", "set/controls/one.mp4#0"],
    ["0/two#0", "second", "set/videos/two.mov#0", "set/controls/two/1.png"],
    ["1/1/three#0", "third", "set/more/three.mp4#0"],
    ["1/1/three#10", "third", "set/more/three.mp4#10"],
    ["1/1/three#20", "third", "set/more/three.mp4#20"],
    ["1/2/frames#0", "fourth", "set/frames/1.png"],
    ["1/2/frames#1", "fourth", "set/frames/2.png"],
    ["1/2/frames#2", "fourth", "set/frames/10.png"],
  ]);
  expect(layout.notes).toEqual([
    "set/dataset.toml: resolution, batch_size, source_fps are not read; size, batches and training are set by widgets",
    "set/dataset.toml: an image model is trained: of each window of a video the first frame is taken",
  ]);
  const table = await readLayout(files, "set/metadata.jsonl", options);
  expect([short(table.entries)[0], table.entries.length]).toEqual([["1/three#0", "third", "set/more/three.mp4#0"], 2]);
  expect(table.notes).toEqual(["set/metadata.jsonl: an image model is trained: of each window of a video the first frame is taken"]);
  expect(new TextDecoder().decode(await pictureReader(files)("set/videos/one.mp4#7"))).toBe("set/videos/one.mp4 7");
  // A picture may have such a name.
  await expect(pictureReader(files)("a#1")).rejects.toThrow("no a#1");
});

it("musubi-tuner's videos: what is wrong with them; without ffmpeg one error says so", async () => {
  const toml = '[[datasets]]\nvideo_directory = "v"\ncontrol_directory = "c"\ntarget_frames = [25]\n';
  const list = { "d.toml": toml, "v/a.mp4": "", "v/a.txt": "p", "v/b.mp4": "", "v/b.txt": "q", "c/a.mp4": "", "v/broken.mp4": "" };
  const files = { ...filesOf(list), videos: videosOf({ "v/a.mp4": 30, "c/a.mp4": 0, "v/b.mp4": 20 }) };
  expect((await readLayout(files, "d.toml", options)).issues).toEqual([
    { place: "b.mp4", message: "c/ has no video or folder called b" },
    { place: "broken.mp4", message: "c/ has no video or folder called broken" },
    { place: "a.mp4", message: "its control has 0 frames, fewer than the video's 30" },
    { place: "b.mp4", message: "its 20 frames are fewer than target_frames (25)" },
    { place: "broken.mp4", message: "it has no caption" },
    { place: "broken.mp4", message: "v/broken.mp4 cannot be read: moov atom not found" },
  ]);
  const without = {
    ...files,
    videos: { ...files.videos, count: async () => Promise.reject(new AppError("VIDEO_FFMPEG", "ffmpeg is needed")) },
  };
  await expect(readLayout(without, "d.toml", options)).rejects.toMatchObject({ code: "VIDEO_FFMPEG" });
});

it("musubi-tuner's videos: names that could be mixed up, and captions that cannot be read", async () => {
  const toml = '[[datasets]]\nvideo_directory = "v"\ncontrol_directory = "c"\n';
  const names = {
    "v/a.mov": "",
    "v/a.mp4": "",
    "v/a.txt": "p",
    "v/b.mp4": "",
    "v/b.txt": "\0",
    "c/a.mov": "",
    "c/a.mp4": "",
    "c/b.mp4": "",
  };
  const videos = videosOf({ "v/a.mov": 9, "v/a.mp4": 9, "v/b.mp4": 9, "c/a.mov": 9, "c/a.mp4": 9, "c/b.mp4": 9 });
  expect((await readLayout({ ...filesOf({ "d.toml": toml, ...names }), videos }, "d.toml", options)).issues).toEqual([
    { place: "a.mov", message: "its control may be c/a.mov or c/a.mp4" },
    { place: "a.mp4", message: "v/a.mov has the same name: captions and controls could not be told apart" },
    { place: "a.mp4", message: "its control may be c/a.mov or c/a.mp4" },
    { place: "b.mp4", message: "v/b.txt is text neither in UTF-8 nor in UTF-16 with a byte order mark" },
  ]);
});

it("what is wrong with one of several datasets leaves a file of the same name in another alone", async () => {
  const toml = '[[datasets]]\nimage_directory = "x"\n[[datasets]]\nimage_directory = "y"\n';
  const { entries, issues } = await readLayout(
    filesOf({ "d.toml": toml, "x/1.png": "", "y/1.png": "", "y/1.txt": "p" }),
    "d.toml",
    options,
  );
  expect(issues).toEqual([{ place: "datasets[0] 1.png", message: "it has no caption: 1.txt is missing or empty" }]);
  expect(entries.map(({ id, place }) => [id, place])).toEqual([
    ["0/1", "datasets[0] 1.png"],
    ["1/1", "datasets[1] 1.png"],
  ]);
});

it("windows of frames are those of the documentation's drawings, of 40 frames", () => {
  const rules = { extraction: "head", lengths: [1, 13, 25], stride: 10, samples: 4 } as const;
  expect(windowStarts(40, rules)).toEqual([0]);
  expect(windowStarts(40, { ...rules, extraction: "chunk", lengths: [13, 25] })).toEqual([0, 13, 26]);
  expect(windowStarts(40, { ...rules, extraction: "slide", lengths: [1] })).toEqual([0, 10, 20, 30]);
  expect(windowStarts(40, { ...rules, extraction: "slide", lengths: [25] })).toEqual([0, 10]);
  expect(windowStarts(40, { ...rules, extraction: "uniform", lengths: [1] })).toEqual([0, 13, 26, 39]);
  expect(windowStarts(40, { ...rules, extraction: "uniform", lengths: [13] })).toEqual([0, 9, 18, 27]);
  expect(windowStarts(40, { ...rules, extraction: "full" })).toEqual([0]);
  expect(windowStarts(12, { ...rules, lengths: [13] })).toEqual([]);
  expect(windowStarts(3, { ...rules, extraction: "uniform", lengths: [1], samples: 1e9 })).toEqual([0, 1, 2]);
  expect(windowStarts(0, rules)).toEqual([]);
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
