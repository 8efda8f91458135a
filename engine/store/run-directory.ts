import { dirname, join } from "node:path";
import { AppError } from "../base/errors.ts";
import type { RunDirectory } from "../node/context.ts";
import { sweepTemporary, syncFolder, writeAtomic } from "./atomic-write.ts";
import { codeOf, type FileSystem, nodeFileSystem } from "./file-system.ts";
import { resolveInside } from "./safe-path.ts";
import { storeError } from "./store-error.ts";

/** Opens (and makes) a run's folder. Names may hold folders: `samples/00010.png`. @throws AppError STORE_*; its methods PATH_UNSAFE too */
export async function openRunDirectory(path: string, fs: FileSystem = nodeFileSystem): Promise<RunDirectory> {
  const makeFolder = async (folder: string): Promise<void> => {
    await fs.mkdir(folder).catch((error: unknown) => {
      throw storeError("make the folder", folder, error);
    });
  };
  await makeFolder(path);
  await sweepTemporary(path, fs);
  const at = (file: string): Promise<string> => resolveInside(path, file);
  const toWrite = async (file: string): Promise<string> => {
    if (file.includes("/")) await makeFolder(dirname(await at(file)));
    return at(file);
  };
  return {
    path,
    async read(file) {
      const full = await at(file);
      try {
        return await fs.readFile(full);
      } catch (error) {
        if (codeOf(error) === "ENOENT") return undefined;
        throw storeError("read", full, error);
      }
    },
    write: async (file, bytes) => writeAtomic(await toWrite(file), bytes, fs),
    append: async (file, line) => appendLine(await toWrite(file), line, fs),
    appendBytes: async (file, bytes) => appendBytes(await toWrite(file), bytes, fs),
    async list() {
      const names = await filesBelow(path, "", fs).catch((error: unknown) => {
        throw storeError("list", path, error);
      });
      return names.sort();
    },
    async remove(file) {
      const full = await at(file);
      await fs.unlink(full).catch((error: unknown) => {
        if (codeOf(error) !== "ENOENT") throw storeError("remove", full, error);
      });
    },
  };
}

async function filesBelow(root: string, below: string, fs: FileSystem): Promise<string[]> {
  const out: string[] = [];
  for (const name of await fs.readdir(join(root, below))) {
    if (name.startsWith(".")) continue;
    const file = below === "" ? name : `${below}/${name}`;
    if ((await fs.stat(join(root, file))).isFile()) out.push(file);
    else if (below.split("/").length < 4) out.push(...(await filesBelow(root, file, fs)));
  }
  return out;
}

/** Appends one whole line, synced. A line that a killed process left unfinished is ended first, so that this one does not become part of it. */
async function appendLine(path: string, line: string, fs: FileSystem): Promise<void> {
  if (line.includes("\n")) throw new AppError("STORE_LINE", `a line for ${path} contains a line break`);
  try {
    const file = await fs.open(path, "a+");
    try {
      const { size } = await file.stat();
      const last = new Uint8Array(1);
      const isTorn = size > 0 && (await file.read(last, 0, 1, size - 1)).bytesRead === 1 && last[0] !== 0x0a;
      await writeAll(file, new TextEncoder().encode(`${isTorn ? "\n" : ""}${line}\n`));
      await file.sync();
      // A new file survives a power loss only when its name does.
      if (size === 0) await syncFolder(dirname(path), fs);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw storeError("append to", path, error);
  }
}

async function appendBytes(path: string, bytes: Uint8Array, fs: FileSystem): Promise<void> {
  try {
    const file = await fs.open(path, "a+");
    try {
      await writeAll(file, bytes);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw storeError("append to", path, error);
  }
}

async function writeAll(file: Awaited<ReturnType<FileSystem["open"]>>, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at, null)).bytesWritten;
}
