import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Settings } from "../../api/system.ts";
import type { RunEvent, RunEventBody } from "../../graph/events.ts";
import { TrainingLog } from "../training/training-log.ts";
import { TrackerFeed } from "./tracker-feed.ts";

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly body: unknown;
  readonly token: unknown;
}

let dir = "";
let asked: Asked[] = [];
let answers: (asked: Asked) => { readonly status?: number; readonly body: unknown } = () => ({ body: {} });
let server: Server;
let url = "";
let warnings: string[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "trackers-"));
  mkdirSync(join(dir, "train-1"));
  asked = [];
  warnings = [];
  server = createServer(async (request, response) => {
    let text = "";
    for await (const part of request) text += String(part);
    const one = {
      method: request.method ?? "",
      url: request.url ?? "",
      body: text === "" ? undefined : JSON.parse(text),
      token: request.headers["x-trackio-write-token"],
    };
    asked.push(one);
    const { status = 200, body } = answers(one);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
});
afterEach(() => {
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

function feed(trackers: Settings["trackers"]): TrackerFeed {
  return new TrackerFeed(
    {
      trackers: async () => trackers,
      log: (directory) => new TrainingLog(join(dir, directory)),
      describe: () => ({ name: "train", started: 1000, settings: { rank: 8, mode: "rerefl" } }),
      warn: (message) => warnings.push(message),
    },
    0,
  );
}

let seq = 0;
const event = (body: RunEventBody): RunEvent => ({ run: "r1", seq: seq++, at: 0, ...body });
const of = { node: "9", type: "TrainReReFL" };
const begins = event({ kind: "node.shown", ...of, ui: { training: [{ directory: "train-1", updates: 3 }] } });
const line = (step: number, more: object) =>
  appendFileSync(join(dir, "train-1", "metrics.jsonl"), `${JSON.stringify({ step, ...more })}\n`);

test("Trackio gets new updates with their step, the settings once, and the token in a header", async () => {
  answers = () => ({ body: { data: null } });
  const sink = feed({ trackio: { url: `${url}/?write_token=secret`, project: "umo" } });
  sink.event(begins);
  await sink.idle();
  line(1, { loss: 0.5, grad_norm: null });
  line(2, { loss: 0.25, "held_out.reward": 0.7 });
  sink.event(event({ kind: "run.finished", ms: 1 }));
  await sink.idle();
  expect(asked).toEqual([
    {
      method: "POST",
      url: "/api/bulk_log",
      token: "secret",
      body: {
        args: [],
        kwargs: {
          hf_token: null,
          logs: [
            {
              project: "umo",
              run: "train r1",
              run_id: "r1",
              step: 1,
              metrics: { loss: 0.5 },
              log_id: "r1-1",
              config: { rank: 8, mode: "rerefl" },
            },
            {
              project: "umo",
              run: "train r1",
              run_id: "r1",
              step: 2,
              metrics: { loss: 0.25, "held_out.reward": 0.7 },
              log_id: "r1-2",
              config: null,
            },
          ],
        },
      },
    },
  ]);
  expect(warnings).toEqual([]);
});

test("MLflow: the experiment is found or made, then run, parameters, metrics and end", async () => {
  answers = (one) =>
    one.url.includes("get-by-name")
      ? { status: 404, body: { error_code: "RESOURCE_DOES_NOT_EXIST" } }
      : one.url.endsWith("experiments/create")
        ? { body: { experiment_id: "7" } }
        : one.url.endsWith("runs/create")
          ? { body: { run: { info: { run_id: "abc" } } } }
          : { body: {} };
  const sink = feed({ mlflow: { url: `${url}/`, experiment: "who is who" } });
  sink.event(begins);
  await sink.idle();
  line(1, { loss: 0.5 });
  sink.event(event({ kind: "run.cancelled", ms: 1 }));
  await sink.idle();
  expect(asked.map((a) => `${a.method} ${a.url}`)).toEqual([
    "GET /api/2.0/mlflow/experiments/get-by-name?experiment_name=who+is+who",
    "POST /api/2.0/mlflow/experiments/create",
    "POST /api/2.0/mlflow/runs/create",
    "POST /api/2.0/mlflow/runs/log-batch",
    "POST /api/2.0/mlflow/runs/log-batch",
    "POST /api/2.0/mlflow/runs/update",
  ]);
  expect(asked[2]?.body).toMatchObject({ experiment_id: "7", run_name: "train r1", start_time: 1000 });
  expect(asked[3]?.body).toEqual({
    run_id: "abc",
    params: [
      { key: "rank", value: "8" },
      { key: "mode", value: "rerefl" },
    ],
  });
  expect(asked[4]?.body).toMatchObject({ run_id: "abc", metrics: [{ key: "loss", value: 0.5, step: 1 }] });
  expect(asked[5]?.body).toMatchObject({ run_id: "abc", status: "KILLED" });
});

test("off by default: nothing is sent", async () => {
  for (const trackers of [undefined, {}]) {
    const sink = feed(trackers);
    sink.event(begins);
    line(1, { loss: 0.5 });
    sink.event(event({ kind: "node.progress", ...of, value: 1, max: 3 }));
    sink.event(event({ kind: "run.finished", ms: 1 }));
    await sink.idle();
  }
  expect(asked).toEqual([]);
});

test("a tracker that refuses is given up for this training, with its own words; the other goes on", async () => {
  answers = (one) => (one.url.includes("mlflow") ? { status: 500, body: { message: "disk full" } } : { body: {} });
  const sink = feed({ trackio: { url, project: "p" }, mlflow: { url, experiment: "e" } });
  sink.event(begins);
  await sink.idle();
  line(1, { loss: 0.5 });
  sink.event(event({ kind: "run.failed", ms: 1, error: { code: "X", message: "x" } }));
  await sink.idle();
  expect(warnings).toEqual([expect.stringMatching(/^MLflow gets nothing more of this training: it answered 500.*disk full/)]);
  expect(asked.filter((a) => a.url === "/api/bulk_log")).toHaveLength(1);
});

test("Trackio's error in an answer of 200 counts; a server that is not there too", async () => {
  answers = () => ({ body: { error: "A write_token is required" } });
  for (const address of [url, "http://127.0.0.1:9"]) {
    const sink = feed({ trackio: { url: address, project: "p" } });
    sink.event(begins);
    await sink.idle();
    line(1, { loss: 1 });
    sink.event(event({ kind: "run.finished", ms: 1 }));
    await sink.idle();
    rmSync(join(dir, "train-1", "metrics.jsonl"));
  }
  expect(warnings).toHaveLength(2);
  expect(warnings[0]).toContain("write_token is required");
});

test("a resumed training tells only of what is new", async () => {
  writeFileSync(join(dir, "train-1", "metrics.jsonl"), '{"step":1,"loss":1}\n{"step":2,"loss":1}\n');
  const sink = feed({ trackio: { url, project: "p" } });
  sink.event(begins);
  await sink.idle();
  line(3, { loss: 0.5 });
  sink.event(event({ kind: "run.finished", ms: 1 }));
  await sink.idle();
  expect(asked.map((a) => a.body)).toMatchObject([{ kwargs: { logs: [{ step: 3 }] } }]);
});
