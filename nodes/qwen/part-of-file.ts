import type { WeightFile } from "../../engine/node/context.ts";

/** The tensors of a file whose names begin with a prefix, as a file of its own; undefined when there are none. */
export function partOfFile(file: WeightFile, prefix: string): WeightFile | undefined {
  const tensors = new Map(
    [...file.tensors].flatMap(([name, entry]) => {
      const own = name.slice(prefix.length);
      return name.startsWith(prefix) ? [[own, { ...entry, name: own }] as const] : [];
    }),
  );
  if (tensors.size === 0) return undefined;
  return {
    name: file.name,
    fingerprint: `${file.fingerprint}:${prefix}`,
    metadata: file.metadata,
    tensors,
    // What lies beside a checkpoint belongs to the whole of it.
    text: () => Promise.resolve(undefined),
    read: (name) => file.read(prefix + name),
    readRows: (name, rows) => file.readRows(prefix + name, rows),
  };
}
