// Files below the roots a browser may see. A file is named by root and relative name; no route takes a path.
import { z } from "zod";

/** `input`: what the user gave. `output`: what runs saved. `temp`: previews, which are deleted when the server next starts.
 * `run`: `ID/NAME`, what a run of the command line saved in a folder of its own. */
export const fileRoot = z.enum(["input", "output", "temp", "run"]);
export type FileRoot = z.infer<typeof fileRoot>;

/** What nodes save and show (ComfyUI's triple): the file `subfolder/filename` below its root. */
export const fileRef = z.object({ filename: z.string(), subfolder: z.string(), type: fileRoot });
export type FileRef = z.infer<typeof fileRef>;

/** `/api/files/output/subfolder/name.png`, each part encoded. `width`: a thumbnail of at most that many pixels across, as webp. */
export function fileUrl({ filename, subfolder, type }: FileRef, width?: number): string {
  const parts = [...subfolder.split("/").filter((part) => part !== ""), filename];
  return `/api/files/${type}/${parts.map(encodeURIComponent).join("/")}${width === undefined ? "" : `?width=${width}`}`;
}

export const fileInfo = z.object({
  ref: fileRef,
  bytes: z.number(),
  /** Milliseconds since 1970. */
  modified: z.number(),
  /** By the file's name; pictures have thumbnails. */
  kind: z.enum(["picture", "text", "json", "other"]),
});
export type FileInfo = z.infer<typeof fileInfo>;

export const fileList = z.object({
  /** Newest first. */
  files: z.array(fileInfo),
  /** Pass as `after` for the next page; null at the end. */
  next: z.string().nullable(),
});

/** Widths that thumbnails are made in: the next larger one is served. */
export const THUMBNAIL_WIDTHS = [64, 128, 256, 512, 1024] as const;
