// Workflows that the user saved, starting points, and workflows inside pictures.
import { z } from "zod";
import { fileKind } from "./models.ts";

/** A name of letters, digits, spaces, `-`, `_`, `.`; no folders. */
export const graphName = z
  .string()
  .max(120)
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]*$/u);

export const graphInfo = z.object({
  /** A file of the user's own may have any name. */
  name: z.string(),
  /** Changes with every save. */
  revision: z.string(),
  /** Milliseconds since 1970. */
  modified: z.number(),
  nodes: z.number().int(),
  /** Why it can't be opened: its file is not readable, too large or no workflow. */
  problem: z.string().optional(),
});
export type GraphInfo = z.infer<typeof graphInfo>;

/** A workflow as it was saved: ComfyUI's UI format (0.4, 1.0) or API format. Read it with `readWorkflow`. */
export const savedGraph = z.object({ info: graphInfo, document: z.unknown() });

export const saveGraph = z.object({
  document: z.unknown(),
  /**
   * The revision this document is based on; null = the name must be new; absent = whatever is there is replaced.
   * Anything else is answered GRAPH_CHANGED (409), so that two tabs don't overwrite each other.
   */
  base: z.string().nullable().optional(),
});

/** A model or input file that a workflow names and that is not there. */
export const missingFile = z.object({
  /** Id of the node that names it. */
  node: z.string(),
  type: z.string(),
  input: z.string(),
  kind: fileKind,
  name: z.string(),
  /** Where to put it. */
  hint: z.string(),
});

export const startingPoint = z.object({
  name: z.string(),
  title: z.string(),
  /** One sentence. */
  summary: z.string(),
  /** URL of its picture on this server; null when it has none. */
  picture: z.string().nullable(),
  /** Empty: it runs at once. */
  missing: z.array(missingFile),
  nodes: z.number().int(),
});
export type StartingPoint = z.infer<typeof startingPoint>;

/** The workflow that made a picture. */
export const foundWorkflow = z.object({
  /** `ui` keeps positions; `api` is only what ran. */
  format: z.enum(["ui", "api"]),
  document: z.unknown(),
});
