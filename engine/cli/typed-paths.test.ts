import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { frames } from "./frames.ts";
import { typedPaths } from "./typed-paths.ts";

const dir = mkdtempSync(join(tmpdir(), "typed-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
symlinkSync("circle", join(dir, "circle"));
writeFileSync(join(dir, "a.png"), "");

const typed = (value: string) => typedPaths([{ node: "1", input: "image", value, file: { kind: "input" } }]);

test("what is there is allowed, what is not is left to the roots, and what cannot be looked at is an error", async () => {
  expect((await typed(join(dir, "a.png"))).inputs).toEqual({ [join(dir, "a.png")]: join(dir, "a.png") });
  expect((await typed(join(dir, "b.png"))).inputs).toEqual({});
  expect((await typed(join(dir, "a.png/c.png"))).inputs).toEqual({});
  await expect(typed(join(dir, "circle/a.png"))).rejects.toMatchObject({ code: "STORE_IO", message: expect.stringContaining("ELOOP") });
});

test("graph frames: a source that cannot be looked at is not said to be absent", async () => {
  const program = {
    root: "",
    nodes: async () => [],
    worker: new URL("file:///"),
    runtimeInfo: async () => ({ version: "", backends: [] }),
  };
  const of = (source: string) => frames([join(dir, source), "--out", join(dir, "out")], program);
  await expect(of("absent.mp4")).rejects.toMatchObject({ code: "USAGE_FILE" });
  await expect(of("circle/a.mp4")).rejects.toMatchObject({ code: "STORE_IO" });
});
