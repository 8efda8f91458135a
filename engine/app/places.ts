// Where things are: data, models, inputs.
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import type { Program } from "./program.ts";

/** Whether the package is installed as a dependency or globally; else it is a checkout. */
export function isInstalled(root: string): boolean {
  return /[\\/]node_modules[\\/]/.test(root);
}

/** Journal and kept results: WHOSWHO_DATA, else `.cache/graph` of a checkout, else the user's cache folder. */
export function dataFolder({ root }: Program): string {
  const { WHOSWHO_DATA, XDG_CACHE_HOME } = process.env;
  if (WHOSWHO_DATA) return resolve(WHOSWHO_DATA);
  return isInstalled(root) ? join(XDG_CACHE_HOME || join(homedir(), ".cache"), "whos-who") : join(root, ".cache", "graph");
}

/** Model folders in the order they are searched. */
export function modelRoots({ root }: Program, options: readonly string[] | undefined): string[] {
  const fromEnvironment = (process.env.WHOSWHO_MODELS ?? "").split(delimiter).filter((path) => path !== "");
  return [...(options ?? []), ...fromEnvironment, join(root, "models")].map((path) => resolve(path));
}
