// The starting points that come with the program: each is there, has a picture, and lacks nothing.
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
