// What the documents name exists: every path, and in architecture.md every identifier too.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const SKIPPED = new Set(["node_modules", "dist", ".git", "runs", "out"]);

/** Files and folders below the root, relative to it. */
function tree(dir: string = root): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((e) => {
    const path = join(dir, e.name);
    if (SKIPPED.has(e.name)) return [];
    return [relative(root, path), ...(e.isDirectory() ? tree(path) : [])];
  });
}

const paths = tree();
const sources = paths.filter((p) => /\.(tsx?|mjs|css)$/.test(p)).map((p) => readFileSync(join(root, p), "utf8"));
const everything = [...sources, readFileSync(join(root, "package.json"), "utf8")].join("\n");
const documents = paths.filter((p) => /^(docs\/.*|[^/]*)\.md$/.test(p));
/** Made by a command, so not there in a fresh copy. */
const MADE = new Set(["ui/dist", "nodes/matching/best-match.node.ts", "nodes/matching/best-match.ts"]);

/** Code spans of a document, those in blocks left out. */
function codeSpans(file: string): readonly string[] {
  const text = readFileSync(join(root, file), "utf8").replace(/^```[\s\S]*?^```$/gm, "");
  return [...text.matchAll(/`([^`\n]+)`/g)].map((m) => m[1] ?? "");
}

/** Top folders, and those that a path may be told from when the sentence is about them. */
const ROOMS = ["", "engine/", "nodes/", "nodes/train/", "nodes/qwen/", "nodes/diffusion/", "ui/"];
const TOP = new Set(
  paths.filter((p) => !p.includes("/")).concat(paths.filter((p) => /^(engine|nodes)\/[^/]+$/.test(p)).map((p) => p.split("/")[1] ?? "")),
);
const isThere = (path: string): boolean => ROOMS.some((room) => existsSync(join(root, room, path)));

/** `engine/graph/plan.ts`, `loop/checkpoint.ts`, `mimr-value.ts`: what can only be a file or folder of this project. */
function isPath(span: string): boolean {
  if (!/^[\w.-]+(\/[\w.-]+)*\/?$/.test(span) || MADE.has(span) || span.startsWith("NAME.")) return false;
  return /\.tsx?$/.test(span) || (span.includes("/") && TOP.has(span.split("/")[0] ?? ""));
}

test("every path in a document exists", () => {
  const lost = documents.flatMap((file) =>
    codeSpans(file)
      .filter(isPath)
      .filter((span) => !isThere(span) && (span.includes("/") || !paths.some((p) => p.endsWith(`/${span}`))))
      .map((span) => `${file}: ${span}`),
  );
  expect(lost).toEqual([]);
});

test("every link of a document leads to a file", () => {
  const lost = documents.flatMap((file) =>
    [...readFileSync(join(root, file), "utf8").matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
      .map((m) => m[1] ?? "")
      .filter((to) => !existsSync(join(root, file, "..", to)))
      .map((to) => `${file}: ${to}`),
  );
  expect(lost).toEqual([]);
});

test("every command in a document names a script that exists", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> };
  const lost = documents.flatMap((file) => {
    const text = readFileSync(join(root, file), "utf8");
    const runs = [...text.matchAll(/npm run ([\w:-]+)/g)].map((m) => m[1] ?? "").filter((name) => !Object.hasOwn(scripts, name));
    const nodes = [...text.matchAll(/(?:^|[`\s])node ([\w/-]+\.m?[tj]s)/g)]
      .map((m) => m[1] ?? "")
      .filter((path) => !existsSync(join(root, path)));
    return [...runs, ...nodes].map((name) => `${file}: ${name}`);
  });
  expect(lost).toEqual([]);
});

test("every identifier in architecture.md is in the sources", () => {
  const names = codeSpans("docs/architecture.md").flatMap((span) => span.match(/[A-Za-z]\w{3,}/g) ?? []);
  const lost = [...new Set(names)].filter(
    (name) => !isPath(name) && !new RegExp(`\\b${name}\\b`).test(everything) && !paths.some((p) => p.includes(name)),
  );
  expect(lost).toEqual([]);
});
