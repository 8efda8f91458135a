// Holds the arrows of docs/architecture.md: which folder may import which.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

/** Folder → folders it may import besides itself. Anything unlisted is refused, so a new folder must state its place. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  "engine/base": [],
  "engine/tensor": ["engine/base"],
  "engine/formats": ["engine/base", "engine/tensor"],
  "engine/ir": ["engine/base", "engine/tensor"],
  "engine/ops": ["engine/base", "engine/tensor", "engine/ir"],
  "engine/autodiff": ["engine/base", "engine/tensor", "engine/ir", "engine/ops"],
  "engine/onnx": ["engine/base", "engine/tensor", "engine/formats", "engine/ir", "engine/ops"],
  "engine/nn": ["engine/base", "engine/tensor", "engine/ir", "engine/ops", "engine/autodiff"],
  "engine/ort": ["engine/base", "engine/tensor", "engine/ir", "engine/ops", "engine/autodiff", "engine/onnx"],
  "engine/graph": ["engine/base"],
  "engine/node": ["engine/base", "engine/graph", "engine/ir", "engine/tensor"],
  "engine/api": ["engine/base", "engine/graph"],
  "engine/store": ["engine/base", "engine/tensor", "engine/formats", "engine/graph", "engine/node"],
  "engine/run": ["engine/base", "engine/tensor", "engine/formats", "engine/graph", "engine/node", "engine/ir", "engine/store"],
  "engine/host": ["engine/base", "engine/graph", "engine/node", "engine/store", "engine/run", "engine/ir"],
  "engine/app": [
    "engine/base",
    "engine/tensor",
    "engine/graph",
    "engine/node",
    "engine/store",
    "engine/run",
    "engine/host",
    "engine/formats",
    "engine/api",
  ],
  "engine/http": [
    "engine/base",
    "engine/graph",
    "engine/node",
    "engine/store",
    "engine/host",
    "engine/formats",
    "engine/api",
    "engine/app",
  ],
  "engine/cli": ["engine/app", "engine/base", "engine/graph", "engine/node", "engine/store", "engine/run", "engine/host", "engine/formats"],
  "ui/doc": ["engine/base", "engine/graph", "engine/node"],
  "ui/net": ["engine/base", "engine/graph", "engine/api"],
  "ui/state": ["engine/base", "engine/graph", "engine/node", "engine/api", "ui/doc", "ui/net"],
  "ui/canvas": ["engine/base", "engine/graph", "engine/node", "ui/doc"],
  // Only what is pure and shared among the nodes: the assignment is computed again while a threshold is dragged.
  "ui/panels": ["engine/base", "engine/graph", "engine/node", "engine/api", "nodes/shared", "ui/doc", "ui/net", "ui/state", "ui/canvas"],
  "ui/shell": ["engine/base", "engine/graph", "engine/node", "engine/api", "ui/doc", "ui/net", "ui/state", "ui/canvas", "ui/panels"],
  "nodes/shared": [
    "engine/base",
    "engine/graph",
    "engine/node",
    "engine/tensor",
    "engine/formats",
    "engine/ir",
    "engine/ops",
    "engine/autodiff",
    "engine/onnx",
    "engine/nn",
  ],
};
const FAMILY = [...(MAY["nodes/shared"] ?? []), "nodes/shared"];
/** Composition roots and places that look at everything. */
const FREE = new Set(["", "ui", "ui/gallery", "test", "bench", "tools"]);
/** Packages that only one folder may touch. */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  "onnxruntime-node": ["engine/ort"],
  "@comfyorg/litegraph": ["ui/canvas"],
  uplot: ["ui/panels"],
  sharp: ["nodes/shared"],
  "node:fs": ["engine/store", "engine/host", "engine/cli", "engine/app", "engine/http", "engine/ort"],
  "node:fs/promises": ["engine/store", "engine/host", "engine/cli", "engine/app", "engine/http"],
  "node:child_process": ["engine/host", "engine/cli"],
  "node:worker_threads": ["engine/host"],
};

function sources(dir: string): string[] {
  return readdirSync(join(root, dir), { withFileTypes: true }).flatMap((e) => {
    const path = join(dir, e.name);
    if (e.isDirectory()) return e.name === "node_modules" || e.name === "dist" || e.name.startsWith(".") ? [] : sources(path);
    return /\.tsx?$/.test(e.name) && !e.name.endsWith(".test.ts") ? [path] : [];
  });
}

/** `engine/ops`, `nodes/faces`, `test` …: the folder a file belongs to. */
function folderOf(file: string): string {
  const [top = "", second = ""] = file.split("/");
  if (!file.includes("/")) return "";
  return (top === "engine" || top === "nodes" || top === "ui") && file.split("/").length > 2 ? `${top}/${second}` : top;
}

const IMPORT = /^\s*(?:import|export)\b[^"';]*?from\s+"([^"]+)"|^\s*import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gm;

test("imports point down only", () => {
  const wrong: string[] = [];
  for (const file of ["engine", "nodes", "ui"].flatMap(sources)) {
    const folder = folderOf(file);
    if (FREE.has(folder) || ["nodes/index.ts", "nodes/implementations.ts"].includes(file)) continue;
    const allowed = folder.startsWith("nodes/") && folder !== "nodes/shared" ? FAMILY : MAY[folder];
    if (!allowed) {
      wrong.push(`${file}: folder ${folder} is not in the table`);
      continue;
    }
    for (const match of readFileSync(join(root, file), "utf8").matchAll(IMPORT)) {
      const target = match[1] ?? match[2] ?? match[3] ?? "";
      if (target.startsWith(".")) {
        const to = folderOf(relative(root, join(root, dirname(file), target)));
        if (to !== folder && !allowed.includes(to)) wrong.push(`${file} imports ${target} (${folder} may not import ${to || "the root"})`);
      } else {
        const only = ONLY[target];
        if (only && !only.includes(folder)) wrong.push(`${file} imports ${target} (only ${only.join(", ")} may)`);
      }
    }
  }
  expect(wrong).toEqual([]);
});

test("no file imports itself by way of others", () => {
  const imports = new Map<string, readonly string[]>();
  for (const file of ["engine", "nodes", "ui"].flatMap(sources)) {
    const targets = [...readFileSync(join(root, file), "utf8").matchAll(IMPORT)].map((m) => m[1] ?? m[2] ?? m[3] ?? "");
    imports.set(
      file,
      targets.filter((t) => t.startsWith(".")).map((t) => join(dirname(file), t)),
    );
  }
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" → "));
    if (path.includes(file) || done.has(file)) return;
    for (const target of imports.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  expect(circles).toEqual([]);
});
