// What a training's checkpoint says besides its tensors, and the checksum that tells a damaged one. The file itself is safetensors.
import { createHash } from "node:crypto";
import { z } from "zod";

/** Metadata of a checkpoint. Tensors are called `param.NAME`, `m.NAME`, `v.NAME` (AdamW's moments) and `ema.NAME`. */
export const checkpointHeader = z.object({
  format: z.literal("whos-who.train"),
  version: z.literal("1"),
  /** Updates made. */
  step: z.coerce.number().int().nonnegative(),
  fingerprint: z.string(),
  /** JSON: numbers carried from update to update. */
  carried: z.string(),
  /** JSON: {@link checkpointLora}. Absent where no LoRA is trained. */
  lora: z.string().optional(),
  /** Checksum of names and numbers; older files have none. */
  sha256: z.string().optional(),
});

/** How the trained numbers make a LoRA: each layer's two tensors by name, and the file's metadata. */
export const checkpointLora = z.object({
  layers: z.array(z.object({ target: z.string(), a: z.string(), b: z.string(), scale: z.number() })),
  about: z.record(z.string(), z.string()),
});
export type CheckpointLora = z.infer<typeof checkpointLora>;

/** The checksum of a checkpoint: everything that decides the next update. Tensors are added in the order of their names. */
export class CheckpointSum {
  readonly #hash;

  constructor({ step, fingerprint, carried, lora }: Omit<z.infer<typeof checkpointHeader>, "format" | "version" | "sha256">) {
    this.#hash = createHash("sha256").update(JSON.stringify([String(step), fingerprint, carried, ...(lora === undefined ? [] : [lora])]));
  }

  add(name: string, bytes: Uint8Array): void {
    this.#hash.update(name).update(bytes);
  }

  /** Hexadecimal. */
  digest(): string {
    return this.#hash.digest("hex");
  }
}
