// Comparisons of two pictures by a person.
import { z } from "zod";

/** A picture below the output folder. */
const name = z.string().min(1).max(1024);

export const comparison = z.strictObject({
  image_win: name,
  image_lose: name,
  /** Whom or what both show: comparisons of one source stay together when some are held out. */
  source: z.string().min(1).max(200).optional(),
});
export type Comparison = z.infer<typeof comparison>;

/** What the file says: a person may have written it. */
const listed = z.object({ image_win: z.string(), image_lose: z.string(), source: z.string().optional() });

export const comparedPictures = comparison.omit({ source: true });

export const preferenceList = z.object({
  /** How a workflow names the file: the value of PreferenceDataset's `manifest`. */
  manifest: z.string(),
  comparisons: z.array(listed),
});

export const preferenceCount = z.object({ count: z.number().int() });
