// One history and one writer per folder, whoever began a run: the server, or the command line beside it.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { errorBody } from "../../engine/api/error-body.ts";
import type { EventMessage } from "../../engine/api/event-message.ts";
import { fileUrl } from "../../engine/api/files.ts";
import type { RunSummary } from "../../engine/api/runs.ts";
import { takeLease } from "../../engine/store/lease.ts";
import { startToyServer, stopToyServer, type ToyServer, trouble } from "./toy-server.ts";

const ROOT = join(import.meta.dirname, "../..");
let server: ToyServer;
beforeEach(async () => {
  server = await startToyServer();
});
afterEach(() => stopToyServer(server));

const commandLine = (entry: string, args: readonly string[]) =>
  spawnSync(process.execPath, [join(ROOT, entry), "run", ...args], {
    cwd: server.dir,
    encoding: "utf8",
    env: { ...process.env, WHOSWHO_DATA: join(server.dir, "data"), WHOSWHO_MODELS: "" },
  });
const newest = async (): Promise<RunSummary> => {
  const [run] = (await server.call("runs", { query: { limit: 1 } })).runs;
  if (!run) throw new Error("the history is empty");
  return run;
};

test("a run of the command line is in the history with parameters, scores, pictures, time, memory and device", async () => {
  const prompt = {
    1: { class_type: "LoadImage", inputs: { image: "person-1.png" } },
    2: { class_type: "SaveImage", inputs: { images: ["1", 0], filename_prefix: "deep/made" } },
    3: { class_type: "PreviewImage", inputs: { images: ["1", 0] } },
  };
  writeFileSync(join(server.dir, "w.json"), JSON.stringify(prompt));
  // Neither the server's output folder nor below it.
  const out = join(server.dir, "elsewhere");
  const { status, stderr } = commandLine("graph.ts", ["w.json", "--out", out, "--input", join(ROOT, "graphs/input"), "--threads", "1"]);
  expect([status, stderr]).toEqual([0, ""]);
  const run = await newest();
  expect(run).toMatchObject({ state: "finished", name: "w", device: "cpu", kind: "run", error: null, canResume: false });
  expect(run.progress).toMatchObject({ done: 3, total: 3 });
  expect(run.ms).toBeGreaterThan(0);
  expect(run.peakMemoryBytes).toBeGreaterThan(1e6);
  expect(run.pictures.map((p) => [p.type, p.subfolder])).toEqual([
    ["run", `${run.id}/deep`],
    ["run", `${run.id}/temp/preview`],
  ]);
  for (const picture of run.pictures) {
    const thumbnail = await server.raw(fileUrl(picture, 128));
    expect([thumbnail.status, thumbnail.headers.get("content-type")]).toEqual([200, "image/webp"]);
  }
  const { parameters, prompt: kept, nodes } = await server.call("run", { params: { id: run.id } });
  expect(kept).toEqual(prompt);
  expect(parameters.map((p) => [p.node, p.input, p.value])).toEqual(
    expect.arrayContaining([
      ["1", "image", "person-1.png"],
      ["2", "filename_prefix", "deep/made"],
    ]),
  );
  // What the nodes saved and show are files that can be asked for.
  expect(nodes[1]?.files).toEqual([run.pictures[0]]);
  for (const file of [...(nodes[1]?.shown?.images ?? []), ...(nodes[2]?.shown?.images ?? [])]) expect(run.pictures).toContainEqual(file);
});

test("scores too; and it is run again here from what was kept", async () => {
  writeFileSync(join(server.dir, "w.json"), JSON.stringify(trouble("none", "", 5)));
  expect(commandLine("test/e2e/toy-graph.ts", ["w.json", "--set", "1.value=6"]).status).toBe(0);
  const run = await newest();
  expect(run.scores.map((s) => [s.node, s.name, s.value])).toEqual([
    ["1", "value", 6],
    ["3", "saved", 6],
  ]);
  const again = await server.call("retry", { params: { id: run.id } });
  expect(await server.ended(again.id)).toMatchObject({ state: "finished", parent: run.id });
  expect((await newest()).scores.find((s) => s.name === "saved")?.value).toBe(6);
});

test("a run of the command line is told to pages as it begins and as it is killed; here it can't be cancelled", async () => {
  const listener = server.listen();
  await listener.until((m) => m.kind === "hello");
  writeFileSync(join(server.dir, "w.json"), JSON.stringify(trouble("hold", join(server.dir, "never"))));
  const child = spawn(process.execPath, [join(ROOT, "test/e2e/toy-graph.ts"), "run", "w.json"], {
    cwd: server.dir,
    stdio: "ignore",
    env: { ...process.env, WHOSWHO_DATA: join(server.dir, "data"), WHOSWHO_MODELS: "" },
  });
  const begun = await listener.until((m) => m.kind === "summary" && m.summary.state === "running");
  const id = begun.kind === "summary" ? begun.summary.id : "";
  const refused = await server.raw(`/api/runs/${id}/cancel`, { method: "POST" });
  expect([refused.status, errorBody.parse(await refused.json()).error]).toMatchObject([
    409,
    { code: "RUN_ELSEWHERE", hint: expect.any(String) },
  ]);
  child.kill("SIGKILL");
  await listener.until((m) => m.kind === "summary" && m.summary.id === id && m.summary.state === "interrupted");
  listener.close();
});

test("of a command line's folder only what its run saved can be read", async () => {
  const out = join(server.dir, "elsewhere");
  mkdirSync(out);
  writeFileSync(join(out, "secret.txt"), "nobody may read this");
  writeFileSync(join(server.dir, "w.json"), JSON.stringify(trouble("none")));
  expect(commandLine("test/e2e/toy-graph.ts", ["w.json", "--out", out]).status).toBe(0);
  const { id } = await newest();
  expect(await (await server.raw(`/api/files/run/${id}/number_00001_.txt`)).text()).toBe("7");
  for (const name of [
    `${id}/secret.txt`,
    `${id}/run.json`,
    `${id}/.`,
    id,
    `${id}/x/../secret.txt`,
    `${id}/..%2fsecret.txt`,
    "nobody/secret.txt",
  ]) {
    const response = await server.raw(`/api/files/run/${name}`);
    expect([name, response.status >= 400 && response.status < 500, await response.text()]).toEqual([
      name,
      true,
      expect.not.stringContaining("nobody may"),
    ]);
  }
  const kept = await server.raw(`/api/files/run/${id}/number_00001_.txt`, { method: "DELETE" });
  expect(errorBody.parse(await kept.json()).error.code).toBe("FILE_KEPT");
});

test("two writers of one folder: the second is refused and told who has it, whichever it is; then it goes on", async () => {
  const out = join(server.dir, "out");
  const lease = await takeLease(out, "run 20260101-000000-abcdef");
  const refused = await server.submit(trouble("none"));
  expect(await server.ended(refused.id)).toMatchObject({
    state: "failed",
    error: {
      code: "STORE_LEASED",
      message: expect.stringMatching(new RegExp(`in use by process ${process.pid} on .*run 20260101-000000-abcdef`)),
      hint: expect.any(String),
    },
  });
  await lease.release();
  const wanted = join(server.dir, "go on");
  const holding = await server.submit(trouble("hold", wanted));
  const listener = server.listen();
  await listener.until((m) => m.kind === "run" && m.event.run === holding.id && m.event.kind === "node.progress");
  listener.close();
  writeFileSync(join(server.dir, "w.json"), JSON.stringify(trouble("none")));
  const second = commandLine("test/e2e/toy-graph.ts", ["w.json", "--out", out]);
  expect([second.status, second.stderr]).toEqual([3, expect.stringMatching(`STORE_LEASED: .*\\(run ${holding.id}\\)`)]);
  writeFileSync(wanted, "");
  expect(await server.ended(holding.id)).toMatchObject({ state: "finished" });
  expect(commandLine("test/e2e/toy-graph.ts", ["w.json", "--out", out]).status).toBe(0);
});

test("a run of the command line is told as it goes on; killed, it keeps how far it was", async () => {
  const go = join(server.dir, "go");
  const prompt = trouble("hold", go, 4);
  writeFileSync(join(server.dir, "w.json"), JSON.stringify(prompt));
  const begin = (out: string) =>
    spawn(process.execPath, [join(ROOT, "test/e2e/toy-graph.ts"), "run", "w.json", "--out", join(server.dir, out)], {
      cwd: server.dir,
      stdio: "ignore",
      env: { ...process.env, WHOSWHO_DATA: join(server.dir, "data"), WHOSWHO_MODELS: "" },
    });
  const listener = server.listen();
  const isHeld = (m: EventMessage) => m.kind === "summary" && m.summary.state === "running" && m.summary.progress.node === "2";
  const killed = begin("killed");
  const told = await listener.until(isHeld);
  const id = told.kind === "summary" ? told.summary.id : "";
  expect(told).toMatchObject({ summary: { progress: { done: 1, total: 3, node: "2" }, scores: [{ name: "value", value: 4 }] } });
  expect((await server.call("run", { params: { id } })).nodes.map((n) => n.state)).toEqual(["finished", "running", "waiting"]);
  killed.kill("SIGKILL");
  await listener.until((m) => m.kind === "summary" && m.summary.id === id && m.summary.state === "interrupted");
  expect((await server.call("run", { params: { id } })).summary).toMatchObject({ progress: { done: 1, total: 3 }, scores: [{ value: 4 }] });

  const second = begin("finished");
  const again = await listener.until((m) => isHeld(m) && m.kind === "summary" && m.summary.id !== id);
  writeFileSync(go, "");
  await listener.until(
    (m) => m.kind === "summary" && again.kind === "summary" && m.summary.id === again.summary.id && m.summary.state === "finished",
  );
  second.kill("SIGKILL");
  listener.close();
});
