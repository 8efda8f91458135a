import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isSafeName, openRegular } from "./safe-path.ts";

const MAX_BYTES = 4 * 2 ** 20;

/** The files of one name in the folders directly below an output directory, by folder. Nothing is made; what cannot be read is left out. */
export async function runRecords(output: string, file: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  const names = await readdir(output, { withFileTypes: true }).catch(() => []);
  for (const { name } of names.filter((entry) => entry.isDirectory() && isSafeName(`${entry.name}/${file}`)).sort(byName)) {
    const opened = await openRegular(join(output, name, file)).catch(() => undefined);
    if (!opened) continue;
    try {
      if (opened.size <= MAX_BYTES) found.set(name, new Uint8Array(await opened.file.readFile()));
    } finally {
      await opened.file.close();
    }
  }
  return found;
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
