import type { RunDirectory } from "../engine/node/context.ts";

export interface MemoryDirectory extends RunDirectory {
  readonly files: Map<string, Uint8Array>;
  /** Changes made so far. */
  writes: number;
  /** Called before each change with its number; `line` is what is appended. What it throws, the change throws. */
  beforeWrite: ((n: number, file: string, line?: string) => void) | undefined;
}

/** A run directory in memory, with a hook that can fail at any change. Like the real one, an append after a torn line ends that first. */
export function memoryDirectory(): MemoryDirectory {
  const files = new Map<string, Uint8Array>();
  const change = (file: string, line?: string): void => {
    const n = dir.writes++;
    dir.beforeWrite?.(n, file, line);
  };
  const dir: MemoryDirectory = {
    path: "memory",
    files,
    writes: 0,
    beforeWrite: undefined,
    read: async (file) => files.get(file),
    async write(file, bytes) {
      change(file);
      files.set(file, bytes.slice());
    },
    async append(file, line) {
      change(file, line);
      const before = new TextDecoder().decode(files.get(file));
      const isTorn = before !== "" && !before.endsWith("\n");
      files.set(file, new TextEncoder().encode(`${before}${isTorn ? "\n" : ""}${line}\n`));
    },
    async appendBytes(file, bytes) {
      change(file);
      files.set(file, Buffer.concat([files.get(file) ?? new Uint8Array(), bytes]));
    },
    list: async () => [...files.keys()].sort(),
    async remove(file) {
      change(file);
      files.delete(file);
    },
  };
  return dir;
}
