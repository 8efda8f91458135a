import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Registry } from "../engine/node/registry.ts";
import { nodes } from "./index.ts";

test("every node file is in the list, and the registry takes them all", () => {
  const index = readFileSync(join(import.meta.dirname, "index.ts"), "utf8");
  const missing = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .filter((file) => readFileSync(join(import.meta.dirname, file), "utf8").includes("export default defineNode"))
    .filter((file) => !index.includes(`"./${file}"`));
  expect(missing).toEqual([]);
  expect(new Registry(nodes).types().length).toBe(nodes.length);
});
