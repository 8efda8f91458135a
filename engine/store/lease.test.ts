import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sweepTemporary } from "./atomic-write.ts";
import { nodeFileSystem } from "./file-system.ts";
import { Journal } from "./journal.ts";
import { STALE_MS, takeLease } from "./lease.ts";
import { self } from "./owner.ts";
import { PREVIEW_LIMITS, sweepFolder } from "./sweep-folder.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lease-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const path = () => join(dir, ".lease");
const put = (change: object) =>
  writeFileSync(path(), JSON.stringify({ ...self, token: "t", what: "run 7", since: "2026-01-01T00:00:00.000Z", ...change }));
const LEASED = { code: "STORE_LEASED", message: expect.stringMatching(/is in use by process \d+ on .* \(run 7\), since 2026/) };

test("one owner at a time, by name; released, it is free, and nothing is left", async () => {
  const lease = await takeLease(dir, "run 7");
  const refused = await takeLease(dir, "run 8").catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: "STORE_LEASED", details: { pid: process.pid, what: "run 7" } });
  await lease.release();
  expect(readdirSync(dir)).toEqual([]);
  await (await takeLease(dir, "run 8")).release();
});

test("of many at once exactly one gets it, also from an owner that is gone", async () => {
  const dead = () => put({ start: "1" });
  for (const before of [() => undefined, dead, dead, dead, dead, () => writeFileSync(path(), "torn")]) {
    before();
    const all = await Promise.allSettled(Array.from({ length: 12 }, (_, i) => takeLease(dir, `run ${i}`)));
    const got = all.filter((a) => a.status === "fulfilled");
    expect(got).toHaveLength(1);
    for (const { value } of got) await value.release();
  }
});

test("a number that another process has now is no owner; one that lives is", async () => {
  put({});
  await expect(takeLease(dir, "x")).rejects.toMatchObject(LEASED);
  put({ start: `${self.start}0` });
  await (await takeLease(dir, "x")).release();
  writeFileSync(path(), "torn");
  await (await takeLease(dir, "x")).release();
});

test("an owner on another machine is gone when it has not touched its lease for a while", async () => {
  put({ machine: "0".repeat(16), host: "other" });
  await expect(takeLease(dir, "x")).rejects.toMatchObject(LEASED);
  const old = (Date.now() - STALE_MS - 1000) / 1000;
  utimesSync(path(), old, old);
  await (await takeLease(dir, "x")).release();
});

test("while another process looks at a dead lease, nobody else removes it; one that was killed at it is in nobody's way", async () => {
  put({ pid: 2 ** 30 });
  const guard = `${path()}.guard`;
  writeFileSync(guard, "");
  const taking = takeLease(dir, "x");
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(existsSync(guard)).toBe(true);
  const old = (Date.now() - STALE_MS - 1000) / 1000;
  utimesSync(guard, old, old);
  await (await taking).release();
  expect(readdirSync(dir)).toEqual([]);
});

test("a killed owner's lease is taken over, one that ends leaves none", async () => {
  const script = join(dir, "owner.mjs");
  writeFileSync(
    script,
    `const { takeLease } = await import(${JSON.stringify(join(import.meta.dirname, "lease.ts"))});
     await takeLease(${JSON.stringify(dir)}, "run 7");
     process.send("taken");
     process.on("message", () => process.exit(0));`,
  );
  for (const isKilled of [true, false]) {
    const owner = fork(script, [], { execArgv: [] });
    await once(owner, "message");
    await expect(takeLease(dir, "x")).rejects.toMatchObject({ code: "STORE_LEASED", details: { pid: owner.pid } });
    const ended = once(owner, "exit");
    if (isKilled) owner.kill("SIGKILL");
    else owner.send("end");
    await ended;
    expect(existsSync(path())).toBe(isKilled);
    await (await takeLease(dir, "x")).release();
  }
});

test("a temporary of another machine that cannot be looked at is left alone", async () => {
  const file = join(dir, `.a.${"f".repeat(16)}.1.5.${"0".repeat(12)}.tmp`);
  writeFileSync(file, "x");
  utimesSync(file, 1, 1);
  const failing = { ...nodeFileSystem, stat: () => Promise.reject(Object.assign(new Error("EIO"), { code: "EIO" })) };
  expect(await sweepTemporary(dir, failing)).toBe(0);
  expect(existsSync(file)).toBe(true);
  expect(await sweepTemporary(dir)).toBe(1);
});

test("temporaries: those of dead processes go, those of another machine only when they are old", async () => {
  const name = (machine: string, pid: number, start: string) => join(dir, `.a.${machine}.${pid}.${start}.${"0".repeat(12)}.tmp`);
  const foreign = "f".repeat(16);
  const mine = name(self.machine, process.pid, self.start);
  const reused = name(self.machine, process.pid, `${self.start}1`);
  const theirs = name(foreign, 999_999_999, "5");
  const old = name(foreign, 1, "5");
  for (const file of [mine, reused, theirs, old]) writeFileSync(file, "x");
  utimesSync(old, 1, 1);
  expect(await sweepTemporary(dir)).toBe(2);
  expect(
    readdirSync(dir)
      .map((n) => join(dir, n))
      .sort(),
  ).toEqual([mine, theirs].sort());
});

test("the journal marks a run interrupted when its number belongs to another process now, or its machine's lease is old", async () => {
  const file = join(dir, "j.sqlite");
  const begin = (run: string, output: string) => {
    const journal = new Journal(file);
    journal.begin({ run, graph: "g", output, started: Date.now() });
    journal.close();
  };
  const rewrite = async (run: string, pidStart: string) => {
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(file);
    database.prepare("UPDATE runs SET pid_start = ? WHERE run = ?").run(pidStart, run);
    database.close();
  };
  begin("mine", dir);
  begin("reused", dir);
  begin("elsewhere", dir);
  begin("elsewhere-gone", join(dir, "none"));
  await rewrite("reused", `${self.machine}:${self.start}1`);
  await rewrite("elsewhere", `${"0".repeat(16)}:1`);
  await rewrite("elsewhere-gone", `${"0".repeat(16)}:1`);
  put({ machine: "0".repeat(16) });
  const journal = new Journal(file);
  expect(["mine", "reused", "elsewhere", "elsewhere-gone"].map((run) => journal.get(run)?.state)).toEqual([
    "running",
    "interrupted",
    "running",
    "interrupted",
  ]);
  journal.close();
});

test("the journal keeps a year and no running run is removed", () => {
  const file = join(dir, "j.sqlite");
  const journal = new Journal(file);
  const year = 366 * 24 * 3600 * 1000;
  for (const [run, started] of [
    ["old", Date.now() - year],
    ["old but running", Date.now() - year],
    ["eleven months", Date.now() - 334 * 24 * 3600 * 1000],
    ["new", Date.now()],
  ] as const) {
    journal.begin({ run, graph: "g", output: dir, started });
    if (run !== "old but running") journal.end(run, "finished", started);
  }
  journal.close();
  const again = new Journal(file);
  expect(again.list().map((r) => r.run)).toEqual(["new", "eleven months", "old but running"]);
  again.close();
});

test("previews are removed by age, then by size, the oldest first", async () => {
  expect(PREVIEW_LIMITS).toEqual({ maxAgeMs: 604_800_000, maxBytes: 1_073_741_824 });
  const now = 1e9 * 1000;
  const file = (name: string, size: number, age: number) => {
    writeFileSync(join(dir, name), new Uint8Array(size));
    utimesSync(join(dir, name), (now - age) / 1000, (now - age) / 1000);
  };
  file("ancient", 1, 10_000);
  file("old", 600, 500);
  file("mid", 600, 400);
  file("new", 600, 300);
  file(".lease", 1, 20_000);
  expect(await sweepFolder(dir, { maxAgeMs: 1000, maxBytes: 1300 }, now)).toBe(2);
  expect(readdirSync(dir).sort()).toEqual([".lease", "mid", "new"]);
  // At the limits, everything stays.
  expect(await sweepFolder(dir, { maxAgeMs: 400, maxBytes: 1200 }, now)).toBe(0);
  expect(await sweepFolder(dir, { maxAgeMs: 399, maxBytes: 1200 }, now)).toBe(1);
  expect(await sweepFolder(dir, { maxAgeMs: 400, maxBytes: 599 }, now)).toBe(1);
  expect(readdirSync(dir)).toEqual([".lease"]);
});
