import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { unlessAbsent } from "../store/file-system.ts";
import { storeError } from "../store/store-error.ts";
import type { SetValue } from "./set-values.ts";

/**
 * Paths that the user typed after `--set`, by the text typed: they may name files outside the input and model folders. A workflow can't:
 * only what is on the command line is allowed, and only where the input names a file. A name that nothing here has may be one below a root.
 * @throws AppError STORE_* when it cannot be told whether anything is there
 */
export async function typedPaths(
  values: readonly SetValue[],
): Promise<{ readonly inputs: Record<string, string>; readonly folders: Record<string, string>; readonly models: Record<string, string> }> {
  const inputs: Record<string, string> = {};
  const folders: Record<string, string> = {};
  const models: Record<string, string> = {};
  for (const { value: typed, file } of values) {
    if (!file || typeof typed !== "string" || typed === "") continue;
    const path = resolve(typed);
    // Spelled as the workflow will name it.
    const value = typed.replaceAll("\\", "/");
    const about = await unlessAbsent(stat(path)).catch((error: unknown) => {
      throw storeError("open", path, error);
    });
    if (about?.isFile() && file.kind === "input") inputs[value] = path;
    // A dataset's pictures lie beside its list, or in the folder itself.
    if (about && file.kind === "input" && file.holds === "dataset") {
      if (about.isDirectory()) folders[value.replace(/\/+$/, "")] = path;
      else folders[value.slice(0, Math.max(0, value.lastIndexOf("/")))] = dirname(path);
    } else if (about && file.kind === "model") models[value] = path;
  }
  return { inputs, folders, models };
}
