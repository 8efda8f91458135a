import { join } from "node:path";
import { type FileSystem, nodeFileSystem } from "./file-system.ts";

export interface SweepLimits {
  readonly maxAgeMs: number;
  readonly maxBytes: number;
}

/** Previews are looked at soon or never. */
export const PREVIEW_LIMITS: SweepLimits = { maxAgeMs: 7 * 24 * 3600 * 1000, maxBytes: 2 ** 30 };

/** Removes files of a folder (not of folders in it) that are too old, and the oldest while all are too large. @returns how many */
export async function sweepFolder(folder: string, limits: SweepLimits, now: number, fs: FileSystem = nodeFileSystem): Promise<number> {
  const files: { path: string; size: number; mtimeMs: number }[] = [];
  for (const name of await fs.readdir(folder).catch(() => [])) {
    if (name.startsWith(".")) continue;
    const path = join(folder, name);
    const stat = await fs.stat(path).catch(() => undefined);
    if (stat?.isFile()) files.push({ path, size: stat.size, mtimeMs: stat.mtimeMs });
  }
  files.sort((a, b) => a.mtimeMs - b.mtimeMs);
  let total = files.reduce((sum, f) => sum + f.size, 0);
  let swept = 0;
  for (const { path, size, mtimeMs } of files) {
    if (now - mtimeMs <= limits.maxAgeMs && total <= limits.maxBytes) break;
    total -= size;
    await fs.unlink(path).then(
      () => swept++,
      () => undefined,
    );
  }
  return swept;
}
