import { z } from "zod";
import { DEVICES } from "../graph/devices.ts";

export const systemInfo = z.object({
  versions: z.object({ package: z.string(), node: z.string(), onnxruntime: z.string() }),
  device: z.enum(DEVICES),
  /** What the installed runtime could use. */
  devices: z.array(z.object({ name: z.string(), bundled: z.boolean() })),
  cores: z.number().int(),
  threads: z.number().int(),
  memory: z.object({
    /** Memory of the machine, or of its container. */
    totalBytes: z.number(),
    freeBytes: z.number(),
    /** Resident, of the compute process; null while there is none. */
    computeBytes: z.number().nullable(),
  }),
  disk: z.object({ freeBytes: z.number().nullable() }),
  folders: z.object({ input: z.string(), output: z.string(), models: z.array(z.string()), data: z.string() }),
  /** A new one with each start of the server. */
  boot: z.string(),
  /** The workflow named on the command line (`npm start -- FILE`): GET /api/opened gives it. */
  opened: z.string().nullable(),
});
export type SystemInfo = z.infer<typeof systemInfo>;

/** What the editor wants kept: any JSON object of at most 256 KiB. The server reads only `trackers`. */
export const settings = z.looseObject({
  /** Live copies of a training's curves; all off by default. */
  trackers: z
    .object({
      trackio: z.object({ url: z.url(), project: z.string() }).optional(),
      mlflow: z.object({ url: z.url(), experiment: z.string() }).optional(),
    })
    .optional(),
});
export type Settings = z.infer<typeof settings>;
