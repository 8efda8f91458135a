import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockData } from "./data-lock.ts";
import { EventLog } from "./event-log.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "events-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

test("numbers go up over restarts and are never used again", () => {
  const path = join(dir, "e.sqlite");
  const log = new EventLog(path, { keep: 3 });
  expect([log.last, log.reaches(0)]).toEqual([0, true]);
  for (const n of [1, 2, 3, 4, 5]) expect(log.append(n % 2 ? "odd" : "even", String(n))).toBe(n);
  log.close();
  const again = new EventLog(path, { keep: 3 });
  expect(again.last).toBe(5);
  expect(again.after(2, 10).map((e) => e.seq)).toEqual([3, 4, 5]);
  expect([0, 1, 2, 4, 5, 6].map((seq) => again.reaches(seq))).toEqual([false, false, true, true, true, false]);
  expect(again.of("odd").map((e) => e.event)).toEqual(["3", "5"]);
  expect(again.append("odd", "6")).toBe(6);
  again.close();
  const none = new EventLog(path, { keep: 0 });
  expect([none.last, none.reaches(6), none.append("", "7")]).toEqual([6, true, 7]);
  none.close();
});

test("what a killed process appended is there", () => {
  const path = join(dir, "e.sqlite");
  const script = `import { EventLog } from ${JSON.stringify(join(import.meta.dirname, "event-log.ts"))};
    const log = new EventLog(${JSON.stringify(path)}); for (let i = 0; i < 100; i++) log.append("r", "x"); process.kill(process.pid, "SIGKILL");`;
  expect(() => execFileSync(process.execPath, ["--input-type=module", "-e", script])).toThrow();
  const log = new EventLog(path);
  expect(log.of("r").length).toBe(100);
  log.close();
});

test("one server per data folder; a killed one leaves no lock", () => {
  const script = (then: string) => `import { lockData } from ${JSON.stringify(join(import.meta.dirname, "data-lock.ts"))};
    lockData(${JSON.stringify(dir)}); ${then}`;
  const run = (then: string) => execFileSync(process.execPath, ["--input-type=module", "-e", script(then)], { stdio: "pipe" });
  expect(() => run("process.kill(process.pid, 'SIGKILL')")).toThrow();
  lockData(join(dir, "not", "there", "yet"))();
  const release = lockData(dir);
  expect(() => run("")).toThrow(/STORE_LOCKED|another server/);
  release();
  run("");
});
