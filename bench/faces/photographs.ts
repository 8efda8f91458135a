import { z } from "zod";

const box = z.tuple([z.number(), z.number(), z.number(), z.number()]);

/** What photographs show, counted by eye: boxes [x0, y0, x1, y1] in pixels of the upright picture. */
export const listOfPhotographs = z.array(
  z.strictObject({
    /** Below the folder of the photographs. */
    file: z.string(),
    faces: z.array(
      z.strictObject({
        box,
        /** The same text in another picture means the same person, photographed on another day. */
        person: z.string().optional(),
      }),
    ),
    /** May be found or not: turned away, or too blurred to tell. */
    unclear: z.array(box).default([]),
  }),
);

export type Photograph = z.infer<typeof listOfPhotographs>[number];
