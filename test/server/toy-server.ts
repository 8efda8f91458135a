// A whole server over toy nodes, for tests; run as a program it serves until it is killed.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { type EventMessage, eventMessage } from "../../engine/api/event-message.ts";
import { type Answer, type Asked, CLIENT_HEADER, type RouteName, routes, routeUrl } from "../../engine/api/routes.ts";
import type { RunSummary } from "../../engine/api/runs.ts";
import { parseJson, stringifyJson } from "../../engine/base/json.ts";
import { type Served, serve } from "../../engine/http/serve.ts";
import { toyNodes } from "../crash/toy-nodes.ts";

const ROOT = join(import.meta.dirname, "../..");
const LIMITS = { maxCharacters: 2 ** 26, maxDepth: 100 };

export interface ToyServer extends Served {
  readonly dir: string;
  call<N extends RouteName>(name: N, asked?: Partial<Asked<N>>): Promise<Answer<N>>;
  /** The answer as it is, errors too. */
  raw(path: string, init?: RequestInit): Promise<Response>;
  /** Submits a prompt under a new key. */
  submit(prompt: Record<string, unknown>, more?: Record<string, unknown>): Promise<RunSummary>;
  /** The run's summary once it has left `queued` and `running`. */
  ended(run: string): Promise<RunSummary>;
  listen(since?: number): Listener;
}

export interface Listener {
  readonly messages: readonly EventMessage[];
  readonly socket: WebSocket;
  /** The first message, old or new, that fits. */
  until(fits: (message: EventMessage) => boolean): Promise<EventMessage>;
  close(): void;
}

/** @param dir of everything it writes; WHOSWHO_DATA of this process is set to a folder in it */
export async function startToyServer(
  dir = mkdtempSync(join(tmpdir(), "server-")),
  more: Partial<Parameters<typeof serve>[0]> = {},
): Promise<ToyServer> {
  process.env.WHOSWHO_DATA = join(dir, "data");
  const served = await serve({
    program: {
      root: ROOT,
      worker: new URL("../crash/toy-worker.ts", import.meta.url),
      nodes: async () => toyNodes,
      runtimeInfo: async () => ({ version: "0", backends: [] }),
    },
    reader: new URL("../../reader.ts", import.meta.url),
    host: "127.0.0.1",
    port: 0,
    names: [],
    input: join(dir, "input"),
    output: join(dir, "out"),
    graphs: join(dir, "graphs"),
    models: [join(dir, "models")],
    device: "cpu",
    open: null,
    onStderr: () => undefined,
    ...more,
  });
  return Object.assign(client(served.port), served, { dir });
}

let keys = 0;

/** Speaks to a server on this port. */
export function client(port: number): Omit<ToyServer, keyof Served | "dir"> {
  const base = `http://127.0.0.1:${port}`;
  const raw: ToyServer["raw"] = (path, init) =>
    fetch(`${base}${path}`, { redirect: "manual", ...init, headers: { [CLIENT_HEADER]: "1", ...init?.headers } });
  const call: ToyServer["call"] = async (name, asked = {}) => {
    const route = routes[name];
    const body = asked.body;
    const response = await raw(
      routeUrl(route, (asked.params ?? {}) as Record<string, string>, (asked.query ?? {}) as Record<string, unknown>),
      {
        method: route.method,
        ...(body instanceof Uint8Array
          ? { body: Buffer.from(body) }
          : body !== undefined && { body: stringifyJson(body), headers: { "content-type": "application/json" } }),
      },
    );
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    const answer: (typeof routes)[typeof name]["answer"] = route.answer;
    return (answer === "bytes" ? bytes : answer.parse(parseJson(new TextDecoder().decode(bytes), LIMITS))) as Answer<typeof name>;
  };
  const listen: ToyServer["listen"] = (since) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/events${since === undefined ? "" : `?since=${since}`}`);
    const messages: EventMessage[] = [];
    const waiting = new Set<() => void>();
    socket.on("error", () => undefined);
    socket.on("message", (data) => {
      messages.push(eventMessage.parse(parseJson(String(data), LIMITS)));
      for (const look of waiting) look();
    });
    return {
      messages,
      socket,
      until: (fits) =>
        new Promise((resolve) => {
          const look = (): void => {
            const found = messages.find(fits);
            if (!found) return;
            waiting.delete(look);
            resolve(found);
          };
          waiting.add(look);
          look();
        }),
      close: () => socket.close(),
    };
  };
  return {
    raw,
    call,
    listen,
    submit: (prompt, more = {}) =>
      call("submit", { body: { workflow: prompt, client: "test", key: `test-key-${process.pid}-${keys++}`, name: "test", ...more } }),
    async ended(run) {
      const listener = listen(0);
      const isEnd = (s: RunSummary) => s.id === run && s.state !== "queued" && s.state !== "running";
      try {
        const message = await listener.until((m) => m.kind === "summary" && isEnd(m.summary));
        if (message.kind !== "summary") throw new Error("unreachable");
        return (await call("run", { params: { id: run } })).summary;
      } finally {
        listener.close();
      }
    },
  };
}

export async function stopToyServer(server: ToyServer): Promise<void> {
  await server.close();
  rmSync(server.dir, { recursive: true, force: true });
}

/** 7, saved, by way of whatever trouble is asked for. */
export const trouble = (kind: string, unless = "", value = 7): Record<string, unknown> => ({
  1: { class_type: "ToyNumber", inputs: { value } },
  2: { class_type: "ToyTrouble", inputs: { a: ["1", 0], trouble: kind, unless } },
  3: { class_type: "ToySave", inputs: { a: ["2", 0] } },
});

export const training: Record<string, unknown> = {
  1: { class_type: "ToyTrain", inputs: {} },
  2: { class_type: "ToySave", inputs: { a: ["1", 0] } },
};

if (import.meta.main) {
  const server = await startToyServer(process.argv[2]);
  process.stdout.write(`${JSON.stringify({ port: server.port })}\n`);
}
