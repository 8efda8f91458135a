// The queue as a client sees it: submitted once, run in order, cancelled, paused, gone on with; every event once.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { errorBody } from "../../engine/api/error-body.ts";
import type { EventMessage } from "../../engine/api/event-message.ts";
import { startToyServer, stopToyServer, type ToyServer, training, trouble } from "./toy-server.ts";

let server: ToyServer;
beforeEach(async () => {
  server = await startToyServer();
});
afterEach(() => stopToyServer(server));

const code = async (response: Promise<unknown>): Promise<string> =>
  response.then(
    () => "ok",
    (error: Error) => /"code":"(\w+)"/.exec(error.message)?.[1] ?? error.message,
  );
const isRunning = (id: string) => (m: EventMessage) => m.kind === "run" && m.event.run === id && m.event.kind === "node.progress";

test("a run is answered, runs, and stays in the history with what came of it", async () => {
  const { id, state } = await server.submit(trouble("none"));
  expect(state === "queued" || state === "running").toBe(true);
  const ended = await server.ended(id);
  expect(ended).toMatchObject({ state: "finished", name: "test", client: "test", device: "cpu", error: null, position: null });
  expect(ended.scores.map((s) => [s.name, s.value])).toEqual([
    ["value", 7],
    ["saved", 7],
  ]);
  expect(ended.ms).toBeGreaterThan(0);
  expect(ended.peakMemoryBytes).toBeGreaterThan(1e6);
  const detail = await server.call("run", { params: { id } });
  expect(detail.prompt).toEqual(trouble("none"));
  expect(detail.nodes.map((n) => n.state)).toEqual(["finished", "finished", "finished"]);
  expect(detail.nodes[2]).toMatchObject({
    shown: { text: [7] },
    files: [{ filename: "number_00001_.txt", subfolder: "", type: "output" }],
  });
  expect(detail.parameters.map((p) => [p.node, p.input, p.value])).toContainEqual(["1", "value", 7]);
  expect(await (await server.raw("/api/files/output/number_00001_.txt")).text()).toBe("7");
  expect(JSON.parse(readFileSync(join(server.dir, "out/runs", `${id}.json`), "utf8"))).toMatchObject({ state: "finished", run: id });
  expect((await server.call("runs", { query: {} })).runs.map((r) => r.id)).toEqual([id]);
});

test("the same client and key is the same run, whatever the network loses", async () => {
  const body = { workflow: trouble("none"), client: "tab", key: "pressed-once" };
  const [a, b, c] = await Promise.all([1, 2, 3].map(() => server.call("submit", { body })));
  expect(new Set([a?.id, b?.id, c?.id]).size).toBe(1);
  await server.ended(a?.id ?? "");
  expect((await server.call("submit", { body })).id).toBe(a?.id);
  expect((await server.call("runs", { query: {} })).runs.length).toBe(1);
});

test("what can't run is refused with every issue, and nothing is queued", async () => {
  const response = await server.raw("/api/runs", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      workflow: { 1: { class_type: "ToyNumbr", inputs: {} }, 2: { class_type: "ToySave", inputs: {} } },
      client: "c",
      key: "12345678",
    }),
  });
  expect(response.status).toBe(422);
  const { error } = errorBody.parse(await response.json());
  expect(error).toMatchObject({ code: "WORKFLOW_INVALID", hint: expect.any(String) });
  expect(error.issues?.map((i) => i.code)).toContain("REQUIRED_INPUT_MISSING");
  expect(await server.call("queue")).toEqual({ isPaused: false, running: null, queued: [] });
});

test("runs go in order; they are moved, put in front, cancelled while they wait; the queue is paused", async () => {
  await server.call("pauseQueue");
  const ids: string[] = [];
  for (const value of [1, 2, 3, 4]) ids.push((await server.submit(trouble("none", "", value))).id);
  const front = await server.submit(trouble("none", "", 5), { front: true });
  const [a = "", b = "", c = "", d = ""] = ids;
  expect((await server.call("queue")).queued).toEqual([front.id, a, b, c, d]);
  expect((await server.call("move", { body: { run: d, before: b } })).queued).toEqual([front.id, a, d, b, c]);
  expect((await server.call("move", { body: { run: a, before: null } })).queued).toEqual([front.id, d, b, c, a]);
  expect(await code(server.call("move", { body: { run: "none", before: null } }))).toBe("RUN_NOT_QUEUED");
  expect((await server.call("cancel", { params: { id: b } })).state).toBe("cancelled");
  expect((await server.call("runs", { query: {} })).runs.map((r) => [r.id, r.position])).toContainEqual([c, 2]);
  expect((await server.call("run", { params: { id: b } })).summary.started).toBeNull();
  const listener = server.listen();
  await server.call("resumeQueue");
  await server.ended(a);
  const order = listener.messages.flatMap((m) => (m.kind === "run" && m.event.kind === "run.started" ? [m.event.run] : []));
  expect(order).toEqual([front.id, d, c, a]);
  listener.close();
});

test("a run that hangs is cancelled and its process is gone; the next one runs", async () => {
  const listener = server.listen();
  const hung = await server.submit(trouble("loop"));
  const next = await server.submit(trouble("none", "", 3));
  await listener.until(isRunning(hung.id));
  await server.call("cancel", { params: { id: hung.id } });
  expect(await server.ended(hung.id)).toMatchObject({ state: "cancelled", canResume: false });
  expect(await server.ended(next.id)).toMatchObject({ state: "finished" });
  listener.close();
});

test("a node that takes the process down fails its run with a reason, and the queue goes on", async () => {
  const broken = await server.submit(trouble("SIGKILL"));
  const next = await server.submit(trouble("none", "", 3));
  expect(await server.ended(broken.id)).toMatchObject({ state: "failed", error: { code: "COMPUTE_DIED", node: "2" } });
  expect(await server.ended(next.id)).toMatchObject({ state: "finished" });
  const { nodes } = await server.call("run", { params: { id: broken.id } });
  expect(nodes.map((n) => n.state)).toEqual(["finished", "failed", "waiting"]);
});

test("only a training can be paused; it saves, and is resumed", async () => {
  const listener = server.listen();
  const plain = await server.submit(trouble("progress"));
  await listener.until(isRunning(plain.id));
  expect(await code(server.call("pause", { params: { id: plain.id } }))).toBe("RUN_CANNOT_PAUSE");
  await server.call("cancel", { params: { id: plain.id } });
  const run = await server.submit(training);
  await listener.until(isRunning(run.id));
  const alarm = { code: "TRAIN_NOTHING_LEARNED", update: 1, message: "nothing is learned", hint: "train something" };
  expect((await server.call("curves", { params: { id: run.id }, query: {} })).alarms).toEqual([alarm]);
  await server.call("pause", { params: { id: run.id } });
  expect(await server.ended(run.id)).toMatchObject({ state: "paused", canResume: true });
  // What the training said is kept with the run, with its remedy where lines are read.
  expect((await server.call("curves", { params: { id: run.id }, query: {} })).alarms).toEqual([alarm]);
  const { nodes } = await server.call("run", { params: { id: run.id } });
  expect(nodes[0]?.logs).toContainEqual({ level: "warn", message: "nothing is learned: train something" });
  expect(existsSync(join(server.dir, "out/train/checkpoint.safetensors"))).toBe(true);
  const resumed = await server.call("resume", { params: { id: run.id } });
  expect(resumed).toMatchObject({ parent: run.id });
  await listener.until(isRunning(resumed.id));
  await server.call("pause", { params: { id: resumed.id } });
  await server.ended(resumed.id);
  listener.close();
});

test("a failed run is retried: what was finished is known", async () => {
  const marker = join(server.dir, "mended");
  const failed = await server.submit(trouble("throw", marker));
  expect(await server.ended(failed.id)).toMatchObject({ state: "failed", error: { code: "TOY", hint: "choose another trouble" } });
  expect(await code(server.call("resume", { params: { id: failed.id } }))).toBe("RUN_CANNOT_RESUME");
  writeFileSync(marker, "");
  const again = await server.call("retry", { params: { id: failed.id } });
  expect(await server.ended(again.id)).toMatchObject({ state: "finished", parent: failed.id });
  const { nodes } = await server.call("run", { params: { id: again.id } });
  expect(nodes[0]?.state).toBe("cached");
});

test("a pinned result stands, and is refused when it is not kept", async () => {
  const first = await server.submit(trouble("none", "", 5));
  await server.ended(first.id);
  const pinned = await server.submit(trouble("none", "", 9), { pinned: [{ node: "1", run: first.id }] });
  const ended = await server.ended(pinned.id);
  expect(ended.scores.find((s) => s.name === "saved")?.value).toBe(5);
  expect(await code(server.submit(trouble("none"), { pinned: [{ node: "3", run: first.id }] }))).toBe("PIN_LOST");
  expect(await code(server.submit(trouble("none"), { pinned: [{ node: "1", run: "none" }] }))).toBe("PIN_LOST");
});

test("a client that comes back gets what it missed: all of it, once, in order", async () => {
  const always = server.listen();
  await always.until((m) => m.kind === "hello");
  const first = await server.submit(trouble("none", "", 1));
  await server.ended(first.id);
  const seen = server.listen(0);
  const last = await seen.until((m) => m.kind === "summary" && m.summary.state === "finished");
  seen.close();
  const second = await server.submit(trouble("none", "", 2));
  await server.ended(second.id);
  const back = server.listen("seq" in last ? last.seq : 0);
  await back.until((m) => m.kind === "summary" && m.summary.id === second.id && m.summary.state === "finished");
  await always.until((m) => m.kind === "summary" && m.summary.id === second.id && m.summary.state === "finished");
  const numbered = (messages: readonly EventMessage[]) => messages.flatMap((m) => (m.kind !== "hello" && m.kind !== "load" ? [m] : []));
  const live = numbered(always.messages);
  const after = "seq" in last ? last.seq : 0;
  expect(numbered(back.messages).slice(0, 5)).toEqual(live.filter((m) => m.seq > after).slice(0, 5));
  const seqs = live.map((m) => m.seq);
  expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
  const unknown = server.listen(10 ** 9);
  expect(await unknown.until((m) => m.kind === "hello")).toMatchObject({ isReset: true });
  for (const l of [always, back, unknown]) l.close();
});

test("dry run: costs of every node, and what is missing; nothing runs", async () => {
  const report = await server.call("dryRun", { body: { workflow: training } });
  expect(report.nodes[0]).toMatchObject({ id: "1", state: "run", seconds: 60, notes: ["forever"] });
  expect(report.total.seconds).toBe(60);
  expect(report.shortages).toEqual([]);
  const wrong = await server.call("dryRun", {
    body: {
      workflow: { 1: { class_type: "ToyNumber", inputs: {} }, 2: { class_type: "ToySave", inputs: { a: ["1", 0], file: "none.png" } } },
    },
  });
  expect(wrong.issues).toMatchObject([{ code: "INPUT_NOT_FOUND", path: ["2", "file"] }]);
  expect((await server.call("runs", { query: {} })).runs).toEqual([]);
});

test("dry runs and runs at the same moment do not get in each other's way", async () => {
  const dry = [1, 2, 3].map((value) => server.call("dryRun", { body: { workflow: trouble("none", "", value) } }));
  const runs = await Promise.all([4, 5].map((value) => server.submit(trouble("none", "", value))));
  for (const { id } of runs) expect(await server.ended(id)).toMatchObject({ state: "finished", error: null });
  for (const report of await Promise.all(dry)) expect(report.nodes.map((n) => n.state)).toEqual(["run", "run", "run"]);
});

test("the history comes in pages and a run can be removed from it, but not while it waits", async () => {
  await server.call("pauseQueue");
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) ids.push((await server.submit(trouble("none", "", i))).id);
  expect(await code(server.call("removeRun", { params: { id: ids[0] ?? "" } }))).toBe("RUN_ACTIVE");
  await server.call("clearQueue");
  const first = await server.call("runs", { query: { limit: 2 } });
  const second = await server.call("runs", { query: { limit: 10, before: first.next ?? "" } });
  expect([...first.runs, ...second.runs].map((r) => r.id).sort()).toEqual([...ids].sort());
  expect(second.next).toBeNull();
  await server.call("removeRun", { params: { id: ids[0] ?? "" } });
  expect(await code(server.call("run", { params: { id: ids[0] ?? "" } }))).toBe("RUN_NOT_FOUND");
});

test("pictures of what is not finished are made while someone listens, told live, and not kept", async () => {
  const preview = (until: string) => ({
    1: { class_type: "ToyPreview", inputs: { until } },
    2: { class_type: "ToySave", inputs: { a: ["1", 0] } },
  });
  const isPicture = (m: EventMessage) => m.kind === "run" && m.event.kind === "node.progress" && m.event.preview !== undefined;
  // Nobody listens: the run is followed by its summary alone.
  const alone = join(server.dir, "alone");
  const first = await server.submit(preview(alone));
  const isUnderWay = async () => (await server.call("run", { params: { id: first.id } })).nodes[0]?.state === "running";
  await expect.poll(isUnderWay, { timeout: 30_000 }).toBe(true);
  writeFileSync(alone, "");
  await expect
    .poll(async () => (await server.call("run", { params: { id: first.id } })).summary.state, { timeout: 30_000 })
    .toBe("finished");
  expect((await server.call("run", { params: { id: first.id } })).summary.scores).toMatchObject([{ name: "saved", value: 0 }]);

  const watched = join(server.dir, "watched");
  const listener = server.listen();
  const second = await server.submit(preview(watched));
  await listener.until(isPicture);
  writeFileSync(watched, "");
  const { scores } = await server.ended(second.id);
  expect(scores[0]?.value).toBeGreaterThan(0);
  listener.close();
  const again = server.listen(0);
  await again.until((m) => m.kind === "summary" && m.summary.id === second.id && m.summary.state === "finished");
  expect(again.messages.some(isPicture)).toBe(false);
  again.close();
});
