// A file system in memory that a power loss can strike: what was not synced is lost, contents and names apart.
import { dirname } from "node:path";
import type { FileSystem, OpenFile } from "../../engine/store/file-system.ts";

interface Inode {
  bytes: Uint8Array;
  /** What a power loss leaves. */
  synced: Uint8Array;
}

export interface LossyFileSystem extends FileSystem {
  /** Operations so far. */
  readonly count: number;
  /** Contents by path after a power loss now. */
  afterPowerLoss(): ReadonlyMap<string, Uint8Array>;
}

const failure = (code: string, path: string) => Object.assign(new Error(`${code}: ${path}`), { code });

/**
 * Folders exist from the start. A file's bytes survive when the file was synced after the write; its name (made, renamed or removed)
 * survives when its folder was synced after that, whatever was synced of the file.
 * @param files what is there, safely
 * @param stopAt every operation from this one on fails: the power is gone
 */
export function lossyFileSystem(files: Readonly<Record<string, Uint8Array>>, stopAt = Number.POSITIVE_INFINITY): LossyFileSystem {
  const names = new Map<string, Inode>();
  for (const [path, bytes] of Object.entries(files)) names.set(path, { bytes, synced: bytes });
  const syncedNames = new Map(names);
  let count = 0;
  const step = (path: string): void => {
    if (count++ >= stopAt) throw failure("EIO", path);
  };
  const inodeOf = (path: string): Inode => {
    const inode = names.get(path);
    if (!inode) throw failure("ENOENT", path);
    return inode;
  };
  const openFile = (inode: Inode, appends: boolean): OpenFile => ({
    async write(bytes, offset, length, position) {
      step("write");
      const at = appends || position === null ? inode.bytes.length : position;
      const grown = new Uint8Array(Math.max(inode.bytes.length, at + length));
      grown.set(inode.bytes);
      grown.set(bytes.subarray(offset, offset + length), at);
      inode.bytes = grown;
      return { bytesWritten: length };
    },
    async read(bytes, offset, length, position) {
      step("read");
      const part = inode.bytes.subarray(position, position + length);
      bytes.set(part, offset);
      return { bytesRead: part.length };
    },
    stat: async () => ({ size: inode.bytes.length }),
    async sync() {
      step("sync");
      inode.synced = inode.bytes;
    },
    close: async () => undefined,
  });
  const folder = (path: string): OpenFile => ({
    ...openFile({ bytes: new Uint8Array(), synced: new Uint8Array() }, false),
    async sync() {
      step(path);
      for (const name of syncedNames.keys()) if (dirname(name) === path && !names.has(name)) syncedNames.delete(name);
      for (const [name, inode] of names) if (dirname(name) === path) syncedNames.set(name, inode);
    },
  });
  return {
    get count() {
      return count;
    },
    afterPowerLoss: () => new Map([...syncedNames].map(([path, { synced }]) => [path, synced])),
    async open(path, flags) {
      step(path);
      const inode = names.get(path);
      if (flags === "wx" && inode) throw failure("EEXIST", path);
      if (flags === "r") return inode ? openFile(inode, false) : folder(path);
      const opened = inode ?? { bytes: new Uint8Array(), synced: new Uint8Array() };
      names.set(path, opened);
      return openFile(opened, flags === "a+");
    },
    async rename(from, to) {
      step(to);
      names.set(to, inodeOf(from));
      names.delete(from);
    },
    async link(from, to) {
      step(to);
      if (names.has(to)) throw failure("EEXIST", to);
      names.set(to, inodeOf(from));
    },
    async unlink(path) {
      step(path);
      inodeOf(path);
      names.delete(path);
    },
    mkdir: async (path) => step(path),
    async readdir(path) {
      step(path);
      return [...names.keys()].filter((name) => dirname(name) === path).map((name) => name.slice(path.length + 1));
    },
    async readFile(path) {
      step(path);
      return inodeOf(path).bytes;
    },
    async stat(path) {
      step(path);
      return { size: inodeOf(path).bytes.length, mtimeMs: 0, isFile: () => true };
    },
    utimes: async (path) => step(path),
  };
}
