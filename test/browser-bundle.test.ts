// The editor loads every node's declaration: nothing of what a node does may come with it.
import { builtinModules } from "node:module";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
/** Declarations, zod, engine/graph, engine/node and engine/api. The editor's whole budget is 600 kB. */
const MAX_GZIP_BYTES = 120_000;

/** Modules of the bundle by path, and its code. */
async function bundle(): Promise<{ readonly modules: readonly string[]; readonly code: string }> {
  const modules: string[] = [];
  const built = await build({
    root,
    configFile: false,
    logLevel: "silent",
    plugins: [
      {
        name: "modules",
        generateBundle: (_options, chunks) => {
          for (const chunk of Object.values(chunks)) if (chunk.type === "chunk") modules.push(...Object.keys(chunk.modules));
        },
      },
    ],
    build: { write: false, minify: true, lib: { entry: join(root, "test/fixtures/browser-entry.ts"), formats: ["es"] } },
  });
  const [result] = Array.isArray(built) ? built : [built];
  if (!result || !("output" in result)) throw new Error("vite built nothing");
  return { modules, code: result.output.map((chunk) => ("code" in chunk ? chunk.code : "")).join("\n") };
}

test("declarations load in a browser: no sharp, no node module, no body, and they are small", async () => {
  const { modules, code } = await bundle();
  const own = modules.filter((id) => id.startsWith(root) && !id.includes("node_modules")).map((id) => relative(root, id));
  expect(own.filter((id) => id.endsWith(".node.ts")).length).toBeGreaterThan(50);
  // The names of the learning rate's shapes and of the LoRA formats stand beside what makes them.
  expect(own.filter((id) => /^engine\/(?!base|graph|node|api)/.test(id)).sort()).toEqual([
    "engine/formats/lora-formats.ts",
    "engine/nn/lr-schedule.ts",
  ]);
  expect(modules.filter((id) => id.includes("node_modules") && !/node_modules\/(zod|@noble\/hashes)\//.test(id))).toEqual([]);
  const names = [...builtinModules, "sharp", "onnxruntime-node"].flatMap((name) => [name, `node:${name}`]);
  const imported = [...code.matchAll(/(?:from|import|require)\s*\(?\s*["'`]([^"'`]+)["'`]/g)].map((m) => m[1] ?? "");
  expect([...imported, ...modules].filter((name) => names.includes(name) || name.includes("browser-external"))).toEqual([]);
  expect(gzipSync(code).length).toBeLessThan(MAX_GZIP_BYTES);
});
