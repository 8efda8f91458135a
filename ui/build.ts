// The page's bundle. The server calls this at its start; nothing is done when no source has changed.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";

const ROOT = join(import.meta.dirname, "..");
export const UI_DIST = join(import.meta.dirname, "dist");
const STAMP = join(UI_DIST, "sources.sha256");

/** What can end up in the bundle, or changes how it is made. */
const SOURCES = ["ui", "engine/base", "engine/graph", "engine/node", "engine/api", "nodes", "package-lock.json"];

/** Builds into `ui/dist` when it is absent or older than its sources. Returns whether it built. @throws Error with what the bundler says */
export async function buildUi(options: { readonly force?: boolean } = {}): Promise<boolean> {
  const hash = await sourceHash();
  if (!options.force && (await readFile(STAMP, "utf8").catch(() => "")) === hash) return false;
  const { build } = await import("vite");
  await build({
    configFile: false,
    root: import.meta.dirname,
    logLevel: "warn",
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    plugins: [
      {
        // litegraph evaluates what is typed into its number prompt. The prompt is never opened; the page's CSP would refuse it anyway.
        name: "no-eval",
        transform: (code, id) => (id.includes("@comfyorg/litegraph") ? code.replaceAll(/\beval\(/g, "Number(") : undefined),
      },
    ],
    build: {
      outDir: UI_DIST,
      emptyOutDir: true,
      target: "es2024",
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      chunkSizeWarningLimit: 4096,
    },
  });
  await mkdir(UI_DIST, { recursive: true });
  await writeFile(STAMP, hash);
  return true;
}

/** SHA-256 over names and contents of everything in {@link SOURCES}. */
async function sourceHash(): Promise<string> {
  const hash = createHash("sha256");
  const files = (await Promise.all(SOURCES.map((source) => filesBelow(join(ROOT, source))))).flat().sort();
  for (const file of files) hash.update(`${relative(ROOT, file)}\0`).update(await readFile(file));
  return hash.digest("hex");
}

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return [path];
  const all = await Promise.all(
    entries.map((e) => {
      if (e.name === "dist" || e.name === "node_modules" || e.name.endsWith(".test.ts")) return [];
      return e.isDirectory() ? filesBelow(join(path, e.name)) : [join(path, e.name)];
    }),
  );
  return all.flat();
}
