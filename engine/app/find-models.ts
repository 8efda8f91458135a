import { ModelFolders } from "../store/model-folders.ts";

/** Every model of the folders, by kind and name. */
export async function findModels(
  roots: readonly string[],
): Promise<readonly { readonly folder: string; readonly name: string; readonly bytes: number }[]> {
  const folders = new ModelFolders({ roots });
  const out: { folder: string; name: string; bytes: number }[] = [];
  for (const folder of await folders.folders())
    for (const name of await folders.list(folder)) out.push({ folder, name, bytes: await folders.size(folder, name) });
  return out;
}
