// What a node may show (`node.shown`'s `ui`, ComfyUI's dictionary of lists). Readers ignore keys they do not know.
import { z } from "zod";
import { fileRef } from "./files.ts";

const box = z.tuple([z.number(), z.number(), z.number(), z.number()]);
const faceShown = z.object({
  /** Index of the picture in the batch. */
  image: z.number().int(),
  /** [x0, y0, x1, y1] in pixels. */
  box,
  /** Detector confidence, 0..1. */
  score: z.number(),
});

/** Faces of a batch of pictures; `pictures[i]` is the i-th. */
export const facesShown = z.object({
  pictures: z.array(fileRef),
  sizes: z.array(z.object({ width: z.number(), height: z.number() })),
  faces: z.array(faceShown),
});

export type FacesShown = z.infer<typeof facesShown>;

/** Who is who. Rows are references, columns are faces of the picture. */
export const matchShown = z.object({
  references: facesShown,
  generated: facesShown,
  /** Cosine, [references][faces], -1..1. */
  cosine: z.array(z.array(z.number())),
  /** For encoders compared by distance: those, [references][faces]. */
  distances: z.array(z.array(z.number())).nullable(),
  /** What the assignment makes least in sum, [references][faces]: minus the cosine, and the price of standing elsewhere. */
  costs: z.array(z.array(z.number())),
  /** Same person up to this distance where there are distances, else from this cosine on; null = every pair is accepted. */
  threshold: z.number().nullable(),
  /** Pairs beyond the threshold are not assigned at all. */
  gate: z.boolean(),
  /** The face that stands where each reference should, by place alone; -1 = none. Null when no places are planned. */
  byPlace: z.array(z.number().int()).nullable(),
  pairs: z.array(z.object({ reference: z.number().int(), generated: z.number().int(), cosine: z.number(), accepted: z.boolean() })),
  unmatchedReferences: z.array(z.number().int()),
  unmatchedGenerated: z.array(z.number().int()),
});
export type MatchShown = z.infer<typeof matchShown>;

/** A picture's score by a reward; `gradient` is a picture of |d reward / d pixel|, white = strongest. */
export const scoreShown = z.object({
  value: z.number(),
  parts: z.record(z.string(), z.number()),
  picture: fileRef,
  gradient: fileRef.nullable(),
  /** Why the reward had nothing to say; `value` is 0 then. */
  skip: z.string().optional(),
});
export type ScoreShown = z.infer<typeof scoreShown>;

export const shown = z.object({
  images: z.array(fileRef).optional(),
  text: z.array(z.string()).optional(),
  faces: z.array(facesShown).optional(),
  match: z.array(matchShown).optional(),
  score: z.array(scoreShown).optional(),
  /** A training's run directory, below the output folder. */
  training: z.array(z.object({ directory: z.string(), updates: z.number().int() })).optional(),
});
export type Shown = z.infer<typeof shown>;
