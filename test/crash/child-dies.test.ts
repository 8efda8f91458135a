// The child dies in every way at every place: the run fails with a code and a hint, what was finished is kept, the next run works.
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { RunEvent } from "../../engine/graph/events.ts";
import { plan } from "../../engine/graph/plan.ts";
import type { Prompt } from "../../engine/graph/prompt.ts";
import { validate } from "../../engine/graph/validate.ts";
import { ComputeHost, type ComputeHostOptions } from "../../engine/host/compute-host.ts";
import { Registry } from "../../engine/node/registry.ts";
import { toyNodes } from "./toy-nodes.ts";

// Sixty children are started here.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "../../.cache/compile");

let dir: string;
let hosts: ComputeHost[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "host-"));
});
afterEach(async () => {
  delete process.env.TOY_FAULT;
  delete process.env.WHOSWHO_STUCK_MINUTES;
  await Promise.all(hosts.map((host) => host.close()));
  hosts = [];
  rmSync(dir, { recursive: true, force: true });
});

function host(options: Partial<ComputeHostOptions> = {}): ComputeHost {
  const made = new ComputeHost({
    entry: new URL("toy-worker.ts", import.meta.url),
    settings: { device: "cpu", memoryBytes: 1e6, stored: { folder: join(dir, "cache"), budgetBytes: 1e6, salt: "s" } },
    onStderr: () => undefined,
    graceMs: 100,
    ...options,
  });
  hosts.push(made);
  return made;
}

const registry = new Registry(toyNodes);
const TROUBLE = (trouble: string, unless = ""): Prompt => ({
  1: { class_type: "ToyNumber", inputs: { value: 7 } },
  2: { class_type: "ToyTrouble", inputs: { a: ["1", 0], trouble, unless } },
  3: { class_type: "ToySave", inputs: { a: ["2", 0] } },
});

function begin(on: ComputeHost, prompt: Prompt, onEvent: (e: RunEvent) => void = () => undefined) {
  const checked = validate(prompt, registry);
  if (!checked.ok) throw new Error(JSON.stringify(checked.issues));
  const events: RunEvent[] = [];
  const places = { roots: [], allowed: {} };
  const handle = on.run(
    {
      run: "r",
      mode: "run",
      plan: plan(checked.graph),
      workflow: { prompt },
      output: join(dir, "out"),
      resume: false,
      inputs: places,
      models: places,
    },
    (event) => {
      events.push(event);
      onEvent(event);
    },
  );
  return { events, ...handle };
}

async function runs(on: ComputeHost, prompt: Prompt) {
  const { done, events } = begin(on, prompt);
  const { event, memory } = await done;
  expect(events.map((e) => e.seq)).toEqual(events.map((_, i) => i));
  expect(events.filter((e) => e.kind.startsWith("run."))).toEqual([events[0], event].filter((e, i, all) => all.indexOf(e) === i));
  return { event, memory, kinds: events.map((e) => ("node" in e ? `${e.kind} ${e.node}` : e.kind)) };
}

test.each([
  ["SIGKILL", "COMPUTE_DIED", /SIGKILL/],
  ["SIGSEGV", "COMPUTE_DIED", /SIGSEGV/],
  ["exit", "COMPUTE_DIED", /thread ended with code 0/],
  ["reject", "COMPUTE_DIED", /nobody caught this/],
])("in a node: %s", async (trouble, code, message) => {
  const on = host();
  const first = await runs(on, TROUBLE(trouble));
  expect(first.event).toMatchObject({
    kind: "run.failed",
    error: { code, message: expect.stringMatching(message), hint: expect.any(String), node: "2", type: "ToyTrouble" },
  });
  const second = await runs(on, TROUBLE("none"));
  expect(second.event.kind).toBe("run.finished");
  // Another process: what the dead one had finished comes from disk, with its score.
  expect(second.kinds).toContain("node.cached 1");
  expect(second.kinds).toContain("node.scored 1");
  expect(second.memory?.rss).toBeGreaterThan(1e6);
});

test("a failing node is no death: the process goes on", async () => {
  const on = host();
  expect((await runs(on, TROUBLE("throw"))).event).toMatchObject({
    kind: "run.failed",
    error: { code: "TOY", node: "2", hint: "choose another trouble" },
  });
  const pid = on.pid;
  expect((await runs(on, TROUBLE("none"))).event.kind).toBe("run.finished");
  expect(on.pid).toBe(pid);
});

test.each(["exit at start", "throw at start", "throw in thread", "nonsense at start"])("at its start: %s", async (fault) => {
  process.env.TOY_FAULT = fault;
  const on = host();
  const { event } = await runs(on, TROUBLE("none"));
  expect(event).toMatchObject({ kind: "run.failed", error: { hint: expect.any(String) } });
  if (fault === "throw at start")
    expect(event).toMatchObject({ error: { code: "COMPUTE_START", message: expect.stringMatching(/this worker is broken/) } });
  if (fault !== "throw in thread") return;
  expect(event).toMatchObject({ error: { message: "this thread is broken" } });
  delete process.env.TOY_FAULT;
  expect((await runs(on, TROUBLE("none"))).event.kind).toBe("run.finished");
});

test.each([
  ["hang at start", { silenceMs: 600 }, "COMPUTE_SILENT"],
  ["hang in thread", { startMs: 600 }, "COMPUTE_START"],
  ["hang at run", { silenceMs: 1500 }, "COMPUTE_SILENT"],
  ["exit at run", {}, "COMPUTE_DIED"],
])("%s", async (fault, options, code) => {
  process.env.TOY_FAULT = fault;
  const on = host(options);
  expect((await runs(on, TROUBLE("none"))).event).toMatchObject({ kind: "run.failed", error: { code } });
});

test("a stopped process is silent and is killed", async () => {
  const { event } = await runs(host({ silenceMs: 1500 }), TROUBLE("SIGSTOP"));
  expect(event).toMatchObject({ kind: "run.failed", error: { code: "COMPUTE_SILENT" } });
});

test.each(["loop", "kernel"])("a computing thread that is stuck ends the run while the other thread still talks: %s", async (trouble) => {
  const on = host({ settings: { device: "cpu", memoryBytes: 1e6, stuckMs: 1500 } });
  expect((await runs(on, TROUBLE(trouble))).event).toMatchObject({
    kind: "run.failed",
    error: { code: "COMPUTE_STUCK", node: "2", hint: expect.any(String) },
  });
  expect((await runs(on, TROUBLE("none"))).event.kind).toBe("run.finished");
});

test("how long is stuck comes from the environment, and must be a number", async () => {
  process.env.WHOSWHO_STUCK_MINUTES = "soon";
  expect((await runs(host(), TROUBLE("none"))).event).toMatchObject({
    kind: "run.failed",
    error: { code: "COMPUTE_START", message: expect.stringMatching(/WHOSWHO_STUCK_MINUTES/) },
  });
  process.env.WHOSWHO_STUCK_MINUTES = "0.02";
  expect((await runs(host(), TROUBLE("loop"))).event).toMatchObject({ error: { code: "COMPUTE_STUCK" } });
});

test("a device that is not there fails the run before its first node", async () => {
  process.env.TOY_FAULT = "no device";
  const on = host();
  for (let i = 0; i < 2; i++) {
    const { event, kinds } = await runs(on, TROUBLE("none"));
    expect(event).toMatchObject({ kind: "run.failed", error: { code: "ORT_DEVICE", hint: "buy one" } });
    expect(kinds).toEqual(["run.failed"]);
  }
});

test.each([
  [1, undefined, true],
  [1e12, undefined, false],
  [undefined, 2e6, true],
  [undefined, 0, false],
])("a child that holds more than %s after a run (where a process may use %s) is replaced: %s", async (above, limit, isReplaced) => {
  if (limit !== undefined) vi.spyOn(process, "constrainedMemory").mockReturnValue(limit);
  const on = host(above === undefined ? {} : { recycleAboveBytes: above });
  await runs(on, TROUBLE("none"));
  const { pid } = on;
  expect(pid === undefined).toBe(isReplaced);
  expect((await runs(on, TROUBLE("none"))).event.kind).toBe("run.finished");
  if (!isReplaced) expect(on.pid).toBe(pid);
  vi.restoreAllMocks();
});

test("a child that dies between two runs is replaced", async () => {
  const on = host();
  await runs(on, TROUBLE("none"));
  const pid = on.pid ?? 0;
  process.kill(pid, "SIGKILL");
  expect((await runs(on, TROUBLE("none"))).event.kind).toBe("run.finished");
  expect(on.pid).not.toBe(pid);
});

test("only one run at a time", async () => {
  const on = host();
  const { done } = begin(on, TROUBLE("none"));
  expect(() => begin(on, TROUBLE("none"))).toThrow(expect.objectContaining({ code: "HOST_BUSY" }));
  await done;
});

test.each(["progress", "loop", "wait"])("cancel in a node: %s", async (trouble) => {
  // Long enough for a node that listens, however busy the machine is.
  const on = host({ graceMs: trouble === "progress" ? 30_000 : 100 });
  const { done, cancel } = begin(on, TROUBLE(trouble), (e) => {
    if (e.kind === "node.progress") cancel();
  });
  expect((await done).event.kind).toBe("run.cancelled");
  const pid = on.pid;
  const again = await runs(on, TROUBLE("none"));
  expect(again.event.kind).toBe("run.finished");
  expect(again.kinds).toContain("node.cached 1");
  // A node that reports progress ends by itself and the process lives; one that does not is killed after the grace period.
  expect(on.pid === pid).toBe(trouble === "progress");
});

test("cancel before the child is ready", async () => {
  const on = host();
  const { done, cancel, events } = begin(on, TROUBLE("none"));
  cancel();
  expect((await done).event.kind).toBe("run.cancelled");
  expect(events.length).toBe(1);
  expect((await runs(on, TROUBLE("none"))).event.kind).toBe("run.finished");
});

test("a node that ends itself is given the time to save", async () => {
  const prompt: Prompt = { 1: { class_type: "ToyTrain", inputs: {} }, 2: { class_type: "ToySave", inputs: { a: ["1", 0] } } };
  const { done, cancel } = begin(host(), prompt, (e) => {
    if (e.kind === "node.progress" && e.value > 5) cancel();
  });
  expect((await done).event).toMatchObject({ kind: "run.cancelled", error: { message: "stopped after a checkpoint" } });
  expect(existsSync(join(dir, "out", "train", "checkpoint.safetensors"))).toBe(true);
});

test("kill ends even that node", async () => {
  const prompt: Prompt = { 1: { class_type: "ToyTrain", inputs: {} }, 2: { class_type: "ToySave", inputs: { a: ["1", 0] } } };
  const { done, kill } = begin(host(), prompt, (e) => {
    if (e.kind === "node.progress" && e.value > 5) kill();
  });
  expect((await done).event.kind).toBe("run.cancelled");
  expect(existsSync(join(dir, "out", "train", "checkpoint.safetensors"))).toBe(false);
});

test("kill -9 of the child while results are written: the next run resumes, and no entry is damaged", async () => {
  const on = host();
  for (let i = 0; i < 3; i++) {
    const prompt: Prompt = { ...TROUBLE("none"), 1: { class_type: "ToyNumber", inputs: { value: i } } };
    const { done } = begin(on, prompt, (e) => {
      if (e.kind === "node.finished" && e.node === "1") process.kill(on.pid ?? 0, "SIGKILL");
    });
    const { event } = await done;
    if (event.kind === "run.failed") expect(event.error.code).toBe("COMPUTE_DIED");
    expect((await runs(on, prompt)).event.kind).toBe("run.finished");
  }
  const entries = readdirSync(join(dir, "cache"), { recursive: true, withFileTypes: true }).filter(
    (e) => e.isFile() && !e.name.endsWith(".tmp"),
  );
  expect(entries.length).toBeGreaterThanOrEqual(3);
});

test("the child ends when its parent is gone", async () => {
  const script = join(dir, "parent.mjs");
  writeFileSync(
    script,
    `import { fork } from "node:child_process";
     const child = fork(${JSON.stringify(join(import.meta.dirname, "toy-worker.ts"))}, [], { serialization: "advanced", stdio: ["ignore", "ignore", "ignore", "ipc"] });
     child.send({ kind: "init", settings: { device: "cpu", memoryBytes: 1 } });
     child.on("message", (m) => { if (m.kind === "ready") { process.stdout.write(String(child.pid)); process.kill(process.pid, "SIGKILL"); } });`,
  );
  const { spawnSync } = await import("node:child_process");
  const pid = Number(spawnSync(process.execPath, [script], { encoding: "utf8" }).stdout);
  expect(pid).toBeGreaterThan(0);
  await expect
    .poll(
      () => {
        try {
          process.kill(pid, 0);
          return "alive";
        } catch {
          return "gone";
        }
      },
      { timeout: 5000 },
    )
    .toBe("gone");
});
