// The file operations that writing needs, as an interface: tests make each of them fail in turn.
import { link, mkdir, open, readdir, readFile, rename, stat, unlink, utimes } from "node:fs/promises";

export interface OpenFile {
  write(bytes: Uint8Array, offset: number, length: number, position: number | null): Promise<{ readonly bytesWritten: number }>;
  read(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  stat(): Promise<{ readonly size: number }>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface FileSystem {
  open(path: string, flags: "r" | "wx" | "a+"): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  /** Fails with EEXIST when `to` exists. */
  link(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes parents too; no error when it exists. */
  mkdir(path: string): Promise<void>;
  readdir(path: string): Promise<readonly string[]>;
  readFile(path: string): Promise<Uint8Array>;
  stat(path: string): Promise<{ readonly size: number; readonly mtimeMs: number; isFile(): boolean }>;
  utimes(path: string, atime: Date, mtime: Date): Promise<void>;
}

export const nodeFileSystem: FileSystem = {
  open,
  rename,
  link,
  unlink,
  mkdir: async (path) => void (await mkdir(path, { recursive: true })),
  readdir: (path) => readdir(path),
  readFile: (path) => readFile(path),
  stat: (path) => stat(path),
  utimes,
};

/** Undefined for what is not there. What cannot be reached for another reason (permission, too many open files, the disk) stays an error. */
export async function unlessAbsent<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) return undefined;
    throw error;
  }
}

/** Node's code of a failed operation, `ENOENT`; "" for anything else. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
