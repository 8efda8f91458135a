import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { InputFiles } from "./input-files.ts";

const root = mkdtempSync(join(tmpdir(), "inputs-"));
mkdirSync(join(root, "a/deep"), { recursive: true });
mkdirSync(join(root, "out/saved"), { recursive: true });
for (const file of ["top.txt", "a/z.png", "a/b.png", "a/deep/c.png", "a/.hidden", "out/saved/x.png"]) writeFileSync(join(root, file), file);
symlinkSync(join(root, "a"), join(root, "a/deep/circle"));
symlinkSync(join(root, "nowhere"), join(root, "a/dangling"));
const inputs = new InputFiles({ roots: [join(root, "absent"), root], output: join(root, "out") });

test("a folder's files are listed by the names that read takes, sorted; hidden ones, circles and links to nothing are passed over", async () => {
  const names = await inputs.list("a");
  expect(names).toEqual(["a/b.png", "a/deep/c.png", "a/z.png"]);
  for (const name of names) expect(new TextDecoder().decode(await inputs.read(name))).toBe(name);
  expect(await inputs.list("a/deep")).toEqual(["a/deep/c.png", "a/deep/circle/b.png", "a/deep/circle/z.png"]);
  expect(await inputs.list(".")).toContain("top.txt");
});

test("what a run saved is listed too", async () => {
  const [name = ""] = await inputs.list("saved [output]");
  expect(name).toBe("saved/x.png [output]");
  expect(await inputs.read(name)).toHaveLength("out/saved/x.png".length);
});

test("a folder that is not there, is a file, or leads out is refused", async () => {
  await expect(inputs.list("b")).rejects.toThrow(/no input folder "b"/);
  await expect(inputs.list("top.txt")).rejects.toThrow(/no input folder/);
  await expect(inputs.list("../etc")).rejects.toMatchObject({ code: "PATH_UNSAFE" });
});
