// Whatever a dataset's list or configuration holds: entries with names, issues with words, or an AppError. Never another exception.
import { expect, test } from "vitest";
import { AppError } from "../../engine/base/errors.ts";
import { randomSource } from "../../engine/base/random.ts";
import { readLayout } from "../../nodes/data/layouts/read-layout.ts";
import { FUZZ_TIMEOUT_MS, fuzzRuns, mutateBytes } from "./mutations.ts";

const RUNS = fuzzRuns(600);

const LISTS: Readonly<Record<string, string>> = {
  "set/job.yaml": `job: extension
config:
  process:
    - type: diffusion_trainer
      trigger_word: &t "p3r5on"
      datasets:
        - folder_path: "target"
          control_path: ["control", "control"]
          caption_ext: "txt"
          trigger_word: *t
          num_repeats: 2
`,
  "set/dataset.toml": `[general]
caption_extension = ".txt"
[[datasets]]
image_directory = "target"
control_directory = "control"
num_repeats = 2
[[datasets]]
video_directory = "videos"
target_frames = [1, 13]
frame_extraction = "slide"
frame_stride = 10
`,
  "set/metadata.csv": 'image,prompt,edit_image\ntarget/a.png,"red, please","[""control/a.png""]"\n',
  "set/metadata.jsonl": '{"image_path": "target/a.png", "caption": "p", "control_path_0": "control/a.png"}\n',
  "set/videos.jsonl": '{"video_path": "videos/v.mp4", "caption": "p", "control_path": "target"}\n',
  "set/pairs.jsonl": '{"id": "x", "prompt": "p", "target": "target/a.png", "references": ["control/a.png"], "people": ["Ann"]}\n',
  "set/target/a.txt": "\uFEFFa caption",
};
const NAMES = [...Object.keys(LISTS), "set/target/a.png", "set/control/a.png", "set/videos/v.mp4", "set/videos/v.txt"];

test.each(Object.keys(LISTS))("%s, damaged", { timeout: FUZZ_TIMEOUT_MS }, async (name) => {
  const random = randomSource(name.length);
  const whole = new TextEncoder().encode(LISTS[name]);
  let read = 0;
  for (let run = 0; run < RUNS; run++) {
    const bytes = run === 0 ? whole : mutateBytes(random, whole);
    const files = {
      listInputs: async (folder: string) => NAMES.filter((each) => each.startsWith(`${folder}/`)),
      readInput: async (each: string) => (each === name ? bytes : new TextEncoder().encode(LISTS[each] ?? "words")),
      videos: { count: async () => 40, frame: async () => new Uint8Array() },
    };
    try {
      const layout = await readLayout(files, name.endsWith(".txt") ? "set/dataset.toml" : name, { controls: [], defaultPrompt: "" });
      for (const { id, target, prompt } of layout.entries) {
        expect(`${typeof id} ${typeof target} ${typeof prompt}`).toBe("string string string");
        expect(target).not.toBe("");
      }
      for (const { message } of layout.issues) {
        expect(message).not.toBe("");
        expect(message).not.toContain("[object");
      }
      if (layout.entries.length > 0) read++;
    } catch (error) {
      if (!(error instanceof AppError)) throw new Error(`run ${run}: ${new TextDecoder().decode(bytes)}`, { cause: error });
    }
  }
  expect(read).toBeGreaterThan(0);
});
