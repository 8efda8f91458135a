// A file is wholly old or wholly new, whatever dies in between: temporary file, fsync, rename, fsync of the folder.
import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { codeOf, type FileSystem, nodeFileSystem } from "./file-system.ts";
import { processIsAlive } from "./process-id.ts";
import { storeError } from "./store-error.ts";

/** `.NAME.PID.RANDOM.tmp` */
const TEMPORARY = /^\..+\.(\d+)\.[0-9a-f]{12}\.tmp$/;

/** Replaces or creates a file. Its folder must exist. @throws AppError STORE_FULL, STORE_DENIED, STORE_NOT_FOUND, STORE_IO */
export async function writeAtomic(path: string, bytes: Uint8Array, fs: FileSystem = nodeFileSystem): Promise<void> {
  await withTemporary(path, bytes, fs, (temporary) => fs.rename(temporary, path));
}

/** Creates a file; false when the name is taken, in which case nothing changes. @throws AppError as {@link writeAtomic} */
export async function createAtomic(path: string, bytes: Uint8Array, fs: FileSystem = nodeFileSystem): Promise<boolean> {
  let created = true;
  await withTemporary(path, bytes, fs, async (temporary) => {
    try {
      // Unlike rename, link never replaces what another process has put there in the meantime.
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
  const temporary = join(folder, `.${basename(path).slice(0, 100)}.${process.pid}.${randomBytes(6).toString("hex")}.tmp`);
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

/** Makes a rename or a new name in the folder survive a power loss. Windows has no such thing. */
async function syncFolder(folder: string, fs: FileSystem): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await fs.open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes temporary files that dead processes left in a folder. @returns how many */
export async function sweepTemporary(folder: string, fs: FileSystem = nodeFileSystem): Promise<number> {
  let swept = 0;
  for (const name of await fs.readdir(folder).catch(() => [])) {
    const pid = TEMPORARY.exec(name)?.[1];
    if (pid === undefined || processIsAlive(Number(pid))) continue;
    await fs.unlink(join(folder, name)).then(
      () => swept++,
      () => undefined,
    );
  }
  return swept;
}
