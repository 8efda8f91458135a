// What the server owes its clients: events on time, a cancel that is answered, an event loop that is never held.
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import { z } from "zod";
import { encodePng } from "../../nodes/shared/pictures/codec.ts";
import { client, trouble } from "../../test/server/toy-server.ts";
import { type Measured, quantile } from "./measured.ts";
import { startServer, timeStart } from "./server-process.ts";

const ROOT = join(import.meta.dirname, "../..");
const CLIENTS = 100;
const RUNS = 40;
const CANCELS = 5;

/** @param folder of everything that is written */
export async function serverSpeed(folder: string): Promise<Measured[]> {
  return [await starts(join(folder, "starts")), ...(await withToyServer(join(folder, "toy"))), await held(join(folder, "held"))];
}

async function starts(folder: string): Promise<Measured> {
  await timeStart(folder);
  const times: number[] = [];
  for (let i = 0; i < 5; i++) times.push(await timeStart(folder));
  return { name: "npm start, after the first (median of 5)", value: quantile(times, 0.5), unit: "ms", goal: { most: 2000 } };
}

/** Toy nodes: what is measured is the server, not what a node computes. */
async function withToyServer(folder: string): Promise<Measured[]> {
  mkdirSync(folder, { recursive: true });
  const child = spawn(process.execPath, [join(ROOT, "test/server/toy-server.ts"), folder], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const lines = createInterface({ input: child.stdout });
    const [line] = await once(lines, "line");
    const { port } = z.object({ port: z.number() }).parse(JSON.parse(String(line)));
    return [await listeners(port), ...(await cancels(port, child))];
  } finally {
    child.kill("SIGKILL");
  }
}

async function listeners(port: number): Promise<Measured> {
  const server = client(port);
  const delays: number[] = [];
  const sockets = await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/api/events`);
      socket.on("message", (data) => {
        const now = Date.now();
        const at = /"event":\{[^}]*?"at":(\d+)/.exec(String(data))?.[1];
        if (at !== undefined) delays.push(now - Number(at));
      });
      await once(socket, "open");
      return socket;
    }),
  );
  const runs = await Promise.all(Array.from({ length: RUNS }, (_, i) => server.submit(trouble("none", "", i))));
  for (const { id } of runs) await server.ended(id);
  for (const socket of sockets) socket.close();
  return {
    name: `${CLIENTS} clients: an event made to received (99 % of ${delays.length})`,
    value: quantile(delays, 0.99),
    unit: "ms",
    goal: { most: 100 },
  };
}

/** A node that hangs in a loop: only killing its process ends it. */
async function cancels(port: number, parent: ChildProcess): Promise<Measured[]> {
  const server = client(port);
  const [answered, gone]: [number[], number[]] = [[], []];
  for (let i = 0; i < CANCELS; i++) {
    const listener = server.listen();
    const { id } = await server.submit(trouble("loop", "", 50 + i));
    await listener.until((m) => m.kind === "run" && m.event.run === id && m.event.kind === "node.progress");
    listener.close();
    const compute = childrenOf(parent.pid ?? 0).find((pid) => commandOf(pid).includes("toy-worker"));
    if (compute === undefined) throw new Error("the server has no compute process");
    const started = performance.now();
    await server.call("cancel", { params: { id } });
    answered.push(performance.now() - started);
    while (commandOf(compute).includes("toy-worker")) await pause(2);
    gone.push(performance.now() - started);
    await server.ended(id);
  }
  return [
    { name: `cancel of a hanging node: answered (slowest of ${CANCELS})`, value: Math.max(...answered), unit: "ms", goal: { most: 300 } },
    {
      name: `cancel of a hanging node: its process gone (slowest of ${CANCELS})`,
      value: Math.max(...gone),
      unit: "ms",
      goal: { most: 2000 },
    },
  ];
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ").filter(Boolean).map(Number);
}

/** "" when there is no such process, or only what is left of one. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

/** The real server loads its models and edits, while a large picture is uploaded, decoded and made small. */
async function held(folder: string): Promise<Measured> {
  const server = await startServer(folder);
  try {
    const api = client(server.port);
    const workflow = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(join(ROOT, "graphs/edit.json"), "utf8")));
    const picture = await largePicture();
    await server.held();
    const { id } = await api.submit(workflow);
    const info = await api.call("upload", { query: { name: "large.png" }, body: picture });
    for (const width of [256, 1024]) {
      const response = await api.raw(`/api/files/input/${encodeURIComponent(info.ref.filename)}?width=${width}`);
      if (!response.ok) throw new Error(`no thumbnail: ${response.status}`);
      await response.arrayBuffer();
    }
    const { models } = await api.call("models");
    for (const { folder: of, name } of models.filter((m) => /\.(safetensors|onnx)$/.test(m.name)))
      await api.call("model", { params: { folder: of, name } });
    const { state } = await api.ended(id);
    if (state !== "finished") throw new Error(`the run ${state}`);
    return {
      name: "event loop held while models are loaded and pictures decoded (longest)",
      value: await server.held(),
      unit: "ms",
      goal: { most: 250 },
    };
  } finally {
    await server.stop();
  }
}

/** 4000 × 3000 with noise in it, about 25 MB as PNG. */
async function largePicture(): Promise<Uint8Array> {
  const [width, height] = [4000, 3000];
  const rgb = new Uint8Array(width * height * 3);
  const noise = randomBytes(65_536);
  for (let i = 0; i < rgb.length; i++) rgb[i] = ((i >> 12) + (noise[i & 65_535] ?? 0) / 4) & 255;
  return encodePng(rgb, width, height);
}
