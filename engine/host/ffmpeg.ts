// Frames of videos, by the ffmpeg that the machine has. Programs are started without a shell.
import { spawn } from "node:child_process";
import { AppError } from "../base/errors.ts";
import { codeOf } from "../store/file-system.ts";

/**
 * Only containers that hold their frames themselves: a playlist that calls itself .mp4 could name any file of the machine.
 * @see ffmpeg's documentation of `format_whitelist` and `protocol_whitelist`
 */
export const ONLY_VIDEOS = ["-protocol_whitelist", "file", "-format_whitelist", "mov,matroska,webm,avi,mpeg,mpegvideo,mpegts,asf,ogg,flv"];

/** A frame of 16,384² in PNG is far below. */
const MAX_OUTPUT = 512 * 2 ** 20;

/** @returns its output @throws AppError VIDEO_FFMPEG when it is not installed or cannot be started, VIDEO_READ with its last line when it fails */
export async function runFfmpeg(program: "ffmpeg" | "ffprobe", args: readonly string[]): Promise<Uint8Array> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const output: Uint8Array[] = [];
  let bytes = 0;
  let text = "";
  child.stdout.on("data", (chunk: Uint8Array) => {
    bytes += chunk.length;
    if (bytes > MAX_OUTPUT) child.kill();
    else output.push(chunk);
  });
  child.stderr.on("data", (chunk) => {
    text = `${text}${String(chunk)}`.slice(-4000);
  });
  const ended = await new Promise<string | undefined>((done, refuse) => {
    child.on("error", (cause) =>
      refuse(
        codeOf(cause) === "ENOENT"
          ? new AppError("VIDEO_FFMPEG", "ffmpeg is needed to read videos, and is not installed", { hint: "apt-get install ffmpeg", cause })
          : new AppError("VIDEO_FFMPEG", `${program} cannot be started: ${cause.message}`, { cause }),
      ),
    );
    child.on("close", (code, signal) => done(code === 0 ? undefined : `${program} ended with ${signal ?? code}`));
  });
  if (bytes > MAX_OUTPUT) throw new AppError("VIDEO_READ", `${program} gave more than ${MAX_OUTPUT} bytes`);
  if (ended !== undefined) throw new AppError("VIDEO_READ", text.trim().split("\n").at(-1) || ended);
  return new Uint8Array(Buffer.concat(output));
}

/** How many frames a video has: its packets are counted. @param name for messages @throws AppError VIDEO_* */
export async function countFrames(path: string, name: string): Promise<number> {
  const args = ["-v", "error", ...ONLY_VIDEOS, "-select_streams", "v:0", "-count_packets", "-show_entries", "stream=nb_read_packets"];
  const text = new TextDecoder().decode(await named(name, runFfmpeg("ffprobe", [...args, "-of", "csv=p=0", path])));
  const count = Number.parseInt(text, 10);
  if (!(count > 0)) throw new AppError("VIDEO_READ", `${name} holds no frames of a video`);
  return count;
}

/** One frame as PNG. @param index from 0 @throws AppError VIDEO_* */
export async function readFrame(path: string, index: number, name: string): Promise<Uint8Array> {
  const args = ["-nostdin", "-v", "error", ...ONLY_VIDEOS, "-i", path, "-vf", `select=eq(n\\,${index})`, "-frames:v", "1"];
  const png = await named(name, runFfmpeg("ffmpeg", [...args, "-f", "image2pipe", "-c:v", "png", "-"]));
  if (png.length === 0) throw new AppError("VIDEO_READ", `${name} has no frame ${index}`);
  return png;
}

async function named<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AppError && error.code === "VIDEO_READ")
      throw new AppError("VIDEO_READ", `${name} cannot be read: ${error.message}`, { cause: error });
    throw error;
  }
}
