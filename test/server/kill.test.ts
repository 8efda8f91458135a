// The server is killed at any moment: what waited still runs, what ran is interrupted and can go on, no event is lost or told twice.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { EventMessage } from "../../engine/api/event-message.ts";
import type { RunSummary } from "../../engine/api/runs.ts";
import { randomSource } from "../../engine/base/random.ts";
import { client, training, trouble } from "./toy-server.ts";

const KILLS = Number(process.env.KILLS ?? 4);
const AT_ONCE = 8;

let dir: string;
let children: ChildProcess[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "killed-"));
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children = [];
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
});

function spawnServer() {
  const child = spawn(process.execPath, [join(import.meta.dirname, "toy-server.ts"), dir], { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  return child;
}

async function start(): Promise<ReturnType<typeof client> & { readonly child: ChildProcess }> {
  const child = spawnServer();
  let said = "";
  child.stderr.on("data", (data) => {
    said += String(data);
  });
  for await (const line of createInterface({ input: child.stdout })) return { ...client(JSON.parse(line).port), child };
  throw new Error(said);
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await gone;
}

async function everyRun({ call }: Pick<ReturnType<typeof client>, "call">): Promise<readonly RunSummary[]> {
  const all: RunSummary[] = [];
  for (let before: string | null | undefined; before !== null; ) {
    const { runs, next } = await call("runs", { query: { limit: 200, ...(before !== undefined && { before }) } });
    all.push(...runs);
    before = next;
  }
  return all;
}

const progress = (id: string) => (m: EventMessage) => m.kind === "run" && m.event.run === id && m.event.kind === "node.progress";
const numbers = (messages: readonly EventMessage[]) => messages.flatMap((m) => (m.kind !== "hello" && m.kind !== "load" ? [m.seq] : []));

test("kill -9 in the middle of a training with others waiting", async () => {
  const first = await start();
  const before = first.listen(0);
  const trained = await first.submit(training);
  const waiting = [await first.submit(trouble("none", "", 1)), await first.submit(trouble("none", "", 2))];
  await before.until(progress(trained.id));
  // So that there is a checkpoint to go on from.
  await first.call("pause", { params: { id: trained.id } });
  await first.ended(trained.id);
  for (const { id } of waiting) await first.ended(id);
  await first.call("pauseQueue");
  const queued = [await first.submit(trouble("none", "", 3)), await first.submit(trouble("none", "", 4))];
  const resumed = await first.call("resume", { params: { id: trained.id } });
  await first.call("move", { body: { run: resumed.id, before: queued[0]?.id ?? "" } });
  await first.call("resumeQueue");
  await before.until(progress(resumed.id));
  await kill(first.child, "SIGKILL");
  const seen = numbers(before.messages);
  const last = seen.at(-1) ?? 0;

  const second = await start();
  const after = second.listen(last);
  for (const { id } of queued) expect(await second.ended(id)).toMatchObject({ state: "finished" });
  const { summary, nodes } = await second.call("run", { params: { id: resumed.id } });
  expect(summary).toMatchObject({ state: "interrupted", canResume: true, parent: trained.id });
  expect(nodes[0]?.shown).toMatchObject({ training: [{ directory: "train" }] });
  const again = await second.call("resume", { params: { id: resumed.id } });
  await after.until(progress(again.id));
  await second.call("cancel", { params: { id: again.id } });
  await second.ended(again.id);
  const all = [...seen, ...numbers(after.messages)];
  expect(all).toEqual([...new Set(all)].sort((a, b) => a - b));
  expect(all).toEqual(Array.from({ length: all.length }, (_, i) => i + 1));
});

test("a training that had not saved yet is interrupted, and can only be retried", async () => {
  const first = await start();
  const run = await first.submit(training);
  await first.listen().until(progress(run.id));
  await kill(first.child, "SIGKILL");
  const second = await start();
  expect((await second.call("run", { params: { id: run.id } })).summary).toMatchObject({ state: "interrupted", canResume: false });
  await expect(second.call("resume", { params: { id: run.id } })).rejects.toThrow(/RUN_CANNOT_RESUME/);
});

test("a second server on the same data folder refuses", async () => {
  await start();
  await expect(start()).rejects.toThrow(/STORE_LOCKED|another server/);
});

test("killed after a run's end is on disk and before anyone is told: it is told at the next start", async () => {
  const first = await start();
  const { id } = await first.submit(trouble("none", "", 3));
  await first.ended(id);
  await kill(first.child, "SIGKILL");
  const log = new DatabaseSync(join(dir, "data/events.sqlite"));
  const { changes } = log.prepare("DELETE FROM events WHERE run = ? AND json_extract(event, '$.summary.state') = 'finished'").run(id);
  log.close();
  expect(changes).toBe(1);
  const second = await start();
  expect(await second.ended(id)).toMatchObject({ state: "finished" });
  // Once: not again at every start.
  await kill(second.child, "SIGKILL");
  const third = await start();
  const listener = third.listen(0);
  await third.ended((await third.submit(trouble("none", "", 4))).id);
  await listener.until((m) => m.kind === "summary" && m.summary.id !== id && m.summary.state === "finished");
  expect(listener.messages.filter((m) => m.kind === "summary" && m.summary.id === id && m.summary.state === "finished")).toHaveLength(1);
});

test(`${KILLS} kills at any moment with ${AT_ONCE} runs waiting: none is lost, none runs twice, no event is missed or told twice`, {
  timeout: 120_000 + KILLS * 90_000,
}, async () => {
  const random = randomSource(Number(process.env.KILL_SEED ?? 8));
  /** Every press of Run: the run that it became, once that was answered. */
  const presses: { readonly key: string; readonly value: number; run?: string }[] = [];
  const heard: EventMessage[] = [];
  const ended = new Set<string>();
  const listenTo = (server: Awaited<ReturnType<typeof start>>) => {
    const listener = server.listen(numbers(heard).at(-1) ?? 0);
    const keep = (): void => {
      heard.push(...listener.messages);
      for (const m of listener.messages)
        if (m.kind === "summary" && m.summary.state !== "queued" && m.summary.state !== "running") ended.add(m.summary.id);
    };
    return { listener, keep };
  };
  /** Presses again what was not answered, and new ones until enough wait. */
  const press = (server: Awaited<ReturnType<typeof start>>, fresh: boolean): Promise<unknown> => {
    const waiting = presses.filter((p) => p.run === undefined || !ended.has(p.run)).length;
    for (let i = waiting; fresh && i < AT_ONCE; i++) presses.push({ key: `press-${presses.length}-of-many`, value: presses.length / 100 });
    const asked = presses.filter((p) => p.run === undefined);
    return Promise.allSettled(
      asked.map(async (p) => {
        const body = { workflow: trouble("none", "", p.value), client: "test", key: p.key, name: p.key };
        p.run = (await server.call("submit", { body })).id;
      }),
    );
  };
  const moments = { starting: 0, pressing: 0, running: 0 };
  for (let kills = 0; kills < KILLS; kills++) {
    if (random.uniform() < 0.2) {
      const child = spawnServer();
      await pause(random.uniform() * 1500);
      await kill(child, "SIGKILL");
      moments.starting++;
      continue;
    }
    const server = await start();
    const { listener, keep } = listenTo(server);
    const pressed = press(server, true);
    if (random.uniform() < 0.3) moments.pressing++;
    else {
      await pressed;
      moments.running++;
    }
    const enough = 1 + random.below(60);
    await listener.until(() => numbers(listener.messages).length >= enough);
    await pause(random.uniform() * 40);
    await kill(server.child, "SIGKILL");
    await pressed;
    keep();
  }
  const last = await start();
  const { listener, keep } = listenTo(last);
  await press(last, false);
  for (const { run } of presses) if (run !== undefined && !ended.has(run)) await last.ended(run);
  const runs = await everyRun(last);
  // A new listener is told the last number there is.
  const hello = await last.listen().until((m) => m.kind === "hello");
  const newest = hello.kind === "hello" ? hello.seq : 0;
  await listener.until(() => (numbers([...heard, ...listener.messages]).at(-1) ?? 0) >= newest);
  keep();

  // Nothing is lost: each press is one run, and each run one press.
  const made = presses.map((p) => p.run);
  expect(new Set(made).size).toBe(presses.length);
  expect(runs.map((r) => r.id).toSorted()).toEqual(made.toSorted());
  const interrupted = runs.filter((r) => r.state === "interrupted");
  expect(runs.filter((r) => r.state !== "interrupted" && r.state !== "finished")).toEqual([]);
  expect(interrupted.length).toBeLessThanOrEqual(KILLS);

  // Nothing runs twice: each value was saved once; by a run that was killed, perhaps.
  const saved = readdirSync(join(dir, "out"))
    .filter((f) => f.endsWith(".txt"))
    .map((f) => readFileSync(join(dir, "out", f), "utf8"));
  expect(new Set(saved).size).toBe(saved.length);
  for (const { value, run } of presses)
    if (!interrupted.some((r) => r.id === run))
      expect(
        saved.filter((text) => text === String(value)),
        `files of ${run}`,
      ).toHaveLength(1);

  // No event is missed or told twice: neither of the server nor of any run.
  const all = numbers(heard);
  expect(all).toEqual(Array.from({ length: all.length }, (_, i) => i + 1));
  for (const { id } of runs) {
    const own = heard.flatMap((m) => (m.kind === "run" && m.event.run === id ? [m.event] : []));
    expect(own.map((e) => e.seq)).toEqual(own.map((_, i) => i));
    expect(own.filter((e) => e.kind === "run.started").length, `starts of ${id}`).toBeLessThanOrEqual(1);
  }

  // What was interrupted can be run again.
  for (const { id } of interrupted) {
    const again = await last.call("retry", { params: { id } });
    expect(await last.ended(again.id)).toMatchObject({ state: "finished", parent: id });
  }
  process.stdout.write(
    `${KILLS} kills (${moments.starting} while it started, ${moments.pressing} while runs were sent, ${moments.running} later), ` +
      `${runs.length} runs: ${runs.length - interrupted.length} finished, ${interrupted.length} interrupted and run again, ${all.length} events\n`,
  );
});
