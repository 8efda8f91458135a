// The server is killed at any moment: what waited still runs, what ran is interrupted and can go on, no event is lost or told twice.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { EventMessage } from "../../engine/api/event-message.ts";
import { client, training, trouble } from "./toy-server.ts";

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

async function start(): Promise<ReturnType<typeof client> & { readonly child: ChildProcess }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "toy-server.ts"), dir], { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
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
