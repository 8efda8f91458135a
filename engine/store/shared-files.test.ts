import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { GraphFiles } from "./graph-files.ts";
import { SharedFiles } from "./shared-files.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "shared-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const put = (name: string, bytes: number, modified = 1000): void => {
  mkdirSync(join(dir, name, ".."), { recursive: true });
  writeFileSync(join(dir, name), new Uint8Array(bytes));
  utimesSync(join(dir, name), modified, modified);
};

test("files are listed newest first, by name where the time is the same; links, hidden and skipped ones are not", async () => {
  put("one/b.png", 2);
  put("one/a.png", 1);
  put("one/deep/new.png", 3, 2000);
  put("one/.hidden/x.png", 1);
  put("one/.lease", 1);
  put("one/skip/x.png", 1);
  put("two/a.png", 9, 3000);
  put("two/other.png", 4, 500);
  symlinkSync(join(dir, "one", "a.png"), join(dir, "one", "link.png"));
  const files = new SharedFiles([join(dir, "one"), join(dir, "absent"), join(dir, "two")]);
  const listed = await files.list((name) => name === "skip");
  // The first root that has a name wins.
  expect(listed.map(({ name, bytes }) => [name, bytes])).toEqual([
    ["deep/new.png", 3],
    ["a.png", 1],
    ["b.png", 2],
    ["other.png", 4],
  ]);
  expect(listed[0]?.modified).toBe(2_000_000);
});

test("links below a root are followed for reading where that is asked for; a circle ends; nothing is removed over one", async () => {
  put("mnt/photos/a.png", 3, 2000);
  put("mnt/b.png", 2, 1000);
  mkdirSync(join(dir, "in"));
  symlinkSync(join(dir, "mnt", "photos"), join(dir, "in", "photos"));
  symlinkSync(join(dir, "mnt", "b.png"), join(dir, "in", "b.png"));
  symlinkSync(join(dir, "in"), join(dir, "in", "circle"));
  symlinkSync(join(dir, "nowhere"), join(dir, "in", "dangling.png"));
  symlinkSync("/dev/zero", join(dir, "in", "zero.png"));
  const files = new SharedFiles([join(dir, "in")], "follow");
  expect((await files.list()).map((f) => [f.name, f.bytes])).toEqual([
    ["photos/a.png", 3],
    ["b.png", 2],
  ]);
  for (const [name, bytes] of [
    ["photos/a.png", 3],
    ["b.png", 2],
  ] as const) {
    const opened = await files.open(name);
    await opened.file.close();
    expect(opened.bytes).toBe(bytes);
    await expect(files.remove(name)).rejects.toMatchObject({ code: "FILE_KEPT" });
  }
  expect(readdirSync(join(dir, "mnt"))).toEqual(["b.png", "photos"]);
  await expect(files.open("zero.png")).rejects.toMatchObject({ code: "PATH_UNSAFE" });
  await expect(files.open("dangling.png")).rejects.toMatchObject({ code: "STORE_LINK" });
  // Nobody can tell what is behind it, so it is not said to be absent.
  symlinkSync("round", join(dir, "in", "round"));
  await expect(files.open("round/a.png")).rejects.toMatchObject({ code: "STORE_IO" });
  for (const name of ["../mnt/b.png", join(dir, "mnt/b.png"), "photos/../../mnt/b.png"])
    await expect(files.open(name)).rejects.toMatchObject({ code: "PATH_UNSAFE" });
  // A new file is never written through a link.
  expect((await files.add("new.png", Uint8Array.of(1))).name).toBe("new.png");
  await expect(files.add("dangling.png", Uint8Array.of(1))).rejects.toMatchObject({ code: "PATH_UNSAFE" });
  expect(readdirSync(dir).sort()).toEqual(["in", "mnt"]);
  await files.remove("new.png");
  const refusing = new SharedFiles([join(dir, "in")]);
  expect(await refusing.list()).toEqual([]);
  await expect(refusing.open("b.png")).rejects.toMatchObject({ code: "PATH_UNSAFE" });
});

test("folders are listed to a depth of six", async () => {
  put("one/1/2/3/4/5/in.png", 1);
  put("one/1/2/3/4/5/6/out.png", 1);
  expect((await new SharedFiles([join(dir, "one")]).list()).map((f) => f.name)).toEqual(["1/2/3/4/5/in.png"]);
});

test("a file keeps its name unless other bytes have it", async () => {
  const files = new SharedFiles([join(dir, "in")]);
  const names = [];
  for (const bytes of [[1], [1], [2], [3, 3], [2]]) names.push((await files.add("a.b.png", Uint8Array.from(bytes))).name);
  expect(names).toEqual(["a.b.png", "a.b.png", "a.b (2).png", "a.b (3).png", "a.b (2).png"]);
  expect((await files.add(".png", Uint8Array.of(1))).name).toBe(".png");
  expect((await files.add(".png", Uint8Array.of(2))).name).toBe(".png (2)");
  expect(readFileSync(join(dir, "in", "a.b (3).png")).length).toBe(2);
});

test("opens and removes what is there, in the first root that has it", async () => {
  put("one/a.png", 1);
  put("two/a.png", 2);
  const files = new SharedFiles([join(dir, "one"), join(dir, "two")]);
  const opened = await files.open("a.png");
  await opened.file.close();
  expect(opened).toMatchObject({ name: "a.png", bytes: 1, modified: 1_000_000 });
  await files.remove("a.png");
  expect(readdirSync(join(dir, "one"))).toEqual([]);
  expect(await files.path("a.png")).toBe(join(dir, "two", "a.png"));
  await files.remove("a.png");
  await expect(files.remove("a.png")).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  for (const name of ["../a.png", "x//y", ""]) await expect(files.path(name)).rejects.toMatchObject({ code: "PATH_UNSAFE" });
  for (const name of ["../a.png", "x//y", ""])
    await expect(new SharedFiles([join(dir, "absent")]).path(name)).rejects.toMatchObject({ code: "PATH_UNSAFE" });
});

test("graphs: a save names the revision it is based on, and replaces no other", async () => {
  const graphs = new GraphFiles(join(dir, "graphs"));
  expect(await graphs.list()).toEqual([]);
  const first = await graphs.save("b", "1", null);
  await expect(graphs.save("b", "2", null)).rejects.toMatchObject({ code: "GRAPH_CHANGED", hint: "choose another name, or replace it" });
  await expect(graphs.save("b", "2", "other")).rejects.toMatchObject({ code: "GRAPH_CHANGED" });
  await expect(graphs.save("new", "2", first.revision)).rejects.toMatchObject({ code: "GRAPH_CHANGED" });
  const second = await graphs.save("b", "2", first.revision);
  expect(second.revision).not.toBe(first.revision);
  expect(await graphs.save("b", "3", undefined)).toMatchObject({ name: "b", text: "3" });
  await graphs.save("a", "4", null);
  writeFileSync(join(dir, "graphs", ".hidden.json"), "5");
  writeFileSync(join(dir, "graphs", "notes.txt"), "6");
  mkdirSync(join(dir, "graphs", "folder.json"));
  expect((await graphs.list()).map((g) => [g.name, "text" in g ? g.text : g.problem])).toEqual([
    ["a", "4"],
    ["b", "3"],
    ["folder", expect.stringMatching(/not a regular file/)],
  ]);
  expect((await graphs.get("a")).text).toBe("4");
  await graphs.remove("a");
  for (const gone of [graphs.get("a"), graphs.remove("a")]) await expect(gone).rejects.toMatchObject({ code: "GRAPH_NOT_FOUND" });
  for (const name of ["x/y", "../x"]) await expect(graphs.get(name)).rejects.toMatchObject({ code: "PATH_UNSAFE" });
});
