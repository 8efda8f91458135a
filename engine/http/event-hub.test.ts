import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { CLOSE, type EventMessage, eventMessage } from "../api/event-message.ts";
import { EventLog } from "../store/event-log.ts";
import { EventHub } from "./event-hub.ts";

let dir: string;
let events: EventLog;
let hub: EventHub;
let server: ReturnType<typeof createServer>;
let port = 0;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "hub-"));
  events = new EventLog(join(dir, "e.sqlite"), { keep: 3000 });
  hub = new EventHub({
    events,
    boot: "b",
    queue: () => ({ isPaused: false, running: null, queued: [] }),
    maxBufferedBytes: 1 << 18,
    maxClients: 3,
  });
  const sockets = new WebSocketServer({ noServer: true });
  server = createServer();
  server.on("upgrade", (request, socket, head) => {
    const since = new URL(request.url ?? "", "http://x").searchParams.get("since");
    sockets.handleUpgrade(request, socket, head, (client) => hub.add(client, since === null ? undefined : Number(since)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  port = typeof address === "object" && address ? address.port : 0;
});
afterEach(async () => {
  hub.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  events.close();
  rmSync(dir, { recursive: true, force: true });
});

interface Client {
  readonly socket: WebSocket;
  readonly messages: EventMessage[];
  readonly closed: Promise<number>;
  count(n: number): Promise<void>;
}

function connect(since?: number): Client {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/?${since === undefined ? "" : `since=${since}`}`);
  const messages: EventMessage[] = [];
  let look = (): void => undefined;
  socket.on("error", () => undefined);
  socket.on("message", (data) => {
    messages.push(eventMessage.parse(JSON.parse(String(data))));
    look();
  });
  return {
    socket,
    messages,
    closed: new Promise((resolve) => socket.once("close", resolve)),
    count: (n) =>
      new Promise((resolve) => {
        look = () => {
          if (messages.length >= n) resolve();
        };
        look();
      }),
  };
}

function say(text: string): number {
  const message = { kind: "log", level: "info", message: text } as const;
  const seq = events.append("", JSON.stringify(message));
  hub.publish({ ...message, seq });
  return seq;
}

test("a client that does not read is dropped, and the others miss nothing", async () => {
  const slow = connect();
  const good = connect();
  await Promise.all([slow.count(1), good.count(1)]);
  slow.socket.pause();
  const large = "x".repeat(100_000);
  const wanted: number[] = [];
  // What fits into the kernel's buffers is unknown: send until the slow one is gone.
  while (hub.size > 1 && wanted.length < 2000) {
    wanted.push(say(large));
    await good.count(wanted.length + 1);
  }
  expect(hub.size).toBe(1);
  expect(good.messages.slice(1).map((m) => (m.kind === "log" ? m.seq : 0))).toEqual(wanted);
  slow.socket.resume();
  const code = await slow.closed;
  expect([CLOSE.slow, 1006]).toContain(code);
});

test("messages that come while a client catches up are neither lost nor doubled", async () => {
  for (let i = 0; i < 2500; i++) say(`old ${i}`);
  const client = connect(0);
  await client.count(2);
  const wanted = 2500 + 200;
  for (let i = 0; i < 200; i++) {
    say(`new ${i}`);
    if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await client.count(wanted + 1);
  expect(client.messages.slice(1).map((m) => (m.kind === "log" ? m.seq : 0))).toEqual(Array.from({ length: wanted }, (_, i) => i + 1));
});

test("a number that is no longer kept, or never was, is said to be", async () => {
  for (let i = 0; i < 10; i++) say(`${i}`);
  const [unknown, known, fresh] = [connect(99), connect(10), connect()];
  await Promise.all([unknown.count(1), known.count(1), fresh.count(1)]);
  expect([unknown, known, fresh].map((c) => c.messages[0])).toMatchObject([
    { kind: "hello", seq: 10, isReset: true },
    { kind: "hello", seq: 10, isReset: false },
    { kind: "hello", seq: 10, isReset: false },
  ]);
});

test("a client that sends is closed; too many are refused", async () => {
  const client = connect();
  await client.count(1);
  client.socket.send("hello");
  expect(await client.closed).toBe(CLOSE.policy);
  const three = [connect(), connect(), connect()];
  await Promise.all(three.map((c) => c.count(1)));
  expect(() => hub.checkRoom()).toThrow(expect.objectContaining({ code: "CLIENTS_FULL" }));
});

test("a client that gives no sign of life is gone after two pings", async () => {
  const client = connect();
  await client.count(1);
  client.socket.pause();
  hub.ping();
  hub.ping();
  client.socket.resume();
  expect(await client.closed).toBe(1006);
});
