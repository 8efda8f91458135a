import { statfs } from "node:fs/promises";
import { dirname } from "node:path";

/** Bytes that may still be written below a folder, which need not exist yet. Undefined when the system does not tell. */
export async function freeSpace(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    const parent = dirname(folder);
    return parent === folder ? undefined : freeSpace(parent);
  }
}
