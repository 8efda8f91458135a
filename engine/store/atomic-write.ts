// A file is entirely old or entirely new, whatever is killed in between: temporary file, fsync, rename, fsync of the folder.
import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { codeOf, type FileSystem, nodeFileSystem } from "./file-system.ts";
import { ownerIsAlive, self } from "./owner.ts";
import { storeError } from "./store-error.ts";

/** `.NAME.MACHINE.PID.START.RANDOM.tmp` */
const TEMPORARY = /^\..+\.([0-9a-f]{16})\.(\d+)\.(\d*)\.[0-9a-f]{12}\.tmp$/;
/** A write takes seconds: one that another machine began this long ago was never finished. */
const FOREIGN_MS = 24 * 3600 * 1000;

/** Replaces or creates a file. Its folder must exist. @throws AppError STORE_FULL, STORE_DENIED, STORE_NOT_FOUND, STORE_IO */
export async function writeAtomic(path: string, bytes: Uint8Array, fs: FileSystem = nodeFileSystem): Promise<void> {
  await withTemporary(path, bytes, fs, (temporary) => fs.rename(temporary, path));
}

/** Creates a file; false when the name is taken, in which case nothing changes. @throws AppError as {@link writeAtomic} */
export async function createAtomic(path: string, bytes: Uint8Array, fs: FileSystem = nodeFileSystem): Promise<boolean> {
  let created = true;
  await withTemporary(path, bytes, fs, async (temporary) => {
    try {
      // Unlike rename, link never replaces a file that another process has put there in the meantime.
      await fs.link(temporary, path);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
      created = false;
    }
    await fs.unlink(temporary);
  });
  return created;
}

async function withTemporary(
  path: string,
  bytes: Uint8Array,
  fs: FileSystem,
  publish: (temporary: string) => Promise<void>,
): Promise<void> {
  const folder = dirname(path);
  const { machine, pid, start } = self;
  const temporary = join(folder, `.${basename(path).slice(0, 100)}.${machine}.${pid}.${start}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const file = await fs.open(temporary, "wx");
    try {
      for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at, at)).bytesWritten;
      await file.sync();
    } finally {
      await file.close();
    }
    await publish(temporary);
    await syncFolder(folder, fs);
  } catch (error) {
    await fs.unlink(temporary).catch(() => undefined);
    throw storeError("write", path, error);
  }
}

/** Makes a rename or a new name in the folder survive a power loss. Windows needs no such call. */
export async function syncFolder(folder: string, fs: FileSystem): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await fs.open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes temporary files that dead processes left in a folder; those of other machines when they are old. @returns how many */
export async function sweepTemporary(folder: string, fs: FileSystem = nodeFileSystem): Promise<number> {
  let swept = 0;
  for (const name of await fs.readdir(folder).catch(() => [])) {
    const found = TEMPORARY.exec(name);
    if (!found) continue;
    const [, machine = "", pid = "", start = ""] = found;
    const path = join(folder, name);
    const isAlive = ownerIsAlive({ machine, pid: Number(pid), start }) ?? (await isYoung(path, fs));
    if (isAlive) continue;
    await fs.unlink(path).then(
      () => swept++,
      () => undefined,
    );
  }
  return swept;
}

/** Whatever cannot be told may still be written. */
async function isYoung(path: string, fs: FileSystem): Promise<boolean> {
  return fs.stat(path).then(
    (stat) => Date.now() - stat.mtimeMs < FOREIGN_MS,
    () => true,
  );
}
