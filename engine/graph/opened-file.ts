// Files that a result was made from and that its cache key does not cover.
import { z } from "zod";

/** By the name that was asked for. */
export const openedFile = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("input"), name: z.string() }),
  z.object({ kind: z.literal("model"), folder: z.string(), name: z.string() }),
  /** A text of a model: see WeightFile.text. */
  z.object({ kind: z.literal("text"), folder: z.string(), name: z.string(), path: z.string() }),
  /** External data of a model, by its real path. */
  z.object({ kind: z.literal("external"), path: z.string() }),
]);
export type OpenedFile = z.infer<typeof openedFile>;

/** `identity` is null when the file was looked for and not found. */
export const opened = z.object({ file: openedFile, identity: z.string().nullable() });
export type Opened = z.infer<typeof opened>;

/** What a file is now; null when there is none. */
export type Identify = (file: OpenedFile) => Promise<string | null>;
