// No name in any route, body or node input leads out of its folder.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { routes } from "../../engine/api/routes.ts";
import { Registry } from "../../engine/node/registry.ts";
import { describeWidget } from "../../engine/node/widget-type.ts";
import { InputFiles } from "../../engine/store/input-files.ts";
import { ModelFolders } from "../../engine/store/model-folders.ts";
import { OutputDirectory } from "../../engine/store/output-directory.ts";
import { nodes } from "../../nodes/index.ts";
import { startToyServer, stopToyServer, type ToyServer, trouble } from "../server/toy-server.ts";
import { ask } from "./ask.ts";
import { NASTY_NAMES } from "./nasty-names.ts";

const SECRET = "nobody may read this";
let server: ToyServer;
let outside: string;
beforeAll(async () => {
  outside = mkdtempSync(join(tmpdir(), "outside-"));
  server = await startToyServer();
  writeFileSync(join(outside, "secret.txt"), SECRET);
  writeFileSync(join(server.dir, "secret.txt"), SECRET);
  for (const root of ["input", "out", "graphs", "models", "models/vae", "out/temp"]) {
    const folder = join(server.dir, root);
    mkdirSync(join(folder, "folder"), { recursive: true });
    writeFileSync(join(folder, "..", "secret.txt"), SECRET);
    symlinkSync(join(outside, "secret.txt"), join(folder, "link.txt"));
    symlinkSync(join(outside, "secret.txt"), join(folder, "link.txt.json"));
    symlinkSync(outside, join(folder, "linked"));
    symlinkSync(join(outside, "not there"), join(folder, "dangling.txt"));
    execFileSync("mkfifo", [join(folder, "pipe")]);
  }
});
afterAll(async () => {
  await stopToyServer(server);
  rmSync(outside, { recursive: true, force: true });
});

/** A name as it is, and encoded once more. */
const written = (name: string) => [
  name.split("/").map(encodeURIComponent).join("/"),
  encodeURIComponent(name),
  name.replace(/[^!-~]/g, "_"),
];

test("every route with a name, every nasty name, however it is written", async () => {
  const named = Object.values(routes).filter((route) => /[:*](name|id)/.test(route.path));
  expect(named.length).toBeGreaterThan(15);
  const wrong: string[] = [];
  for (const route of named)
    for (const name of NASTY_NAMES)
      for (const text of written(name))
        for (const root of route.path.includes(":root") ? ["input", "output", "temp", "run", ".."] : [""]) {
          const pattern = route.path.replace(":root", root).replace(":folder", "vae");
          if (!/^[^:*]*[:*](name|id)[^:*]*$/.test(pattern)) throw new Error(`the test does not know a parameter of ${pattern}`);
          const path = pattern.replace(/[:*](name|id)/, () => text);
          const { status, body } = await ask(
            server.port,
            route.method,
            path,
            { "x-whos-who": "1", "content-type": "application/json" },
            route.method === "PUT" ? '{"document":{}}' : "",
          );
          const isFine = status >= 400 && status < 500;
          // Links that the user made in the input folder are followed (ADR 9): nothing over the network makes one.
          if (root === "input" && route.method === "GET" && /^link(ed)?\b/.test(name) && status === 200) continue;
          // A name may be a plain one in disguise, and then a graph of that name may be saved and removed.
          const isGraph = status === 200 && route.path === routes.graph.path;
          // Lists and pages are what some of these names lead to: `/api/files/input/` and the like.
          const isList = status === 200 && /^\{"(files|graphs|models|points|runs)":/.test(body);
          if (body.includes(SECRET) || !(isFine || isList || isGraph))
            wrong.push(`${route.method} ${path}: ${status} ${body.slice(0, 80)}`);
        }
  expect(wrong).toEqual([]);
  expect(readdirSync(outside)).toEqual(["secret.txt"]);
  expect(existsSync(join(server.dir, "secret.txt"))).toBe(true);
});

test("names of uploads and of graphs in queries and bodies", async () => {
  const picture = new Uint8Array(
    Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64"),
  );
  const before = readdirSync(server.dir).sort();
  for (const name of NASTY_NAMES.filter((n) => n !== "" && n.length <= 200)) {
    const { status, body } = await ask(
      server.port,
      "POST",
      `/api/files/input?name=${encodeURIComponent(name)}`,
      { "x-whos-who": "1" },
      picture,
    );
    expect([name, status]).toEqual([name, 200]);
    const { ref } = JSON.parse(body);
    expect(ref.filename).toMatch(/^[^/\\\p{Cc}.][^/\\\p{Cc}]*$/u);
    expect(existsSync(join(server.dir, "input", ref.filename))).toBe(true);
  }
  for (const name of NASTY_NAMES.filter((n) => n.length <= 1024)) {
    const query = `name=mask.png&maskOf=${encodeURIComponent(name)}`;
    const { status, body } = await ask(server.port, "POST", `/api/files/input?${query}`, { "x-whos-who": "1" }, picture);
    expect([name, status >= 400 && status < 500, body.includes(SECRET)]).toEqual([name, true, false]);
  }
  expect(readdirSync(server.dir).sort()).toEqual(before);
  for (const name of NASTY_NAMES) {
    const score = {
      workflow: trouble("none"),
      node: "1",
      picture: { filename: name, subfolder: "", type: "input" },
      client: "c",
      key: "12345678",
    };
    const { status, body } = await ask(
      server.port,
      "POST",
      "/api/score",
      { "x-whos-who": "1", "content-type": "application/json" },
      JSON.stringify(score),
    );
    expect([name, status >= 400 && status < 500, body.includes(SECRET)]).toEqual([name, true, false]);
  }
});

test("node inputs that name files: refused before anything runs, whatever node it is", async () => {
  const inputs = new InputFiles({ roots: [join(server.dir, "input")] });
  const models = new ModelFolders({ roots: [join(server.dir, "models")] });
  const registry = new Registry(nodes);
  const kinds = registry
    .types()
    .flatMap((type) =>
      Object.values(registry.node(type)?.inputs ?? {}).flatMap((i) => (i.kind === "widget" && i.hints.file ? [i.hints.file] : [])),
    );
  expect(kinds.length).toBeGreaterThan(5);
  // Links that the user made in the input and model folders are followed (ADR 9); a workflow can't make any.
  for (const name of NASTY_NAMES.filter((n) => n !== "" && !/^link/.test(n))) {
    await expect(inputs.read(name), name).rejects.toMatchObject({
      code: expect.stringMatching(/^(PATH_UNSAFE|INPUT_NOT_FOUND|STORE_\w+)$/),
    });
    // `.` is the input folder itself.
    if (!/^(\.|folder)$/.test(name))
      await expect(inputs.list(name), name).rejects.toMatchObject({
        code: expect.stringMatching(/^(PATH_UNSAFE|INPUT_NOT_FOUND|STORE_\w+)$/),
      });
    for (const folder of new Set(kinds.flatMap((k) => (k.kind === "model" ? [k.folder] : [])))) {
      await expect(models.bytes(folder, name), name).rejects.toMatchObject({ code: expect.any(String) });
      await expect(models.open(folder, name), name).rejects.toMatchObject({ code: expect.any(String) });
    }
    const { status, body } = await ask(
      server.port,
      "POST",
      "/api/runs",
      { "x-whos-who": "1", "content-type": "application/json" },
      JSON.stringify({
        workflow: { 1: { class_type: "ToyNumber", inputs: {} }, 2: { class_type: "ToySave", inputs: { a: ["1", 0], file: name } } },
        client: "c",
        key: `key-${NASTY_NAMES.indexOf(name)}-file`,
      }),
    );
    expect([name, status, body.includes(SECRET)]).toEqual([name, 422, false]);
  }
});

test("node inputs that name what is saved: nothing is written outside", async () => {
  const registry = new Registry(nodes);
  // Every text input that may be a place. A new one belongs into one of these lists, after a look at what its node does with it.
  const saved = [
    "SaveImage.filename_prefix",
    "SaveImageAdvanced.filename_prefix",
    "SaveTensors.filename_prefix",
    "SaveLoRA.prefix",
    "SaveMetrics.filename",
    "MeasureRealism.prefix",
    "RealismReport.prefix",
    "PretrainVAE.prefix",
    "PretrainTransformer.prefix",
    "TrainRealismReward.prefix",
    "DatasetReport.prefix",
    "FilterDataset.prefix",
  ];
  // Folders of inputs, read by InputFiles.list: see the test above.
  const read = ["MeasureRealism.folder"];
  const found = registry
    .types()
    .flatMap((type) =>
      Object.entries(registry.node(type)?.inputs ?? {}).flatMap(([name, spec]) =>
        spec.kind === "widget" &&
        !spec.hints.file &&
        describeWidget(spec.schema)?.type === "STRING" &&
        /prefix|name|file|path|folder|dir/i.test(name)
          ? [`${type}.${name}`]
          : [],
      ),
    );
  expect(found.filter((name) => !saved.includes(name) && !read.includes(name))).toEqual([]);
  const root = join(server.dir, "saved");
  const output = await OutputDirectory.open(root);
  for (const name of NASTY_NAMES.filter((n) => !/^(link|linked|dangling|pipe|folder)/.test(n))) {
    const before = readdirSync(server.dir).sort();
    await output.save(name, "png", new Uint8Array(1)).catch(() => undefined);
    await output.saveAs(name, new Uint8Array(1)).catch(() => undefined);
    await output.runDirectory(name).catch(() => undefined);
    expect([name, readdirSync(server.dir).sort()]).toEqual([name, before]);
  }
  symlinkSync(outside, join(root, "linked"));
  for (const name of ["linked/x", "linked"]) {
    await expect(output.saveAs(`${name}/y.txt`, new Uint8Array(1))).rejects.toMatchObject({ code: "PATH_UNSAFE" });
    await expect(output.runDirectory(name)).rejects.toMatchObject({ code: "PATH_UNSAFE" });
  }
  expect(readdirSync(outside)).toEqual(["secret.txt"]);
});
