// Frames of videos as pictures, a folder per video: what ClipsDataset reads.
import type { Stats } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";
import { AppError } from "../base/errors.ts";
import { ONLY_VIDEOS, runFfmpeg } from "../host/ffmpeg.ts";
import { unlessAbsent } from "../store/file-system.ts";
import { storeError } from "../store/store-error.ts";
import { type Command, EXIT } from "./command.ts";
import { readArgs } from "./read-args.ts";

const USAGE = "graph frames VIDEO|FOLDER --out DIR [--fps N]";
const VIDEO = /\.(mp4|mov|mkv|webm|avi|m4v|mpe?g|ts|wmv)$/i;

/** Videos whose folder is there are left as they are: a run that was stopped goes on. */
export const frames: Command = async (args) => {
  const { values, positionals } = readArgs(args, { out: { type: "string" }, fps: { type: "string", default: "1" } }, [1, 1], USAGE);
  const source = resolve(positionals[0] ?? "");
  if (values.out === undefined) throw new AppError("USAGE_OPTION", "--out is missing", { hint: USAGE });
  const output = resolve(values.out);
  const fps = Number(values.fps);
  if (!(fps > 0 && fps <= 120))
    throw new AppError("USAGE_OPTION", `--fps ${values.fps} is no number of frames per second`, { hint: "for example 1, or 0.5" });
  const about = await look(source);
  if (!about) throw new AppError("USAGE_FILE", `there is no ${source}`, { hint: USAGE });
  const videos = about.isDirectory()
    ? (await readdir(source))
        .filter((name) => VIDEO.test(name))
        .sort()
        .map((name) => join(source, name))
    : [source];
  if (videos.length === 0)
    throw new AppError("USAGE_FILE", `${source} holds no video`, { hint: "mp4, mov, mkv, webm, avi and the like are read" });
  await mkdir(output, { recursive: true });
  let failed = 0;
  for (const video of videos) {
    const folder = join(output, basename(video, extname(video)));
    if (await look(folder)) {
      console.log(`${folder}: there already`);
      continue;
    }
    // A folder has its name when it is whole.
    const unfinished = join(output, `.${basename(folder)}.part`);
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished);
    const error = await extract(video, unfinished, fps);
    const count = (await readdir(unfinished)).length;
    if (error !== undefined || count === 0) {
      console.error(`${video}: ${error ?? "no frame came out of it"}`);
      await rm(unfinished, { recursive: true, force: true });
      failed++;
      continue;
    }
    await rename(unfinished, folder);
    console.log(`${folder}: ${count} frames`);
  }
  return failed > 0 ? EXIT.failed : EXIT.ok;
};

/** Undefined when nothing is there. @throws AppError STORE_* */
async function look(path: string): Promise<Stats | undefined> {
  return unlessAbsent(stat(path)).catch((error: unknown) => {
    throw storeError("open", path, error);
  });
}

/** @returns what ffmpeg says when it fails @throws AppError VIDEO_FFMPEG when there is none */
async function extract(video: string, folder: string, fps: number): Promise<string | undefined> {
  try {
    await runFfmpeg("ffmpeg", [
      "-nostdin",
      "-v",
      "error",
      ...ONLY_VIDEOS,
      "-i",
      video,
      "-vf",
      `fps=${fps}`,
      "-q:v",
      "2",
      join(folder, "%06d.jpg"),
    ]);
    return undefined;
  } catch (error) {
    if (error instanceof AppError && error.code === "VIDEO_READ") return error.message;
    throw error;
  }
}
