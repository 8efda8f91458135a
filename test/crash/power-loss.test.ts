// The power goes at every operation of a write: what was there stays whole, and what was answered is there.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAtomic, writeAtomic } from "../../engine/store/atomic-write.ts";
import { openRunDirectory } from "../../engine/store/run-directory.ts";
import { type LossyFileSystem, lossyFileSystem } from "./lossy-file-system.ts";

const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);
const bytes = (t: string) => new TextEncoder().encode(t);

let dir: string;
// Paths are checked on the real file system, which knows the folder and nothing in it.
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "power-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Runs `work` with the power lost at every operation, and once not at all. @param check gets whether the write was answered */
async function everyLoss(
  files: Readonly<Record<string, Uint8Array>>,
  work: (fs: LossyFileSystem) => Promise<unknown>,
  check: (left: ReadonlyMap<string, Uint8Array>, isAnswered: boolean) => void,
): Promise<void> {
  const whole = lossyFileSystem(files);
  await work(whole);
  expect(whole.count).toBeGreaterThan(3);
  for (let at = 0; at <= whole.count; at++) {
    const fs = lossyFileSystem(files, at);
    const isAnswered = await work(fs).then(
      () => true,
      () => false,
    );
    // Answered or not, the machine may go down right now.
    check(fs.afterPowerLoss(), isAnswered);
  }
}

test("a replaced file is wholly old or wholly new, and new when that was answered", async () => {
  const path = join(dir, "run.json");
  const seen = new Set<string | undefined>();
  await everyLoss(
    { [path]: bytes("old") },
    (fs) => writeAtomic(path, bytes("new"), fs),
    (left, isAnswered) => {
      seen.add(text(left.get(path)));
      expect(["old", "new"]).toContain(text(left.get(path)));
      if (isAnswered) expect(text(left.get(path))).toBe("new");
    },
  );
  expect(seen).toEqual(new Set(["old", "new"]));
});

test("a created file is absent or whole, and there when that was answered", async () => {
  const path = join(dir, "p_00001_.png");
  await everyLoss(
    {},
    (fs) => createAtomic(path, bytes("picture"), fs),
    (left, isAnswered) => {
      expect([undefined, "picture"]).toContain(text(left.get(path)));
      if (isAnswered) expect(text(left.get(path))).toBe("picture");
    },
  );
});

test.each([
  ["to what is there", { lines: "1\n" }],
  ["to a new file", {}],
])("a line that was appended %s is there when that was answered", async (_, before: { readonly lines?: string }) => {
  const path = join(dir, "metrics.jsonl");
  await everyLoss(
    before.lines === undefined ? {} : { [path]: bytes(before.lines) },
    async (fs) => (await openRunDirectory(dir, fs)).append("metrics.jsonl", "2"),
    (left, isAnswered) => {
      const lines = text(left.get(path)) ?? "";
      expect(lines.startsWith(before.lines ?? "")).toBe(true);
      if (isAnswered) expect(lines).toBe(`${before.lines ?? ""}2\n`);
    },
  );
});
