import { z } from "zod";
import type { Issue } from "../base/issues.ts";

const path = z.array(z.union([z.string(), z.number()]));

/** {@link Issue} as it crosses the wire: `path` is [node id, input name …] for a workflow. */
export const issue = z.object({
  code: z.string(),
  path,
  message: z.string(),
  hint: z.string().exactOptional(),
}) satisfies z.ZodType<Issue>;

/** Body of every answer of 400 and above. `issues` when there is more than one thing to say (WORKFLOW_INVALID). */
export const errorBody = z.object({
  error: z.object({
    /** UPPER_SNAKE: what a program branches on. */
    code: z.string(),
    message: z.string(),
    /** What to do about it; "" when there is nothing to add. */
    hint: z.string(),
    path: path.optional(),
    issues: z.array(issue).optional(),
    warnings: z.array(issue).optional(),
  }),
});
export type ErrorBody = z.infer<typeof errorBody>;
