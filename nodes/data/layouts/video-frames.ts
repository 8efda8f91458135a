// Frames of videos as pictures of a dataset: `clip.mp4#12` is frame 12 of clip.mp4.
import { AppError } from "../../../engine/base/errors.ts";
import type { NodeContext } from "../../../engine/node/context.ts";

export const VIDEO = /\.(mp4|mov|mkv|webm|avi|m4v|mpe?g|wmv|flv|ogv)$/i;
const FRAME = /^(.+)#(\d{1,9})$/;

export function frameName(video: string, index: number): string {
  return `${video}#${index}`;
}

/** Bytes of a picture, or of a frame that is named as {@link frameName} does. @throws AppError INPUT_*, VIDEO_* */
export function pictureReader({ readInput, videos }: Pick<NodeContext, "readInput" | "videos">): NodeContext["readInput"] {
  return async (name) => {
    const [, video, index] = FRAME.exec(name) ?? [];
    if (video === undefined || !VIDEO.test(video)) return readInput(name);
    if (!videos) throw new AppError("INPUT_VIDEO", `${name}: videos cannot be read here`);
    return videos.frame(video, Number(index));
  };
}

/** musubi-tuner's rules: which windows of frames a video gives. */
export interface FrameRules {
  readonly extraction: "head" | "chunk" | "slide" | "uniform" | "full";
  /** Lengths of windows. */
  readonly lengths: readonly number[];
  readonly stride: number;
  readonly samples: number;
}

/** The first frame of each window, each once, in order: what an image model can be trained on. */
export function windowStarts(count: number, { extraction, lengths, stride, samples }: FrameRules): readonly number[] {
  if (count < 1) return [];
  if (extraction === "full" || extraction === "head") return extraction === "full" || lengths.some((n) => n <= count) ? [0] : [];
  const starts = lengths.flatMap((length) => {
    const last = count - length;
    if (last < 0) return [];
    if (extraction === "chunk") return Array.from({ length: Math.floor(count / length) }, (_, k) => k * length);
    if (extraction === "slide") return Array.from({ length: Math.floor(last / stride) + 1 }, (_, k) => k * stride);
    // More samples than frames give each frame once.
    const wanted = Math.min(samples, count);
    return Array.from({ length: wanted }, (_, k) => (wanted === 1 ? 0 : Math.floor((k * last) / (wanted - 1))));
  });
  return [...new Set(starts)].sort((a, b) => a - b);
}
