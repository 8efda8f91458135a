import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { SetValue } from "./set-values.ts";

/**
 * Paths that the user typed after `--set`, by the text typed: they may name files outside the input and model folders. A workflow can't:
 * only what is on the command line is allowed, and only where the input names a file.
 */
export async function typedPaths(
  values: readonly SetValue[],
): Promise<{ readonly inputs: Record<string, string>; readonly models: Record<string, string> }> {
  const inputs: Record<string, string> = {};
  const models: Record<string, string> = {};
  for (const { value: typed, file } of values) {
    if (!file || typeof typed !== "string" || typed === "") continue;
    const path = resolve(typed);
    // Spelled as the workflow will name it.
    const value = typed.replaceAll("\\", "/");
    const about = await stat(path).catch(() => undefined);
    if (about?.isFile() && file.kind === "input") inputs[value] = path;
    else if (about && file.kind === "model") models[value] = path;
  }
  return { inputs, models };
}
