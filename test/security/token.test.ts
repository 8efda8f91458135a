// A server that others can reach asks for its token, on every route.
import { statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { routes, routeUrl } from "../../engine/api/routes.ts";
import { startToyServer, stopToyServer, type ToyServer } from "../server/toy-server.ts";
import { ask, codeOf, UPGRADE } from "./ask.ts";

let server: ToyServer;
let token: string;
beforeAll(async () => {
  server = await startToyServer(undefined, { host: "0.0.0.0", names: ["studio.example"] });
  token = new URL(server.url).searchParams.get("token") ?? "";
});
afterAll(() => stopToyServer(server));

test("the token is long, printed with the address, and readable by its owner only", () => {
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(statSync(join(server.dir, "data/token")).mode & 0o777).toBe(0o600);
});

test("no route, no page and no socket without it", async () => {
  const wrong = [
    {},
    { authorization: `Bearer ${token.slice(0, -1)}x` },
    { cookie: "whos-who-token=" },
    { authorization: `Basic ${token}` },
  ];
  for (const headers of wrong) {
    for (const route of Object.values(routes)) {
      const told = await ask(server.port, route.method, routeUrl(route, { name: "x", id: "x", root: "input", folder: "x" }), {
        "x-whos-who": "1",
        ...headers,
      });
      expect([route.path, told.status, codeOf(told)]).toEqual([route.path, 401, "TOKEN_REQUIRED"]);
    }
    expect((await ask(server.port, "GET", "/", headers)).status).toBe(401);
    expect((await ask(server.port, "GET", "/api/events", { ...UPGRADE, ...headers })).status).toBe(401);
  }
  // In a query it counts at the door only.
  expect((await ask(server.port, "GET", `/api/queue?token=${token}`)).status).toBe(401);
});

test("with it: as a header, and as the cookie that the printed address gives", async () => {
  expect((await ask(server.port, "GET", "/api/queue", { authorization: `Bearer ${token}` })).status).toBe(200);
  const door = await ask(server.port, "GET", `/?token=${token}`);
  expect([door.status, door.headers.location]).toEqual([303, "/"]);
  const cookie = String(door.headers["set-cookie"]);
  expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
  const [pair = ""] = cookie.split(";");
  expect((await ask(server.port, "GET", "/api/queue", { cookie: pair })).status).toBe(200);
  expect((await ask(server.port, "GET", "/api/events", { ...UPGRADE, cookie: `a=b; ${pair}` })).status).toBe(101);
  expect((await ask(server.port, "GET", "/api/queue", { host: `studio.example:${server.port}`, cookie: pair })).status).toBe(200);
  // A wrong one at the door is no way in.
  expect((await ask(server.port, "GET", `/?token=${token.slice(1)}a`)).status).toBe(401);
});
