// Comparisons that the editor makes: the file that PreferenceDataset reads, in the output folder and nowhere else.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parsePreferences } from "../../nodes/realism/preference-manifest.ts";
import { startToyServer, stopToyServer, type ToyServer } from "./toy-server.ts";

let server: ToyServer;
let out = "";
beforeEach(async () => {
  server = await startToyServer();
  out = join(server.dir, "out");
  mkdirSync(join(out, "edit"), { recursive: true });
  for (const name of ["a.png", "b.png", "edit/c.png", "notes.txt"]) writeFileSync(join(out, name), name);
  writeFileSync(join(server.dir, "secret.png"), "no");
});
afterEach(() => stopToyServer(server));

const written = () => parsePreferences(readFileSync(join(out, "preferences.jsonl"), "utf8"));

test("chosen, listed, taken back; each is on disk before the answer", async () => {
  expect(await server.call("preferences", {})).toEqual({ manifest: "preferences.jsonl [output]", comparisons: [] });
  expect(await server.call("prefer", { body: { image_win: "a.png", image_lose: "b.png", source: "x/1" } })).toEqual({ count: 1 });
  expect(written()).toMatchObject({ issues: [], entries: [{ image_win: "a.png", image_lose: "b.png", source: "x/1" }] });
  await server.call("prefer", { body: { image_win: "edit/c.png", image_lose: "a.png" } });
  // Whichever won.
  expect(await server.call("unprefer", { query: { image_win: "b.png", image_lose: "a.png" } })).toEqual({ count: 1 });
  expect((await server.call("preferences", {})).comparisons).toEqual([{ image_win: "edit/c.png", image_lose: "a.png" }]);
});

test("twenty at once are all kept", async () => {
  for (let k = 0; k < 20; k++) writeFileSync(join(out, `k${k}.png`), "");
  await Promise.all(Array.from({ length: 20 }, (_, k) => server.call("prefer", { body: { image_win: "a.png", image_lose: `k${k}.png` } })));
  expect(written().entries).toHaveLength(20);
});

test("what cannot be a comparison is refused, and nothing is written", async () => {
  const ask = (image_win: string, image_lose: string) => server.call("prefer", { body: { image_win, image_lose } });
  await expect(ask("a.png", "a.png")).rejects.toThrow(/itself/);
  await expect(ask("a.png", "notes.txt")).rejects.toThrow(/no picture/);
  await expect(ask("a.png", "absent.png")).rejects.toThrow(/absent\.png/);
  await expect(ask("a.png", "../secret.png")).rejects.toThrow(/secret|plain|outside/);
  expect(existsSync(join(out, "preferences.jsonl"))).toBe(false);
  await ask("a.png", "b.png");
  await expect(ask("b.png", "a.png")).rejects.toThrow(/compared already/);
  await expect(server.call("unprefer", { query: { image_win: "a.png", image_lose: "edit/c.png" } })).rejects.toThrow(/not compared/);
  expect(written().entries).toHaveLength(1);
});

test("a file of something else is not written over", async () => {
  writeFileSync(join(out, "preferences.jsonl"), "a letter\n");
  await expect(server.call("prefer", { body: { image_win: "a.png", image_lose: "b.png" } })).rejects.toThrow(/no comparison: a letter/);
  expect(readFileSync(join(out, "preferences.jsonl"), "utf8")).toBe("a letter\n");
});
