import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { z } from "zod";
import { isInstalled } from "./places.ts";
import type { Program } from "./program.ts";

export interface Versions {
  readonly package: string;
  readonly node: string;
  readonly onnxruntime: string;
}

const packageJson = z.object({ version: z.string() });
const versionIn = (path: string): string => packageJson.parse(JSON.parse(readFileSync(path, "utf8"))).version;

/** Versions of this package, Node and the installed runtime (from its package.json, because loading the runtime takes longer). */
export async function versionsOf({ root }: Program): Promise<Versions> {
  const own = join(root, "package.json");
  let onnxruntime = "not installed";
  try {
    // Its package.json is not exported, but it is in a folder above the entry point.
    for (let folder = dirname(createRequire(own).resolve("onnxruntime-node")); folder !== dirname(folder); folder = dirname(folder))
      if (folder.endsWith("onnxruntime-node")) {
        onnxruntime = versionIn(join(folder, "package.json"));
        break;
      }
  } catch {
    // `graph doctor` says more.
  }
  return { package: versionIn(own), node: process.version, onnxruntime };
}

/** Identity of the program: results kept by other code are not used. In a checkout, of every source file as it is now. */
export function codeIdentity({ root }: Program, versions: Versions): string {
  const hash = createHash("sha256").update(JSON.stringify(versions));
  if (!isInstalled(root))
    for (const top of ["engine", "nodes"])
      for (const file of readdirSync(join(root, top), { recursive: true, encoding: "utf8" }).sort()) {
        if (!file.endsWith(".ts") || file.endsWith(".test.ts")) continue;
        const { size, mtimeMs } = statSync(join(root, top, file));
        hash.update(`${top}/${file}:${size}:${mtimeMs}\n`);
      }
  return hash.digest("hex");
}
