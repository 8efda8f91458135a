// Videos as musubi-tuner names them: a folder with captions, or a JSONL file of { video_path, caption, control_path }. A video may be a folder of pictures.

import { z } from "zod";
import { AppError, toAppError } from "../../../engine/base/errors.ts";
import { jsonOf } from "../../../engine/base/json.ts";
import { isPictureName } from "../../../engine/formats/picture-format.ts";
import { jsonPieces } from "../dataset-manifest.ts";
import {
  besides,
  captionOf,
  composedNames,
  type DatasetEntry,
  type Files,
  folderOf,
  type Layout,
  type LayoutIssue,
  MAX_ENTRIES,
  stemOf,
} from "./dataset-entry.ts";
import { textOf } from "./text-of.ts";
import { type FrameRules, frameName, VIDEO, windowStarts } from "./video-frames.ts";

/** What a table says of its videos, with musubi-tuner's names. */
interface VideoDataset {
  readonly video_directory?: string | undefined;
  readonly video_jsonl_file?: string | undefined;
  readonly control_directory?: string | undefined;
  readonly caption_extension?: string | undefined;
  readonly target_frames?: readonly number[] | undefined;
  readonly frame_extraction?: FrameRules["extraction"] | undefined;
  readonly frame_stride?: number | undefined;
  readonly frame_sample?: number | undefined;
}

interface Video {
  readonly place: string;
  readonly id: string;
  /** A video, or a folder of frames. */
  readonly path: string;
  readonly caption: string;
  readonly control?: string | undefined;
}

const Row = z.looseObject({ video_path: z.string().min(1), caption: z.string().optional(), control_path: z.string().min(1).optional() });

/** What is not trained on. @param name of the file that asks for videos */
export function firstFrames(name: string): string {
  return `${name}: an image model is trained: of each window of a video the first frame is taken`;
}

/** One entry per window of frames. @param folder of the TOML file, with a slash at its end, or empty */
export async function readMusubiVideos(
  files: Files,
  folder: string,
  dataset: VideoDataset,
  defaultPrompt: string,
): Promise<Pick<Layout, "entries" | "issues">> {
  const issues: LayoutIssue[] = [];
  const videos =
    dataset.video_jsonl_file === undefined
      ? await videosOfFolder(files, folder, dataset, issues)
      : await videosOfTable(files, besides(folder, dataset.video_jsonl_file), issues);
  const rules = {
    extraction: dataset.frame_extraction ?? "head",
    lengths: dataset.target_frames ?? [1],
    stride: dataset.frame_stride ?? 10,
    samples: dataset.frame_sample ?? 1,
  };
  const entries: DatasetEntry[] = [];
  for (const { place, id, path, caption, control } of videos) {
    const prompt = caption.trim() || defaultPrompt;
    if (prompt === "") issues.push({ place, message: "it has no caption" });
    try {
      const [frames, controls] = [await framesOf(files, path), control === undefined ? undefined : await framesOf(files, control)];
      const starts = windowStarts(frames.count, rules);
      if (starts.length === 0)
        issues.push({ place, message: `its ${frames.count} frames are fewer than target_frames (${rules.lengths.join(", ")})` });
      if (controls && starts.some((k) => k >= controls.count))
        issues.push({ place, message: `its control has ${controls.count} frames, fewer than the video's ${frames.count}` });
      if (entries.length + starts.length > MAX_ENTRIES)
        issues.push({
          place,
          message: `with it there are more than ${MAX_ENTRIES} entries: take fewer frames (frame_stride, frame_sample)`,
        });
      else
        for (const k of starts)
          entries.push({ id: `${id}#${k}`, prompt, target: frames.name(k), references: controls ? [controls.name(k)] : [], place });
    } catch (error) {
      const { code, message, hint } = toAppError(error);
      // Without ffmpeg no video can be read: one message for all.
      if (code === "VIDEO_FFMPEG") throw error;
      issues.push({ place, message: hint ? `${message} (${hint})` : message });
    }
  }
  return { entries, issues };
}

async function videosOfTable(files: Files, name: string, issues: LayoutIssue[]): Promise<readonly Video[]> {
  const videos: Video[] = [];
  for (const { line, text } of jsonPieces(textOf(await files.readInput(name), name))) {
    const place = `${name} line ${line}`;
    const row = Row.safeParse(jsonOf(text));
    if (!row.success) issues.push({ place, message: row.error.issues.map((i) => `${i.path.join(".") || "row"}: ${i.message}`).join("; ") });
    else {
      const { video_path, caption = "", control_path } = row.data;
      const control = control_path === undefined ? undefined : besides(folderOf(name), control_path);
      videos.push({ place, id: `${line}/${stemOf(video_path)}`, path: besides(folderOf(name), video_path), caption, control });
    }
  }
  if (videos.length === 0 && issues.length === 0) issues.push({ place: name, message: "no rows" });
  return videos;
}

async function videosOfFolder(
  files: Files,
  folder: string,
  { video_directory = "", control_directory, caption_extension = ".txt" }: VideoDataset,
  issues: LayoutIssue[],
): Promise<readonly Video[]> {
  const directory = besides(folder, `${video_directory}/`);
  const names = await files.listInputs(directory.replace(/\/$/, "") || ".");
  const there = composedNames(names);
  const controls = control_directory === undefined ? undefined : besides(folder, `${control_directory}/`);
  const controlNames = controls === undefined ? [] : await files.listInputs(controls.replace(/\/$/, "") || ".");
  const videos: Video[] = [];
  const seen = new Map<string, string>();
  for (const path of names.filter((name) => folderOf(name) === directory && VIDEO.test(name))) {
    const place = path.slice(directory.length);
    const stem = stemOf(path);
    const first = seen.get(stem);
    seen.set(stem, path);
    if (first !== undefined) issues.push({ place, message: `${first} has the same name: captions and controls could not be told apart` });
    const [video, other] = controlNames.filter((name) => folderOf(name) === controls && stemOf(name) === stem && VIDEO.test(name));
    const isFolder = controlNames.some((name) => name.startsWith(`${controls}${stem}/`));
    const control = video ?? (isFolder ? `${controls}${stem}` : undefined);
    if (controls !== undefined && control === undefined)
      issues.push({ place, message: `${controls} has no video or folder called ${stem}` });
    if (other !== undefined) issues.push({ place, message: `its control may be ${video} or ${other}` });
    try {
      videos.push({ place, id: stem, path, caption: (await captionOf(files, there, path, caption_extension)) ?? "", control });
    } catch (error) {
      if (!(error instanceof AppError && error.code === "DATASET_TEXT")) throw error;
      issues.push({ place, message: error.message });
    }
  }
  if (seen.size === 0) issues.push({ place: directory || ".", message: "no videos are in it" });
  return videos;
}

interface Frames {
  readonly count: number;
  name(index: number): string;
}

const byName = new Intl.Collator("en", { numeric: true });

async function framesOf(files: Files, path: string): Promise<Frames> {
  if (VIDEO.test(path)) {
    if (!files.videos) throw new AppError("INPUT_VIDEO", `${path}: videos cannot be read here`);
    return { count: await files.videos.count(path), name: (index) => frameName(path, index) };
  }
  const pictures = (await files.listInputs(path)).filter((name) => isPictureName(name)).sort(byName.compare);
  if (pictures.length === 0) throw new AppError("INPUT_VIDEO", `${path} is no video, and no folder with pictures`);
  return { count: pictures.length, name: (index) => pictures[index] ?? "" };
}
