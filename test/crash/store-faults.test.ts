// Every file operation of every kind of write fails once, by index: the file is wholly old or wholly new, and nothing leaks.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AppError } from "../../engine/base/errors.ts";
import type { FileSystem } from "../../engine/store/file-system.ts";
import { OutputDirectory } from "../../engine/store/output-directory.ts";
import { ResultStore } from "../../engine/store/result-store.ts";
import { openRunDirectory } from "../../engine/store/run-directory.ts";
import { FAULTS, faultyFileSystem } from "./faulty-file-system.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "store-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const OLD = new Uint8Array(5000).fill(1);
const NEW = new Uint8Array(7000).fill(2);

/** Runs `work` with every fault at every operation it makes. @returns how many runs that were */
async function everyFault(
  work: (fs: FileSystem) => Promise<unknown>,
  check: (outcome: { readonly error: unknown }) => void | Promise<void>,
): Promise<number> {
  const clean = faultyFileSystem("EIO", Number.POSITIVE_INFINITY);
  await work(clean);
  let runs = 0;
  for (const fault of FAULTS)
    for (let at = 0; at < clean.count; at++, runs++) {
      const fs = faultyFileSystem(fault, at);
      let error: unknown;
      try {
        await work(fs);
      } catch (thrown) {
        error = thrown;
      }
      expect(fs.openFiles, `${fault} at ${at}`).toBe(0);
      if (error !== undefined) {
        expect(error).toBeInstanceOf(AppError);
        if (error instanceof AppError) expect(error.code).toMatch(/^STORE_(FULL|DENIED|IO)$/);
      }
      await check({ error });
    }
  return runs;
}

test("saveAs: old or new", async () => {
  const path = join(dir, "run.json");
  const seen = new Set<string>();
  const runs = await everyFault(
    async (fs) => {
      writeFileSync(path, OLD);
      const output = await OutputDirectory.open(dir, fs);
      await output.saveAs("run.json", NEW);
    },
    ({ error }) => {
      const bytes = readFileSync(path);
      const state = bytes.equals(OLD) ? "old" : bytes.equals(NEW) ? "new" : "torn";
      seen.add(state);
      expect(["old", "new"]).toContain(state);
      if (error === undefined) expect(state).toBe("new");
    },
  );
  expect(runs).toBeGreaterThanOrEqual(40);
  expect(seen).toEqual(new Set(["old", "new"]));
});

test("save: a number is never given twice and no file is torn", async () => {
  writeFileSync(join(dir, "p_00003_.png"), OLD);
  let answered = 0;
  await everyFault(
    async (fs) => {
      const output = await OutputDirectory.open(dir, fs);
      const saved = await output.save("p", "png", NEW);
      expect(readFileSync(join(dir, saved.filename)).equals(NEW)).toBe(true);
      answered++;
    },
    () => {
      const names = readdirSync(dir).filter((n) => n.startsWith("p_"));
      expect(readFileSync(join(dir, "p_00003_.png")).equals(OLD)).toBe(true);
      for (const name of names.filter((n) => n !== "p_00003_.png")) expect(readFileSync(join(dir, name)).equals(NEW), name).toBe(true);
      expect(names.length - 1).toBeGreaterThanOrEqual(answered);
    },
  );
});

test("append: what was there stays, a torn line never swallows the next one", async () => {
  const path = join(dir, "metrics.jsonl");
  await everyFault(
    async (fs) => {
      writeFileSync(path, '{"step":1}\n');
      const run = await openRunDirectory(dir, fs);
      await run.append("metrics.jsonl", '{"step":2}');
    },
    async ({ error }) => {
      const lines = readFileSync(path, "utf8").split("\n");
      expect(lines[0]).toBe('{"step":1}');
      expect('{"step":2}'.startsWith(lines[1] ?? "")).toBe(true);
      if (error === undefined) expect(lines).toEqual(['{"step":1}', '{"step":2}', ""]);
      await (await openRunDirectory(dir)).append("metrics.jsonl", '{"step":3}');
      expect(readFileSync(path, "utf8").split("\n").slice(-2)).toEqual(['{"step":3}', ""]);
    },
  );
});

test("results: what was answered is there, what failed is absent or whole, and reading never throws", async () => {
  const options = { folder: join(dir, "cache"), budgetBytes: 1e6, salt: "s" };
  const result = { outputs: { IMAGE: new Float32Array([1, 2, 3]), big: 12n }, effects: [], opened: [] };
  let answered = 0;
  let absent = 0;
  await everyFault(
    (fs) => new ResultStore(options, fs).write("key", result, 100),
    async ({ error }) => {
      const seen = await new ResultStore(options).read("key");
      if (error === undefined) {
        answered++;
        expect(seen).toEqual(result);
      } else if (seen) expect(seen).toEqual(result);
      else absent++;
      rmSync(options.folder, { recursive: true, force: true });
    },
  );
  expect(answered).toBeGreaterThan(0);
  expect(absent).toBeGreaterThan(0);
});

test("a result that can't be read now is there later: only damage removes it", async () => {
  const options = { folder: join(dir, "cache"), budgetBytes: 1e6, salt: "s" };
  const result = { outputs: { IMAGE: new Float32Array([1, 2, 3]) }, effects: [], opened: [] };
  await new ResultStore(options).write("key", result, 100);
  let refused = 0;
  for (const read of ["read", "peek"] as const)
    for (const fault of ["EIO", "EMFILE", "EACCES"] as const) {
      const clean = faultyFileSystem(fault, Number.POSITIVE_INFINITY);
      await new ResultStore(options, clean)[read]("key");
      for (let at = 0; at < clean.count; at++) {
        const fs = faultyFileSystem(fault, at);
        if ((await new ResultStore(options, fs)[read]("key")) === undefined) refused++;
        expect(fs.openFiles, `${fault} at ${at}`).toBe(0);
        expect(await new ResultStore(options).read("key"), `${fault} at ${at} of ${read}`).toEqual(result);
      }
    }
  expect(refused).toBeGreaterThan(6);
});
