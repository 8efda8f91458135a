import { parseArgs } from "node:util";
import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";

const DTYPES = { cpu: "float32", webgpu: "float16", cuda: "bfloat16" } as const;

const list = z.string().transform((s) => s.split(",").map(Number));
const schema = z.object({
  device: z.enum(["cpu", "webgpu", "cuda"]).default("cpu"),
  /** Of weights, matrix products and attention; the residual stream, norms and adapters stay float32. */
  dtype: z.enum(["float32", "float16", "bfloat16"]).optional(),
  dim: z.coerce.number().int().positive().default(3072),
  heads: z.coerce.number().int().positive().default(24),
  tokens: list.pipe(z.array(z.int().min(16)).min(1)).default([1024, 4600, 8412]),
  rank: z.coerce.number().int().positive().default(16),
  /** Side of the square products whose rate is the machine's peak. */
  peak: z.coerce.number().int().positive().default(4096),
  /** MiB copied to and from the device. */
  copy: z.coerce.number().int().positive().default(64),
  /** Repetitions after two warm-ups; the minimum counts. */
  runs: z.coerce.number().int().positive().default(5),
});

export type ProbeOptions = z.infer<typeof schema> & { readonly dtype: "float32" | "float16" | "bfloat16" };

/** @throws AppError USAGE */
export function probeOptions(args: readonly string[]): ProbeOptions {
  const names = Object.keys(schema.shape);
  const { values } = parseArgs({ args: [...args], options: Object.fromEntries(names.map((name) => [name, { type: "string" as const }])) });
  const parsed = schema.safeParse(values);
  if (!parsed.success)
    throw new AppError("USAGE", z.prettifyError(parsed.error), { hint: `options: ${names.map((n) => `--${n}`).join(" ")}` });
  const { data } = parsed;
  if (data.dim % (2 * data.heads) !== 0) throw new AppError("USAGE", `${data.heads} heads do not divide ${data.dim} evenly`);
  return { ...data, dtype: data.dtype ?? DTYPES[data.device] };
}
