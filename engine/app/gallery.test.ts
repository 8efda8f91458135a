// The starting points that come with the program: each is there, has a picture, and lacks nothing.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nodes } from "../../nodes/index.ts";
import { Registry } from "../node/registry.ts";
import { Gallery } from "./gallery.ts";

const ROOT = join(import.meta.dirname, "..", "..");

const places = (root: string) => ({ roots: [root], allowed: {} });

test("every starting point can be opened, has a picture, and runs at once on what comes with the program", async () => {
  const folder = join(ROOT, "graphs");
  const gallery = new Gallery({
    folder,
    registry: new Registry(nodes),
    inputs: places(join(folder, "input")),
    models: places(join(ROOT, "models")),
  });
  const points = await gallery.list();
  expect(points.length).toBeGreaterThanOrEqual(6);
  for (const { name, missing, picture, nodes: count } of points) {
    expect(missing, name).toEqual([]);
    expect(picture, name).not.toBeNull();
    expect(count, name).toBeGreaterThan(2);
    expect((await gallery.picture(name)).length, name).toBeGreaterThan(1000);
    expect((await gallery.get(name)).document, name).toBeTypeOf("object");
  }
});

test("a picture that is not there is none, and one that cannot be read is an error", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gallery-"));
  try {
    writeFileSync(join(folder, "gallery.json"), JSON.stringify([{ name: "a", title: "", summary: "" }]));
    writeFileSync(join(folder, "a.json"), "{}");
    const gallery = new Gallery({ folder, registry: new Registry(nodes), inputs: places(folder), models: places(folder) });
    await expect(gallery.picture("a")).rejects.toMatchObject({ code: "GRAPH_NOT_FOUND" });
    expect(await gallery.list()).toMatchObject([{ picture: null }]);
    mkdirSync(join(folder, "pictures/a.webp"), { recursive: true });
    await expect(gallery.picture("a")).rejects.toMatchObject({ code: "EISDIR" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
