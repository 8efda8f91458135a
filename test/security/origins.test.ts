// Which pages may do what: every origin × every Sec-Fetch-Site × every kind of request, against a server that listens.
import { afterAll, beforeAll, expect, test } from "vitest";
import { startToyServer, stopToyServer, type ToyServer } from "../server/toy-server.ts";
import { ask, codeOf, type Told, UPGRADE } from "./ask.ts";

let server: ToyServer;
beforeAll(async () => {
  server = await startToyServer();
});
afterAll(() => stopToyServer(server));

const WRITE = { "x-whos-who": "1", "content-type": "application/json" };
const KINDS = {
  page: { method: "GET", path: "/", headers: {}, body: "" },
  data: { method: "GET", path: "/api/queue", headers: {}, body: "" },
  post: { method: "POST", path: "/api/queue/pause", headers: WRITE, body: "{}" },
  put: { method: "PUT", path: "/api/graphs/made", headers: WRITE, body: '{"document":{}}' },
  delete: { method: "DELETE", path: "/api/graphs/none", headers: WRITE, body: "" },
  socket: { method: "GET", path: "/api/events", headers: UPGRADE, body: "" },
} as const;
/** Origins, seen from a server at `here`. */
const ORIGINS: Readonly<Record<string, (here: string, port: number) => string | undefined>> = {
  absent: () => undefined,
  own: (here) => `http://${here}`,
  null: () => "null",
  "another port": (_here, port) => `http://127.0.0.1:${port === 65_535 ? 1 : port + 1}`,
  https: (here) => `https://${here}`,
  "another loopback name": (_here, port) => `http://localhost:${port}`,
  "own name as a prefix": (here) => `http://${here}.evil.example`,
  stranger: () => "http://evil.example",
};
const SITES = [undefined, "same-origin", "same-site", "cross-site", "none", "nonsense"] as const;

/** The promise, said otherwise than in the code. */
function isAllowed(kind: keyof typeof KINDS, origin: string, site: (typeof SITES)[number]): boolean {
  if (origin !== "absent" && origin !== "own") return false;
  if (site === undefined || site === "same-origin") return true;
  if (site === "none") return kind === "page" || kind === "data";
  return kind === "page" && (site === "cross-site" || site === "same-site");
}

const cases = (Object.keys(KINDS) as (keyof typeof KINDS)[]).flatMap((kind) =>
  Object.keys(ORIGINS).flatMap((origin) => SITES.map((site) => ({ kind, origin, site }))),
);

test("288 cases of origin: refused ones have no effect", async () => {
  expect(cases.length).toBe(288);
  const wrong: string[] = [];
  for (const { kind, origin, site } of cases) {
    const { method, path, headers, body } = KINDS[kind];
    const from = ORIGINS[origin]?.(`127.0.0.1:${server.port}`, server.port);
    const told: Told = await ask(
      server.port,
      method,
      path,
      { ...headers, ...(from !== undefined && { origin: from }), ...(site !== undefined && { "sec-fetch-site": site }) },
      body,
    );
    const refused = told.status === 403 && codeOf(told) === "ORIGIN_NOT_ALLOWED";
    if (refused === isAllowed(kind, origin, site)) wrong.push(`${kind}, origin ${origin}, site ${site}: ${told.status} ${codeOf(told)}`);
    if (kind === "post") {
      const { isPaused } = await server.call("queue");
      if (isPaused === refused) wrong.push(`${kind}, origin ${origin}, site ${site}: paused ${isPaused}`);
      if (isPaused) await server.call("resumeQueue");
    }
    if (kind === "put") {
      const { graphs } = await server.call("graphs");
      if (graphs.length > 0 === refused) wrong.push(`${kind}, origin ${origin}, site ${site}: ${graphs.length} graphs`);
      if (graphs.length > 0) await server.call("removeGraph", { params: { name: "made" } });
    }
  }
  expect(wrong).toEqual([]);
});

test("a request with effects without our own header is refused: a form can't send it", async () => {
  for (const type of ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
    expect(codeOf(await ask(server.port, "POST", "/api/queue/pause", { "content-type": type }, "{}"))).toBe("CLIENT_HEADER_MISSING");
  expect((await server.call("queue")).isPaused).toBe(false);
  // No answer allows another origin to send the header.
  const preflight = await ask(server.port, "OPTIONS", "/api/queue/pause", {
    origin: "http://evil.example",
    "access-control-request-method": "POST",
    "access-control-request-headers": "x-whos-who",
  });
  expect(preflight.headers["access-control-allow-origin"]).toBeUndefined();
});

test("names it answers to, and names it does not", async () => {
  const { port } = server;
  const good = [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`];
  const bad = [
    "",
    "127.0.0.1",
    "localhost",
    `127.0.0.1:${port + 1}`,
    `127.0.0.2:${port}`,
    `127.1:${port}`,
    `0.0.0.0:${port}`,
    `2130706433:${port}`,
    `0x7f000001:${port}`,
    `localhost.:${port}`,
    `localhost.evil.example:${port}`,
    `evil.example:${port}`,
    `evil.example#localhost:${port}`,
    `user@localhost:${port}`,
    `localhost:${port}@evil.example`,
    `127.0.0.1:${port}.evil.example`,
    `127.0.0.1.nip.io:${port}`,
    `[::ffff:127.0.0.1]:${port}`,
    `[::]:${port}`,
    `localhost:${port},evil.example`,
  ];
  for (const host of good) expect([host, (await ask(port, "GET", "/api/queue", { host })).status]).toEqual([host, 200]);
  for (const host of bad)
    for (const [path, headers] of [
      ["/api/queue", {}],
      ["/", {}],
      ["/api/events", UPGRADE],
    ] as const) {
      const told = await ask(port, "GET", path, { ...headers, host });
      expect([host, path, told.status >= 400]).toEqual([host, path, true]);
      if (host !== "") expect([host, codeOf(told)]).toEqual([host, "HOST_NOT_ALLOWED"]);
    }
});
