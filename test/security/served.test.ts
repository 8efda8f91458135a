// What users and runs put into folders is served so that it can't run in the page; everything has a limit, each with its own code.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startToyServer, stopToyServer, type ToyServer } from "../server/toy-server.ts";
import { ask, codeOf } from "./ask.ts";

let server: ToyServer;
beforeAll(async () => {
  server = await startToyServer();
  mkdirSync(join(server.dir, "out"), { recursive: true });
});
afterAll(() => stopToyServer(server));

const WRITE = { "x-whos-who": "1", "content-type": "application/json" };
const SCRIPT = "<script>fetch('/api/queue/pause',{method:'POST'})</script>";

test("only pictures, text and JSON are shown; the rest is an attachment in a sandbox", async () => {
  const inline: Record<string, string> = {
    "a.png": "image/png",
    "a.PNG": "image/png",
    "a.jpg": "image/jpeg",
    "a.jpeg": "image/jpeg",
    "a.webp": "image/webp",
    "a.txt": "text/plain; charset=utf-8",
    "a.json": "application/json; charset=utf-8",
    "a.jsonl": "text/plain; charset=utf-8",
    "a.csv": "text/plain; charset=utf-8",
  };
  const attached = [
    "html",
    "htm",
    "svg",
    "xml",
    "xhtml",
    "js",
    "mjs",
    "css",
    "pdf",
    "gif",
    "wasm",
    "swf",
    "safetensors",
    "png.html",
    "txt~",
    "",
    "json5",
    "shtml",
    "mht",
    "url",
    "constructor",
  ];
  const names = [
    ...Object.keys(inline),
    ...attached.map((extension) => `b.${extension}`),
    "no-extension",
    'quo"te.html',
    "line\u2028.html",
    "ümlaut.svg",
  ];
  for (const name of names) {
    writeFileSync(join(server.dir, "out", name), SCRIPT);
    const { status, headers } = await ask(server.port, "GET", `/api/files/output/${encodeURIComponent(name)}`);
    expect([name, status]).toEqual([name, 200]);
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["content-security-policy"]).toMatch(/default-src 'none'.*sandbox/);
    expect(headers["cross-origin-resource-policy"]).toBe("same-origin");
    const type = inline[name];
    expect([name, headers["content-type"]]).toEqual([name, type ?? "application/octet-stream"]);
    if (type === undefined)
      expect(headers["content-disposition"]).toMatch(/^attachment; filename="[A-Za-z0-9._ -]+"; filename\*=UTF-8''[!-~]+$/);
    else expect(headers["content-disposition"]).toBeUndefined();
    expect(
      (await ask(server.port, "GET", `/api/files/output/${encodeURIComponent(name)}?download=1`)).headers["content-disposition"],
    ).toMatch(/^attachment/);
  }
});

test("every answer says that it is not to be sniffed or framed, and the page runs its own files only", async () => {
  for (const path of ["/", "/api/queue", "/api/none", "/none", "/%zz", "/api/files/output/none.png"]) {
    const { headers } = await ask(server.port, "GET", path);
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["x-frame-options"]).toBe("DENY");
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe-inline|unsafe-eval|\*|https?:/);
    expect(headers["x-powered-by"]).toBeUndefined();
  }
});

test("what is no picture is not taken, whatever it is called", async () => {
  for (const [body, code] of [
    [SCRIPT, "IMAGE_FORMAT"],
    ["", "IMAGE_FORMAT"],
    ["GIF89a", "IMAGE_CORRUPT"],
    ["<svg xmlns='http://www.w3.org/2000/svg'/>", "IMAGE_FORMAT"],
    ["\x89PNG\r\n\x1a\n and then nothing", "IMAGE_CORRUPT"],
  ] as const)
    expect(codeOf(await ask(server.port, "POST", "/api/files/input?name=a.png", { "x-whos-who": "1" }, Buffer.from(body, "latin1")))).toBe(
      code,
    );
  expect((await server.call("files", { params: { root: "input" } })).files.filter((f) => f.ref.filename === "a.png")).toEqual([]);
});

test("every size has a limit with a code of its own", async () => {
  const json = (body: string, path = "/api/validate", method = "POST") => ask(server.port, method, path, WRITE, body);
  const large = `"${"x".repeat(17 * 2 ** 20)}"`;
  expect(codeOf(await json(`{"workflow":${large}}`))).toBe("BODY_TOO_LARGE");
  expect(codeOf(await json(`{"workflow":${"[".repeat(200)}${"]".repeat(200)}}`))).toBe("JSON_TOO_DEEP");
  expect(codeOf(await json('{"workflow":'))).toBe("JSON_SYNTAX");
  expect(codeOf(await json('{"__proto__":1}'))).toBe("JSON_KEY");
  expect(codeOf(await json("[]"))).toBe("REQUEST_INVALID");
  expect(codeOf(await ask(server.port, "POST", "/api/validate", { ...WRITE, "content-type": "text/plain" }, "{}"))).toBe("BODY_TYPE");
  expect(codeOf(await ask(server.port, "GET", `/api/queue?${"x".repeat(9000)}`))).toBe("URL_TOO_LONG");
  expect(codeOf(await ask(server.port, "GET", "/api/queue", { "x-large": "x".repeat(20_000) }))).toBe("HEADERS_TOO_LARGE");
  expect(
    codeOf(await ask(server.port, "POST", "/api/files/input?name=a.png", { "x-whos-who": "1", "content-length": String(2 ** 30) })),
  ).toBe("UPLOAD_TOO_LARGE");
  expect(codeOf(await json(`{"x":"${"x".repeat(300_000)}"}`, "/api/settings", "PUT"))).toBe("SETTINGS_TOO_LARGE");
  expect(codeOf(await json('{"document":[]}', "/api/graphs/a", "PUT"))).toBe("REQUEST_INVALID");
  const many = Object.fromEntries(Array.from({ length: 2001 }, (_, i) => [i, { class_type: "ToyNumber", inputs: {} }]));
  expect((await json(JSON.stringify({ workflow: many }))).body).toContain("WORKFLOW_TOO_LARGE");
  expect(codeOf(await ask(server.port, "GET", "/api/files/input?limit=1&limit=2"))).toBe("REQUEST_INVALID");
});

test("a graph that changed elsewhere is not overwritten", async () => {
  const saved = await server.call("saveGraph", { params: { name: "mine" }, body: { document: { nodes: [] }, base: null } });
  await server.call("saveGraph", { params: { name: "mine" }, body: { document: { nodes: [1] }, base: saved.revision } });
  await expect(server.call("saveGraph", { params: { name: "mine" }, body: { document: {}, base: saved.revision } })).rejects.toThrow(
    /GRAPH_CHANGED/,
  );
  await expect(server.call("saveGraph", { params: { name: "mine" }, body: { document: {}, base: null } })).rejects.toThrow(/GRAPH_CHANGED/);
  expect((await server.call("graph", { params: { name: "mine" } })).document).toEqual({ nodes: [1] });
});
