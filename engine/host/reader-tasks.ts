// What the reading child does for its parent: it opens files from strangers, so that the server need not.
import { z } from "zod";

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array);
const places = z.object({ roots: z.array(z.string()) });
const port = z.object({ name: z.string(), dtype: z.string(), shape: z.array(z.union([z.number(), z.string()])) });

/** Each task with what it takes and gives. Both cross a process border, and are parsed on the far side. */
export const readerTasks = {
  /** A picture at most `width` pixels across, as webp. */
  thumbnail: { asks: z.object({ path: z.string(), width: z.number(), opaque: z.boolean() }), gives: bytes },
  /** A picture with a mask as its transparency, as PNG. */
  masked: {
    asks: z.object({ path: z.string(), name: z.string(), mask: bytes, profile: z.enum(["ignore", "convert"]) }),
    gives: bytes,
  },
  /** Decodes a whole picture and says what it is. */
  picture: {
    asks: z.object({ bytes: bytes, name: z.string() }),
    gives: z.object({ format: z.enum(["png", "jpeg", "webp", "gif", "tiff", "avif", "bmp"]), width: z.number(), height: z.number() }),
  },
  /** The workflow inside a PNG, or JSON that is one; null when there is none. */
  workflow: {
    asks: z.object({ bytes: bytes }),
    gives: z.object({ format: z.enum(["ui", "api"]), text: z.string() }).nullable(),
  },
  model: {
    asks: z.object({ models: places, folder: z.string(), name: z.string() }),
    gives: z.object({
      format: z.enum(["safetensors", "gguf", "onnx", "json"]),
      metadata: z.record(z.string(), z.string()),
      parameters: z.number(),
      inputs: z.array(port),
      outputs: z.array(port),
    }),
  },
  /** Writes a LoRA from a training's checkpoint to `to`: both may be large. */
  lora: {
    asks: z.object({
      directory: z.string(),
      update: z.union([z.literal("best"), z.number()]).optional(),
      format: z.enum(["comfyui", "diffusers", "kohya"]),
      to: z.string(),
    }),
    gives: z.object({ name: z.string() }),
  },
} as const;

export type ReaderTask = keyof typeof readerTasks;
export type ReaderAsks<K extends ReaderTask> = z.infer<(typeof readerTasks)[K]["asks"]>;
export type ReaderGives<K extends ReaderTask> = z.infer<(typeof readerTasks)[K]["gives"]>;

/** The child's side. */
export type ReaderParts = { readonly [K in ReaderTask]: (asks: ReaderAsks<K>) => Promise<ReaderGives<K>> };

export const toReader = z.object({ id: z.number(), task: z.string(), asks: z.unknown() });
export const fromReader = z.object({
  id: z.number(),
  gives: z.unknown().optional(),
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
});
