import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Registry } from "../engine/node/registry.ts";
import { implementations } from "./implementations.ts";
import { nodes } from "./index.ts";

test("every declaration is in the list, and the registry takes them all", async () => {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".node.ts"));
  const declared = await Promise.all(files.map(async (file) => (await import(join(import.meta.dirname, file))).default.type));
  const registry = new Registry(nodes);
  expect(declared.filter((type) => !registry.node(type))).toEqual([]);
  expect(registry.types().length).toBe(declared.length);
});

test("every declaration has its body, and no body another declaration", () => {
  const bodies = new Registry(implementations);
  for (const node of nodes) {
    const { run: _run, dryRun: _dryRun, ...declaration } = bodies.node(node.type) ?? { run: undefined };
    expect(declaration).toEqual(node);
  }
  expect(implementations.length).toBe(nodes.length);
});
