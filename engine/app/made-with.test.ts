import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { writePngText } from "../formats/png-metadata.ts";
import { writeSafetensors } from "../formats/safetensors.ts";
import { f32 } from "../tensor/tensor.ts";
import { readWorkflowFile } from "./load-workflow.ts";
import { madeWith } from "./made-with.ts";

const folder = mkdtempSync(join(tmpdir(), "made-with-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const graph = { 1: { class_type: "PrimitiveInt", inputs: { value: 9007199254740993n.toString() } } };
const prompt = JSON.stringify(graph);
/** The smallest PNG: one grey pixel. */
const PNG = Uint8Array.from(atob("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="), (c) =>
  c.charCodeAt(0),
);

test.each([
  ["a picture", () => file("a.png", writePngText(PNG, { prompt: graph })), "picture"],
  ["a LoRA", () => file("a.safetensors", writeSafetensors(new Map([["x", f32([1], [0])]]), { prompt, ss_steps: "5" })), "weights"],
  [
    "a run",
    () => file("run.json", JSON.stringify({ format: "whos-who.run", version: 1, workflow: { file: "/w/train.json" }, graph })),
    "run",
  ],
  ["a workflow", () => file("w.json", prompt), "workflow"],
] as const)("%s says which graph made it, and is run again by it", async (_, make, kind) => {
  const path = make();
  const made = await madeWith(path);
  expect(made.kind).toBe(kind);
  expect(JSON.parse(made.graph ?? "")).toEqual(graph);
  expect(made.origin).toBe(kind === "run" ? "/w/train.json" : undefined);
  const read = await readWorkflowFile(path);
  expect(read).toMatchObject({ ok: true, workflow: { format: "api" } });
  if (kind === "weights") expect(made.about).toMatchObject({ ss_steps: 5 });
});

test("a file that says nothing, and one that is not there", async () => {
  const bare = file("bare.safetensors", writeSafetensors(new Map([["x", f32([1], [0])]])));
  expect(await madeWith(bare)).toEqual({ kind: "weights", about: {} });
  await expect(readWorkflowFile(bare)).rejects.toMatchObject({ code: "USAGE_FILE" });
  await expect(madeWith(join(folder, "none.png"))).rejects.toMatchObject({ code: "USAGE_FILE" });
  await expect(madeWith(file("broken.safetensors", "abc"))).rejects.toMatchObject({ code: "FILE_SAFETENSORS_TOO_SHORT" });
});
