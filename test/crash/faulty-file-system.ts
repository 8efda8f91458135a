import { type FileSystem, nodeFileSystem, type OpenFile } from "../../engine/store/file-system.ts";

export type Fault = "EIO" | "EMFILE" | "ENOSPC" | "EACCES" | "short write" | "crash";
export const FAULTS: readonly Fault[] = ["EIO", "ENOSPC", "EACCES", "short write", "crash"];

export interface FaultyFileSystem extends FileSystem {
  /** Operations so far. */
  readonly count: number;
  /** Files opened and not closed. */
  readonly openFiles: number;
}

/**
 * A file system whose operation number `at` (from 0) goes wrong: fails with a code, writes one byte only, or is the last thing
 * that ever works ("crash": it and everything after it fail, and nothing is cleaned up).
 */
export function faultyFileSystem(fault: Fault, at: number): FaultyFileSystem {
  let count = 0;
  let openFiles = 0;
  const step = (name: string): void => {
    const now = count++;
    if (fault === "crash" ? now >= at : fault !== "short write" && now === at) {
      const code = fault === "crash" ? "EIO" : fault;
      throw Object.assign(new Error(`${code}: injected, ${name}`), { code });
    }
  };
  const wrapFile = (file: OpenFile): OpenFile => {
    openFiles++;
    return {
      async write(bytes, offset, length, position) {
        const short = fault === "short write" && count === at;
        step("write");
        return file.write(bytes, offset, short ? 1 : length, position);
      },
      async read(bytes, offset, length, position) {
        step("read");
        return file.read(bytes, offset, length, position);
      },
      async stat() {
        step("fstat");
        return file.stat();
      },
      async sync() {
        step("sync");
        return file.sync();
      },
      // Even a failed close gives the descriptor back (close(2)).
      async close() {
        openFiles--;
        await file.close();
        step("close");
      },
    };
  };
  const { open, rename, link, unlink, mkdir, readdir, readFile, stat, utimes } = nodeFileSystem;
  const counted =
    <A extends readonly unknown[], R>(name: string, work: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      step(name);
      return work(...args);
    };
  return {
    open: async (path, flags) => {
      step("open");
      return wrapFile(await open(path, flags));
    },
    rename: counted("rename", rename),
    link: counted("link", link),
    unlink: counted("unlink", unlink),
    mkdir: counted("mkdir", mkdir),
    readdir: counted("readdir", readdir),
    readFile: counted("readFile", readFile),
    stat: counted("stat", stat),
    utimes: counted("utimes", utimes),
    get count() {
      return count;
    },
    get openFiles() {
      return openFiles;
    },
  };
}
