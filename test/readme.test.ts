// What the README tells a newcomer to type works.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { z } from "zod";
import { f32 } from "../engine/tensor/tensor.ts";

const ROOT = join(import.meta.dirname, "..");
const README = readFileSync(join(ROOT, "README.md"), "utf8");
/** As deep as a folder of nodes, so that the imports lead where they say. */
const folder = join(ROOT, "nodes", `.readme-${process.pid}`);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const Node = z.looseObject({ type: z.literal("BestMatch"), run: z.custom<(inputs: object) => unknown>((f) => typeof f === "function") });

test("the node of two files, as it stands there, is a node and runs", async () => {
  const [declaration = "", body = ""] = [...README.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code ?? "");
  mkdirSync(folder);
  writeFileSync(join(folder, "best-match.node.ts"), declaration);
  writeFileSync(join(folder, "best-match.ts"), body);
  const { default: made } = z.object({ default: Node }).parse(await import(pathToFileURL(join(folder, "best-match.ts")).href));
  const similarity = { values: f32([1, 2], [0.25, 0.75]) };
  expect(made.run({ similarity, floor: -1 })).toEqual({ FLOAT: 0.75 });
  expect(made.run({ similarity, floor: 0.9 })).toEqual({ FLOAT: 0.9 });
});

test("every saved workflow, document and command it names is there", () => {
  const { scripts } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")));
  for (const [, name = ""] of README.matchAll(/npm run (?:-s )?([\w:]+)/g)) expect(scripts, name).toHaveProperty([name]);
  for (const [, path = ""] of README.matchAll(/\b((?:graphs|docs|models)\/[\w./-]*\w\.(?:json|md|png|svg))\b/g))
    expect(() => readFileSync(join(ROOT, path)), path).not.toThrow();
});
