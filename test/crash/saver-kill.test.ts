// kill -9 in the middle of saving: the file is one whole version, at least as new as the last one that was answered.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { randomSource } from "../../engine/base/random.ts";
import { OutputDirectory } from "../../engine/store/output-directory.ts";

const KILLS = 40;

test(`${KILLS} kills: no torn file, nothing answered is lost, leftovers are swept`, async () => {
  const random = randomSource(7);
  const dir = mkdtempSync(join(tmpdir(), "saver-"));
  let left = 0;
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      rmSync(join(dir, "state.bin"), { force: true });
      const child = fork(join(import.meta.dirname, "saver.ts"), [dir], { execArgv: [] });
      const answered = await killDuring(child, 1 + random.below(4), random.uniform() * 8);
      const bytes = readFileSync(join(dir, "state.bin"));
      expect(bytes.length).toBe(1 << 20);
      expect(bytes.every((b) => b === bytes[0])).toBe(true);
      // The killed saver may have got further than its last answer, by what was under way and unsaid.
      expect(bytes[0]).toBeGreaterThanOrEqual(answered);
      left += readdirSync(dir).filter((n) => n.endsWith(".tmp")).length;
      await OutputDirectory.open(dir);
      expect(readdirSync(dir)).toEqual(["state.bin"]);
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  expect(left, "some kills must hit a save under way").toBeGreaterThan(0);
});

/** Kills the child `ms` after it answered `version`. @returns the last version answered */
async function killDuring(child: ChildProcess, version: number, ms: number): Promise<number> {
  let answered = 0;
  const exit = once(child, "exit");
  child.on("message", (v) => {
    answered = Number(v);
    if (answered === version) setTimeout(() => child.kill("SIGKILL"), ms);
  });
  await exit;
  return answered;
}
