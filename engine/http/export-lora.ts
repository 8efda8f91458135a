import { randomUUID } from "node:crypto";
import { mkdir, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { ReaderHost } from "../host/reader-host.ts";
import type { ReaderAsks } from "../host/reader-tasks.ts";
import type { BytesAnswer } from "./mount.ts";
import { fileHeaders } from "./served-type.ts";

/** A state of gigabytes is read whole for its checksum. */
const TASK_MS = 10 * 60_000;

/** Made in the reading child, in a file that is gone once it is sent. @throws AppError EXPORT_*, TRAIN_CHECKPOINT, STORE_* */
export async function exportLora(
  { reader, data }: { readonly reader: ReaderHost; readonly data: string },
  asked: Omit<ReaderAsks<"lora">, "to">,
): Promise<BytesAnswer> {
  const folder = join(data, "exports");
  await mkdir(folder, { recursive: true });
  const id = randomUUID();
  const to = join(folder, `${id}.safetensors`);
  const { name } = await reader.ask("lora", { ...asked, to }, TASK_MS);
  const file = await open(to, "r");
  // Whoever has it open reads on.
  await unlink(to);
  const { size } = await file.stat();
  return { headers: fileHeaders(name, true), content: { file, bytes: size }, etag: `"${id}"` };
}
