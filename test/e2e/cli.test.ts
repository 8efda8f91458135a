// The CLI as a person runs it: exit codes, files, output.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { main } from "../../engine/cli/main.ts";
import { Journal } from "../../engine/store/journal.ts";
import { toyNodes } from "../crash/toy-nodes.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const REAL = join(ROOT, "graph.mjs");
const TOY = join(import.meta.dirname, "toy-graph.ts");

let base: string;
let dir: string;
let count = 0;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "cli-"));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));
beforeEach(() => {
  dir = join(base, String(count++));
  mkdirSync(dir);
});

const never = (): never => {
  throw new Error("not in this test");
};

const environment = () => ({
  ...process.env,
  WHOSWHO_DATA: join(dir, "data"),
  WHOSWHO_MODELS: "",
  NODE_COMPILE_CACHE: join(ROOT, ".cache/compile"),
});

function graph(entry: string, args: readonly string[], node = process.execPath) {
  const { status, stdout, stderr } = spawnSync(node, [entry, ...args], { cwd: dir, encoding: "utf8", env: environment() });
  return { status, stdout, stderr };
}

/** Writes a workflow into the test's folder. */
function workflow(prompt: unknown, name = "w.json"): string {
  writeFileSync(join(dir, name), typeof prompt === "string" ? prompt : JSON.stringify(prompt));
  return name;
}

const runJson = (path = join(dir, "out", "w", "run.json")) =>
  z
    .looseObject({
      state: z.string(),
      scores: z.record(z.string(), z.unknown()),
      files: z.array(z.string()),
      error: z.looseObject({ code: z.string(), node: z.string().optional() }).optional(),
      nodes: z.array(z.looseObject({ id: z.string(), cached: z.boolean(), state: z.string() })),
      seeds: z.array(z.unknown()),
      memory: z.looseObject({ peakRssBytes: z.number() }),
    })
    .parse(JSON.parse(readFileSync(path, "utf8")));

const SHOW = {
  1: { class_type: "PrimitiveInt", inputs: { value: 5 } },
  2: { class_type: "PreviewAny", inputs: { source: ["1", 0] }, _meta: { title: "Show it" } },
};

describe("graph.mjs with the real nodes", () => {
  test("0: runs, shows, writes run.json, journals", () => {
    const { status, stdout } = graph(REAL, ["run", workflow(SHOW), "--set", "PrimitiveInt.value=42"]);
    expect(stdout).toMatch(/42/);
    expect(stdout).toMatch(/finished in/);
    expect(status).toBe(0);
    expect(runJson()).toMatchObject({
      format: "whos-who.run",
      state: "finished",
      device: "cpu",
      versions: { onnxruntime: expect.stringMatching(/^\d+\.\d+\.\d+/) },
    });
    const journal = new Journal(join(dir, "data", "journal.sqlite"));
    expect(journal.list()).toMatchObject([{ state: "finished", output: join(dir, "out", "w") }]);
    journal.close();
  });

  test("2: an invalid workflow, every issue at once", () => {
    const { status, stderr } = graph(REAL, [
      "run",
      workflow({ 1: { class_type: "PrimitivInt", inputs: {} }, 2: { class_type: "PreviewAny", inputs: {} } }),
    ]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/REQUIRED_INPUT_MISSING[\s\S]*UNKNOWN_NODE_TYPE[\s\S]*did you mean PrimitiveInt\?/);
    expect(existsSync(join(dir, "out"))).toBe(false);
  });

  test("3: a node fails, and the error names it", () => {
    mkdirSync(join(dir, "input"));
    // A PNG by its first bytes, and nothing behind them.
    writeFileSync(join(dir, "input", "broken.png"), Buffer.from("\x89PNG\r\n\x1a\n", "latin1"));
    const prompt = {
      1: { class_type: "LoadImage", inputs: { image: "broken.png" } },
      2: { class_type: "PreviewAny", inputs: { source: ["1", 0] } },
    };
    const { status, stderr } = graph(REAL, ["run", workflow(prompt)]);
    expect(status).toBe(3);
    expect(stderr).toMatch(/in node 1 \(LoadImage\)/);
    expect(runJson()).toMatchObject({ state: "failed", error: { node: "1", type: "LoadImage" } });
  });

  test("what is no picture is found by validate, what has a damaged header by a dry run", () => {
    mkdirSync(join(dir, "input"));
    writeFileSync(join(dir, "input", "text.png"), "this is no picture");
    writeFileSync(join(dir, "input", "phone.jpg"), Buffer.from("\0\0\0\x18ftypheic\0\0\0\0mif1heic", "latin1"));
    writeFileSync(join(dir, "input", "torn.png"), Buffer.from("\x89PNG\r\n\x1a\n", "latin1"));
    const of = (image: string) =>
      workflow({ 1: { class_type: "LoadImage", inputs: { image } }, 2: { class_type: "PreviewImage", inputs: { images: ["1", 0] } } });
    const text = graph(REAL, ["validate", of("text.png")]);
    expect(text.status).toBe(2);
    expect(text.stdout + text.stderr).toMatch(
      /IMAGE_FORMAT[\s\S]*text\.png is not a picture that can be read: it begins with "this is no p"/,
    );
    const phone = graph(REAL, ["run", "--dry-run", of("phone.jpg")]);
    expect(phone.status).toBe(2);
    expect(phone.stdout + phone.stderr).toMatch(/phone\.jpg is a HEIC picture/);
    const torn = graph(REAL, ["run", "--dry-run", of("torn.png")]);
    expect(torn.status).not.toBe(0);
    expect(torn.stdout + torn.stderr).toMatch(/torn\.png cannot be decoded/);
  });

  test("a picture without faces: a warning that names it, again when the result is known, and in run.json", async () => {
    mkdirSync(join(dir, "input"));
    await sharp({ create: { width: 64, height: 48, channels: 3, background: "grey" } }).toFile(join(dir, "input", "wall.png"));
    const prompt = {
      1: { class_type: "LoadImage", inputs: { image: "wall.png" } },
      2: { class_type: "FaceDetect", inputs: { image: ["1", 0] } },
      3: { class_type: "FaceEmbed", inputs: { faces: ["2", 0] } },
      4: { class_type: "FaceSimilarity", inputs: { references: ["3", 0], generated: ["3", 0] } },
      5: { class_type: "CountAccuracy", inputs: { similarity: ["4", 0] } },
      6: { class_type: "SaveMetrics", inputs: { metrics_1: ["5", 0] } },
    };
    const file = workflow(prompt);
    const message = "no face found in the picture, 64 × 48 pixels (from wall.png)";
    for (const cached of [false, true]) {
      const { status, stdout } = graph(REAL, ["run", file]);
      expect(status).toBe(0);
      expect(stdout).toContain(`warning: FaceDetect (2): ${message}`);
      expect(runJson()).toMatchObject({
        warnings: [{ node: "2", title: "FaceDetect", message }],
        scores: { faces_wanted: 0, faces_found: 0 },
      });
      expect(runJson().nodes.find((n) => n.id === "2")?.cached).toBe(cached);
    }
  });

  test("help and version are quick to say and need no nodes", () => {
    expect(graph(REAL, ["help"])).toMatchObject({ status: 0, stdout: expect.stringMatching(/graph run FILE/) });
    expect(graph(REAL, ["--version"]).stdout.trim()).toBe(
      z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"))).version,
    );
  });

  test("nodes lists and describes", () => {
    expect(graph(REAL, ["nodes", "PrimitiveInt"]).stdout).toMatch(/value {2}INT/);
    const unknown = graph(REAL, ["nodes", "KSampeler"]);
    expect([unknown.status, unknown.stderr]).toEqual([1, expect.stringMatching(/did you mean KSampler\?/)]);
  });

  test("doctor and models see the embedded models", () => {
    expect(graph(REAL, ["models"]).stdout).toMatch(/faces\n {2}\S+\.safetensors/);
    const { stdout, status } = graph(REAL, ["doctor"]);
    expect(stdout).toMatch(/ONNX Runtime 1\.\d+\.\d+: cpu/);
    expect(status).toBe(0);
    mkdirSync(join(dir, "models"));
    expect(graph(REAL, ["doctor", "--models", join(dir, "models")]).stdout).toContain(join(dir, "models"));
  });

  const old = (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "node"))
    .find(
      (node) => existsSync(node) && Number(/^v(\d+)/.exec(spawnSync(node, ["--version"], { encoding: "utf8" }).stdout)?.[1] ?? 99) < 24,
    );
  test.skipIf(old === undefined)("an older Node hands over to the one npm brought", () => {
    expect(graph(REAL, ["nope"], old)).toMatchObject({ status: 1, stderr: expect.stringMatching(/there is no command nope/) });
  });
});

describe("usage errors are 1", () => {
  test.each([
    [["nope"], /no command nope/],
    [["rum"], /did you mean graph run/],
    [["run"], /an argument is missing/],
    [["run", "w.json", "x.json"], /one argument too many/],
    [["run", "absent.json"], /cannot read/],
    [["run", "w.json", "--ouut", "x"], /did you mean --out\?/],
    [["run", "w.json", "--device", "gpu"], /choose cpu, webgpu, cuda/],
    [["run", "w.json", "--threads", "0"], /no number of threads/],
    [["run", "w.json", "--set", "nonsense"], /NODE\.INPUT=VALUE/],
    [["run", "w.json", "--set", "1.valeu=3"], /did you mean value\?/],
    [["run", "w.json", "--set", "9.value=3"], /the workflow has no node 9/],
    [["run", "w.json", "--set", "Twin.value=3"], /2 nodes are called Twin[\s\S]*1, 3/],
  ])("graph %j", async (args, message) => {
    const twin = { class_type: "ToyNumber", inputs: {}, _meta: { title: "Twin" } };
    workflow({ 1: twin, 3: twin, 2: { class_type: "ToySave", inputs: { a: ["1", 0], also: ["3", 0] } } });
    const out = vi.spyOn(console, "log");
    const err = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const toy = {
      root: ROOT,
      worker: new URL("../crash/toy-worker.ts", import.meta.url),
      nodes: async () => toyNodes,
      runtimeInfo: async () => never(),
    };
    const status = await main(
      args.map((arg) => (arg === "w.json" ? join(dir, arg) : arg)),
      toy,
    );
    expect(err.mock.calls.join("\n")).toMatch(message);
    expect(status).toBe(1);
    expect(out).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });
});

const TROUBLE = (trouble: string, unless = "") => ({
  1: { class_type: "ToyNumber", inputs: { value: 7, seed: 3 } },
  2: { class_type: "ToyTrouble", inputs: { a: ["1", 0], trouble, unless } },
  3: { class_type: "ToySave", inputs: { a: ["2", 0] } },
});

describe("running", () => {
  test("--json prints events and nothing else; scores, seeds and files land in run.json", () => {
    const { status, stdout } = graph(TOY, ["run", workflow(TROUBLE("none")), "--json", "--out", "o"]);
    expect(status).toBe(0);
    const kinds = stdout
      .trim()
      .split("\n")
      .map((line) => z.looseObject({ kind: z.string(), seq: z.number() }).parse(JSON.parse(line)));
    expect(kinds.map((e) => e.seq)).toEqual(kinds.map((_, i) => i));
    expect(kinds.at(-1)?.kind).toBe("run.finished");
    expect(runJson(join(dir, "o", "run.json"))).toMatchObject({
      scores: { value: 7, saved: 7 },
      files: ["number_00001_.txt"],
      seeds: [{ node: "1", input: "seed", value: 3 }],
    });
    expect(readFileSync(join(dir, "o", "number_00001_.txt"), "utf8")).toBe("7");
  });

  test("after an error, a crash and a fix the next run goes on where it ended", () => {
    const file = workflow(TROUBLE("throw", join(dir, "fixed")));
    expect(graph(TOY, ["run", file])).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/error TOY in node 2 .*the toy failed\n {2}choose another trouble/),
    });
    expect(runJson()).toMatchObject({ state: "failed", error: { code: "TOY", node: "2" }, scores: { value: 7 } });
    const crash = graph(TOY, ["run", file, "--set", "2.trouble=SIGSEGV"]);
    expect(crash).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/error COMPUTE_DIED in node 2 .*SIGSEGV/),
      stdout: expect.stringMatching(/ToyNumber \(1\) known/),
    });
    writeFileSync(join(dir, "fixed"), "");
    const fixed = graph(TOY, ["run", file]);
    expect(fixed.status).toBe(0);
    expect(runJson()).toMatchObject({ state: "finished", scores: { value: 7, saved: 7 } });
    expect(runJson().nodes.find((n) => n.id === "1")).toMatchObject({ cached: true });
  });

  const TWO = {
    1: { class_type: "ToyNumber", inputs: { value: 7 } },
    2: { class_type: "ToySave", inputs: { a: ["1", 0] } },
    3: { class_type: "ToyNumber", inputs: { value: 8 } },
    4: { class_type: "ToySave", inputs: { a: ["3", 0] } },
  };

  test("one bad output does not stop the good one: exit 5, and summary, events and run.json say what did not run", () => {
    const prompt = { ...TWO, 3: { class_type: "ToyNumber", inputs: { value: 800 } }, 5: { class_type: "Nope", inputs: {} } };
    const { status, stdout, stderr } = graph(TOY, ["run", workflow(prompt)]);
    expect(status).toBe(5);
    expect(stderr).toMatch(/error VALUE_BIGGER_THAN_MAX at 3\.value/);
    expect(stderr).toMatch(/warning UNKNOWN_NODE_TYPE at 5/);
    expect(stderr).toMatch(/not run: ToySave \(4\)/);
    expect(stdout).toMatch(/ToySave \(4\) does not run/);
    const record = runJson();
    expect(record).toMatchObject({ state: "finished", scores: { saved: 7 }, files: ["number_00001_.txt"] });
    expect(record).toMatchObject({
      issues: [
        { level: "error", code: "VALUE_BIGGER_THAN_MAX", outputs: ["4"] },
        { level: "warning", code: "UNKNOWN_NODE_TYPE" },
      ],
      nodes: [
        { id: "1", state: "finished" },
        { id: "2", state: "finished" },
        { id: "4", state: "skipped" },
      ],
    });
    expect(graph(TOY, ["validate", workflow(prompt)])).toMatchObject({
      status: 2,
      stdout: expect.stringMatching(/2 nodes would run; not: ToySave \(4\)/),
    });
    // A file that is missing stops its own output only.
    const absent = { ...TWO, 4: { class_type: "ToySave", inputs: { a: ["3", 0], file: "absent.png" } } };
    expect(graph(TOY, ["run", workflow(absent)])).toMatchObject({ status: 5, stderr: expect.stringMatching(/INPUT_NOT_FOUND at 4\.file/) });
  });

  test("--only runs one output; --pin keeps a result of the last run and runs what lies below it", () => {
    const file = workflow(TWO);
    expect(graph(TOY, ["run", file, "--only", "4"]).status).toBe(0);
    expect(runJson()).toMatchObject({ scores: { value: 8, saved: 8 }, nodes: [{ id: "3" }, { id: "4" }] });
    expect(graph(TOY, ["run", file, "--only", "3"])).toMatchObject({ status: 1, stderr: expect.stringMatching(/USAGE_TARGET/) });
    // What node 3 is set to now does not matter: its result is the earlier one.
    expect(graph(TOY, ["run", file, "--set", "3.value=50", "--pin", "3"]).status).toBe(0);
    expect(runJson()).toMatchObject({ scores: { saved: 8 }, nodes: [{ id: "3", cached: true }, { id: "4" }] });
    expect(graph(TOY, ["run", file, "--pin", "4"])).toMatchObject({ status: 1, stderr: expect.stringMatching(/USAGE_PIN.*node 4/) });
  });

  test("--dry-run plans, estimates and writes nothing", () => {
    const prompt = { 1: { class_type: "ToyTrain", inputs: {} }, 2: { class_type: "ToySave", inputs: { a: ["1", 0] } } };
    const { status, stdout } = graph(TOY, ["run", workflow(prompt), "--dry-run"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/ToyTrain \(1\): runs, 1000 steps, about 1 min 0 s\n {6}forever/);
    expect(existsSync(join(dir, "out"))).toBe(false);
  });

  test("a file outside the input folders is read only when the user typed it", () => {
    writeFileSync(join(dir, "secret.txt"), "s");
    mkdirSync(join(dir, "graphs"));
    const prompt = {
      1: { class_type: "ToyNumber", inputs: {} },
      2: { class_type: "ToySave", inputs: { a: ["1", 0], file: join(dir, "secret.txt") } },
    };
    const file = workflow(prompt, "graphs/w.json");
    expect(graph(TOY, ["run", file])).toMatchObject({ status: 2, stderr: expect.stringMatching(/PATH_UNSAFE at 2\.file/) });
    expect(graph(TOY, ["run", file, "--set", "2.file=../secret.txt"])).toMatchObject({ status: 2 });
    expect(graph(TOY, ["run", file, "--set", "2.file=secret.txt"]).status).toBe(0);
    expect(readFileSync(join(dir, "out", "w", "copy.txt"), "utf8")).toBe("s");
  });

  test("a missing input file is an issue before anything runs", () => {
    const prompt = {
      1: { class_type: "ToyNumber", inputs: {} },
      2: { class_type: "ToySave", inputs: { a: ["1", 0], file: "absent.png" } },
    };
    const file = workflow(prompt);
    expect(graph(TOY, ["validate", file])).toMatchObject({ status: 2, stderr: expect.stringMatching(/INPUT_NOT_FOUND at 2\.file/) });
    writeFileSync(join(dir, "there.txt"), "x");
    expect(graph(TOY, ["validate", file, "--set", "2.file=there.txt"]).status).toBe(0);
    expect(graph(TOY, ["validate", file, "--set", "2.nothing=1"])).toMatchObject({ status: 1, stderr: expect.stringMatching(/USAGE_SET/) });
  });
});

test("two runs in one output folder: the second is refused by name, and the first goes on", async () => {
  const first = spawn(process.execPath, [TOY, "run", workflow(TROUBLE("progress")), "--json"], {
    cwd: dir,
    env: environment(),
    stdio: ["ignore", "pipe", "ignore"],
  });
  await once(first.stdout, "data");
  const second = graph(TOY, ["run", "w.json"]);
  expect(second).toMatchObject({
    status: 3,
    stderr: expect.stringMatching(new RegExp(`STORE_LEASED: .*in use by process ${first.pid} on .*\\(run 2`)),
  });
  expect(existsSync(join(dir, "out", "w", "run.json"))).toBe(false);
  first.kill("SIGINT");
  first.stdout.resume();
  expect(await once(first, "exit")).toEqual([4, null]);
  expect(graph(TOY, ["run", workflow(TROUBLE("none"))]).status).toBe(0);
});

test("a reader that goes away does not end the run", async () => {
  const gone = join(dir, "gone");
  const child = spawn(process.execPath, [TOY, "run", workflow(TROUBLE("hold", gone))], {
    cwd: dir,
    env: environment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let told = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    told += text;
  });
  // The run goes on only when nobody reads any more, so that it must write to a closed pipe.
  child.stdout.once("data", () => child.stdout.destroy());
  child.stdout.once("close", () => writeFileSync(gone, ""));
  const [code] = await once(child, "close");
  expect(code).toBe(0);
  expect(told).toMatch(/standard output is closed/);
  expect(runJson()).toMatchObject({ state: "finished", files: ["number_00001_.txt"] });
});

test("killing the launcher alone ends a training as a signal would: it saves", async () => {
  const prompt = { 1: { class_type: "ToyTrain", inputs: {} }, 2: { class_type: "ToySave", inputs: { a: ["1", 0] } } };
  const args = JSON.stringify([TOY, "run", workflow(prompt), "--json"]);
  writeFileSync(
    join(dir, "launcher.mjs"),
    `import { spawn } from "node:child_process";
     const env = { ...process.env, WHOSWHO_LAUNCHER: "1" };
     const child = spawn(process.execPath, ${args}, { stdio: ["inherit", "inherit", "inherit", "ipc"], env });
     console.log(JSON.stringify({ pid: child.pid }));`,
  );
  const launcher = spawn(process.execPath, ["launcher.mjs"], { cwd: dir, env: environment(), stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  launcher.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    if (text.includes('"node.progress"')) launcher.kill("SIGKILL");
  });
  // The pipe closes when both processes have ended.
  await once(launcher, "close");
  expect(existsSync(join(dir, "out", "w", "train", "checkpoint.safetensors"))).toBe(true);
  expect(runJson().state).toBe("cancelled");
});

describe("Ctrl-C", () => {
  /** Sends SIGINT when the running node reports progress, and again `more` times when the CLI says it is cancelling. */
  async function interrupted(args: readonly string[], more: boolean, signal: NodeJS.Signals = "SIGINT"): Promise<number | null> {
    const child: ChildProcess = spawn(process.execPath, [TOY, ...args], {
      cwd: dir,
      env: environment(),
      stdio: ["ignore", "pipe", "ignore"],
    });
    let text = "";
    let sent = 0;
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (sent === 0 && text.includes('"node.progress"')) {
        sent++;
        child.kill(signal);
        // A second one right after the first is the same key press.
        child.kill(signal);
        if (more) setTimeout(() => child.kill("SIGINT"), 400);
      }
    });
    const [code] = await once(child, "exit");
    return typeof code === "number" ? code : null;
  }

  test("cancels cleanly: 4, run.json says so, nothing is left running", async () => {
    expect(await interrupted(["run", workflow(TROUBLE("progress")), "--json"], false)).toBe(4);
    expect(runJson()).toMatchObject({ state: "cancelled", nodes: [{ state: "finished" }, { state: "running" }, { state: "waiting" }] });
    expect(readdirSync(join(dir, "out", "w"))).toEqual(["run.json"]);
  });

  test("twice kills even what does not listen", async () => {
    expect(await interrupted(["run", workflow(TROUBLE("loop")), "--json"], true)).toBe(4);
    expect(runJson().state).toBe("cancelled");
  });

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("a training node saves before it ends: %s", async (signal) => {
    const prompt = { 1: { class_type: "ToyTrain", inputs: {} }, 2: { class_type: "ToySave", inputs: { a: ["1", 0] } } };
    expect(await interrupted(["run", workflow(prompt), "--json"], false, signal)).toBe(4);
    expect(existsSync(join(dir, "out", "w", "train", "checkpoint.safetensors"))).toBe(true);
  });
});
