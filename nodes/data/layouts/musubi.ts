// musubi-tuner's dataset config (TOML): folders with captions and control folders, or JSONL files; of pictures, or of videos.

import { parse } from "smol-toml";
import { z } from "zod";
import { toAppError } from "../../../engine/base/errors.ts";
import { isPictureName } from "../../../engine/formats/picture-format.ts";
import { pairFolders } from "./ai-toolkit.ts";
import { addRepeated, besides, type DatasetEntry, type Files, folderOf, type Layout, type LayoutIssue, stemOf } from "./dataset-entry.ts";
import { firstFrames, readMusubiVideos } from "./musubi-videos.ts";
import { readTable } from "./picture-table.ts";
import { textOf } from "./text-of.ts";
import { unreadKeys } from "./unread-keys.ts";

const Dataset = z.looseObject({
  image_directory: z.string().optional(),
  image_jsonl_file: z.string().optional(),
  video_directory: z.string().optional(),
  video_jsonl_file: z.string().optional(),
  control_directory: z.string().optional(),
  caption_extension: z.string().optional(),
  num_repeats: z.int().positive().optional(),
  target_frames: z.array(z.int().positive()).min(1).optional(),
  frame_extraction: z.enum(["head", "chunk", "slide", "uniform", "full"]).optional(),
  frame_stride: z.int().positive().optional(),
  frame_sample: z.int().positive().optional(),
});
const Config = z.looseObject({ general: Dataset.optional(), datasets: z.array(Dataset).min(1) });

const READ = Object.keys(Dataset.shape);
/** What changes nothing of the pictures and captions themselves. */
const QUIET = ["cache_directory"];

/** @param name of the TOML file */
export async function readMusubi(files: Files, name: string, text: string, defaultPrompt: string): Promise<Layout> {
  const layout = { name: "musubi-tuner's TOML" };
  const failed = (message: string): Layout => ({ ...layout, entries: [], issues: [{ place: name, message }], notes: [] });
  let config: z.infer<typeof Config>;
  try {
    const parsed = Config.safeParse(parse(text));
    if (!parsed.success) return failed(parsed.error.issues.map((i) => `${i.path.join(".")}: ${i.message}`).join("; "));
    config = parsed.data;
  } catch (error) {
    return failed(`not TOML: ${toAppError(error).message.split("\n")[0]}`);
  }
  const entries: DatasetEntry[] = [];
  const issues: LayoutIssue[] = [];
  const folder = folderOf(name);
  for (const [k, own] of config.datasets.entries()) {
    const dataset = { ...config.general, ...own };
    const place = `datasets[${k}]`;
    const read = await readDataset(files, folder, dataset, defaultPrompt, place);
    const prefix = config.datasets.length > 1 ? `${k}/` : "";
    addRepeated({ entries, issues }, read, { prefix, repeats: dataset.num_repeats ?? 1, place });
  }
  const tables = [config.general, ...config.datasets];
  const isVideo = config.datasets.some((d) => d.video_directory !== undefined || d.video_jsonl_file !== undefined);
  const notes = [...unreadKeys(name, tables, READ, QUIET), ...(isVideo ? [firstFrames(name)] : [])];
  return { ...layout, entries, issues, notes };
}

async function readDataset(
  files: Files,
  folder: string,
  dataset: z.infer<typeof Dataset>,
  defaultPrompt: string,
  place: string,
): Promise<Pick<Layout, "entries" | "issues">> {
  if (dataset.image_jsonl_file !== undefined) {
    const name = besides(folder, dataset.image_jsonl_file);
    return readTable(name, textOf(await files.readInput(name), name), defaultPrompt);
  }
  if (dataset.video_jsonl_file !== undefined || dataset.video_directory !== undefined)
    return readMusubiVideos(files, folder, dataset, defaultPrompt);
  if (dataset.image_directory === undefined)
    return {
      entries: [],
      issues: [{ place, message: "it names none of image_directory, image_jsonl_file, video_directory and video_jsonl_file" }],
    };
  const targets = besides(folder, `${dataset.image_directory}/`);
  const controlFolder = dataset.control_directory === undefined ? undefined : besides(folder, `${dataset.control_directory}/`);
  const names = await files.listInputs(targets.replace(/\/$/, ""));
  const read = await pairFolders(
    files,
    names,
    { targets, controls: [], captionExtension: dataset.caption_extension ?? ".txt" },
    defaultPrompt,
  );
  if (controlFolder === undefined) return read;
  // `a.png` belongs to `a.jpg`; so do `a_0.png`, `a_1.png`, in this order.
  const pictures = (await files.listInputs(controlFolder.replace(/\/$/, ""))).filter(
    (n) => folderOf(n) === controlFolder && isPictureName(n),
  );
  const issues = [...read.issues];
  const entries = read.entries.map((entry) => {
    const stem = stemOf(entry.target);
    const numbered = pictures
      .flatMap((n) => {
        const own = stemOf(n);
        const number =
          own === stem
            ? -1
            : own.startsWith(`${stem}_`) && /^\d+$/.test(own.slice(stem.length + 1))
              ? Number(own.slice(stem.length + 1))
              : undefined;
        return number === undefined ? [] : [{ n, number }];
      })
      .sort((a, b) => a.number - b.number);
    if (numbered.length === 0) issues.push({ place: entry.place, message: `${controlFolder} has no picture called ${stem} or ${stem}_0` });
    return { ...entry, references: numbered.map(({ n }) => n) };
  });
  return { entries, issues };
}
