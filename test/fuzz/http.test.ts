// Damaged HTTP and websocket frames: the server refuses them, says so, and goes on.
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Route, routes, routeUrl } from "../../engine/api/routes.ts";
import { type RandomSource, randomSource } from "../../engine/base/random.ts";
import { NASTY_NAMES } from "../security/nasty-names.ts";
import { startToyServer, stopToyServer, type ToyServer, trouble } from "../server/toy-server.ts";
import { FUZZ_TIMEOUT_MS, fuzzRuns, mutateBytes } from "./mutations.ts";

const RUNS = fuzzRuns(400);
const AT_ONCE = 16;

let server: ToyServer;
const faults: string[] = [];
beforeAll(async () => {
  server = await startToyServer(undefined, { onStderr: (text) => faults.push(text) });
  await server.call("pauseQueue");
});
afterAll(() => stopToyServer(server));

/** Sends bytes and nothing more, and answers what came back until the server ended the connection. */
function exchange(bytes: Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(server.port, "127.0.0.1");
    let answer = "";
    socket.on("data", (data) => {
      answer += data.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(answer));
    socket.end(bytes);
  });
}

const pick = <T>(random: RandomSource, of: readonly T[]): T => {
  const found = of[random.below(of.length)];
  if (found === undefined) throw new Error("nothing to pick from");
  return found;
};

const BODIES = [
  "",
  "{}",
  "[]",
  "null",
  '"x"',
  "{",
  '{"workflow":{}}',
  '{"workflow":{"nodes":[],"links":[]}}',
  JSON.stringify({ workflow: trouble("none"), client: "c", key: "12345678" }),
  JSON.stringify({ workflow: trouble("none"), targets: ["3"], pinned: [{ node: "1", run: "x" }] }),
  JSON.stringify({
    workflow: trouble("none"),
    node: "1",
    picture: { filename: "a", subfolder: "", type: "input" },
    client: "c",
    key: "12345678",
  }),
  '{"document":{"nodes":[]},"base":null}',
  '{"run":"x","before":null}',
  `{"workflow":${"[".repeat(90)}${"]".repeat(90)}}`,
  '{"workflow":{"1":{"class_type":"ToySave","inputs":{"a":["1",0]}}},"client":"c","key":"87654321"}',
  '{"workflow":1e999,"x":-0,"y":123456789012345678901234567890}',
];

/** A request that is nearly right. */
function nearly(random: RandomSource): Uint8Array {
  const all: readonly Route[] = Object.values(routes);
  const route = pick(random, all);
  const name = random.below(2) === 0 ? "a.png" : pick(random, NASTY_NAMES);
  const params = { root: pick(random, ["input", "output", "temp", "x"]), name, id: name, folder: "vae" };
  const query =
    random.below(3) === 0 ? { width: pick(random, ["1", "-1", "x", "1e9"]), name, limit: "3", after: name, before: name, state: "x" } : {};
  const method =
    random.below(5) === 0 ? pick(random, ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT"]) : route.method;
  const body = random.below(4) === 0 ? "" : pick(random, BODIES);
  const lines = [
    `${method} ${routeUrl(route, params, query)} HTTP/1.1`,
    `Host: 127.0.0.1:${server.port}`,
    "X-Whos-Who: 1",
    "Content-Type: application/json",
    ...(random.below(4) === 0
      ? [
          pick(random, [
            "Range: bytes=0-",
            "Range: bytes=-1",
            "Range: bytes=9-1",
            "If-None-Match: *",
            "Expect: 100-continue",
            "Accept-Encoding: gzip",
          ]),
        ]
      : []),
    ...(random.below(4) === 0 ? ["Transfer-Encoding: chunked"] : [`Content-Length: ${Buffer.byteLength(body)}`]),
    "Connection: close",
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`, "utf8");
}

/** One frame: mostly masked and whole, sometimes not. */
function frame(random: RandomSource): Uint8Array {
  const payload = Uint8Array.from({ length: pick(random, [0, 1, 2, 20, 125, 126, 200, 4096, 5000]) }, () => random.below(256));
  const first = (random.below(4) === 0 ? random.below(256) : 0x80) | pick(random, [0, 1, 2, 8, 9, 10, random.below(16)]);
  const masked = random.below(8) === 0 ? 0 : 0x80;
  const length = random.below(10) === 0 ? random.below(2 ** 31) : payload.length;
  const head =
    length < 126
      ? [first, masked | length]
      : length < 65_536
        ? [first, masked | 126, length >> 8, length & 255]
        : [first, masked | 127, 0, 0, 0, 0, (length >>> 24) & 255, (length >>> 16) & 255, (length >>> 8) & 255, length & 255];
  const bytes = Uint8Array.from([...head, ...(masked ? [0, 0, 0, 0] : []), ...payload]);
  return random.below(3) === 0 ? mutateBytes(random, bytes) : bytes;
}

/** @param one draws what it sends before it waits, so that the same things are sent each time */
async function flood(count: number, one: (random: RandomSource) => Promise<void>): Promise<void> {
  const random = randomSource(1);
  let left = count;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await one(random);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

async function expectHealthy(): Promise<void> {
  expect(faults.filter((text) => text.startsWith("fault"))).toEqual([]);
  expect((await server.call("queue")).running).toBeNull();
}

test(`${RUNS} damaged requests: an answer of 4xx or 2xx, never a fault`, { timeout: FUZZ_TIMEOUT_MS }, async () => {
  const statuses = new Map<string, number>();
  await flood(RUNS, async (random) => {
    const request = nearly(random);
    const sent = random.below(3) === 0 ? request : mutateBytes(random, request);
    const answer = await exchange(sent);
    const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? (answer === "" ? "none" : "nonsense");
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  });
  expect([...statuses.keys()].filter((s) => s === "nonsense" || s.startsWith("5"))).toEqual([]);
  expect([...statuses.keys()].sort()).toEqual(expect.arrayContaining(["200", "400", "404"]));
  await expectHealthy();
});

test(`${RUNS} damaged websocket conversations: closed, never a fault`, { timeout: FUZZ_TIMEOUT_MS }, async () => {
  let opened = 0;
  await flood(RUNS, async (random) => {
    const since = random.below(3) === 0 ? `?since=${pick(random, ["0", "1", "999999", "-1", "x", "1e3", "%30"])}` : "";
    const upgrade = Buffer.from(
      `GET /api/events${since} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
    const frames = Array.from({ length: 1 + random.below(4) }, () => frame(random));
    const handshake = random.below(6) === 0 ? mutateBytes(random, upgrade) : upgrade;
    const answer = await exchange(Buffer.concat([handshake, ...frames]));
    if (answer.startsWith("HTTP/1.1 101")) opened++;
  });
  expect(opened).toBeGreaterThan(RUNS / 4);
  await expectHealthy();
});
