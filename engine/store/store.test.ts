import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GGML, ggufFile, packQ8 } from "../../test/gguf-file.ts";
import { sha256 } from "../base/hash.ts";
import { writeSafetensors } from "../formats/safetensors.ts";
import { unpackBlocks } from "../tensor/blocks.ts";
import { f32, type Tensor, tensor } from "../tensor/tensor.ts";
import { writeAtomic } from "./atomic-write.ts";
import { type FileSystem, nodeFileSystem } from "./file-system.ts";
import { InputFiles } from "./input-files.ts";
import { Journal } from "./journal.ts";
import { measureValue } from "./measure-value.ts";
import { ModelFolders } from "./model-folders.ts";
import { OutputDirectory } from "./output-directory.ts";
import { ResultStore } from "./result-store.ts";
import { openRunDirectory } from "./run-directory.ts";
import { openRegular, resolveInside } from "./safe-path.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "store-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const UNSAFE = [
  "../x",
  "a/../../x",
  "/etc/passwd",
  "a\0b",
  "C:\\x",
  "c:x",
  "\\\\host\\x",
  "a\\b",
  ".",
  "..",
  "a//b",
  "",
  "a/./b",
  "x".repeat(2000),
  "a\nb",
];

describe("output directory", () => {
  test("numbers go on after the highest one, folders in the prefix are made", async () => {
    const output = await OutputDirectory.open(join(dir, "out"));
    writeFileSync(join(output.root, "face_00041_.png"), "x");
    expect(await output.save("face", "png", new Uint8Array(1))).toEqual({ filename: "face_00042_.png", subfolder: "", type: "output" });
    expect(await output.save("a/b/face", "png", new Uint8Array(1))).toEqual({
      filename: "face_00001_.png",
      subfolder: "a/b",
      type: "output",
    });
  });

  test("savers at the same time get different numbers", async () => {
    const output = await OutputDirectory.open(dir);
    const saved = await Promise.all(Array.from({ length: 20 }, (_, i) => output.save("p", "bin", Uint8Array.of(i))));
    expect(new Set(saved.map((s) => s.filename)).size).toBe(20);
    expect(saved.map((s) => readFileSync(join(dir, s.filename))[0])).toEqual(saved.map((_, i) => i));
  });

  test.each(UNSAFE.map((name) => [JSON.stringify(name.slice(0, 20)), name]))("refuses %s", async (_, name) => {
    const output = await OutputDirectory.open(join(dir, "out"));
    await expect(output.saveAs(name, new Uint8Array(1))).rejects.toMatchObject({ code: "PATH_UNSAFE" });
    expect(readdirSync(dir)).toEqual(["out"]);
  });

  test("does not follow links out", async () => {
    const output = await OutputDirectory.open(join(dir, "out"));
    mkdirSync(join(dir, "outside"));
    symlinkSync(join(dir, "outside"), join(dir, "out", "way"));
    symlinkSync(join(dir, "outside", "new"), join(dir, "out", "dangling"));
    for (const name of ["way/x", "dangling", "dangling/x"])
      await expect(output.saveAs(name, new Uint8Array(1)), name).rejects.toMatchObject({ code: "PATH_UNSAFE" });
    expect(readdirSync(join(dir, "outside"))).toEqual([]);
  });

  test("a run directory reads, lists and removes", async () => {
    const run = await (await OutputDirectory.open(dir)).runDirectory("train/1");
    await run.write("samples/a.png", Uint8Array.of(1));
    await run.append("m.jsonl", "{}");
    expect(await run.list()).toEqual(["m.jsonl", "samples/a.png"]);
    // What a killed process left of a line, even one character, stays a line of its own.
    await run.appendBytes("torn.jsonl", new TextEncoder().encode("{"));
    await run.append("torn.jsonl", "1");
    await run.append("torn.jsonl", "2");
    expect(readFileSync(join(run.path, "torn.jsonl"), "utf8")).toBe("{\n1\n2\n");
    await expect(run.append("torn.jsonl", "3\n4")).rejects.toMatchObject({ code: "STORE_LINE" });
    await run.remove("m.jsonl");
    await run.remove("m.jsonl");
    expect(await run.read("m.jsonl")).toBeUndefined();
    expect(await run.read("samples/a.png")).toEqual(Buffer.of(1));
    await expect(run.read("../../x")).rejects.toMatchObject({ code: "PATH_UNSAFE" });
  });
});

describe("results on disk", () => {
  const store = (budgetBytes = 1e7, salt = "s") => new ResultStore({ folder: join(dir, "cache"), budgetBytes, salt });
  const scored = { kind: "node.scored", node: "1", type: "T", name: "sir", value: 0.5 } as const;

  test("comes back in another instance: tensors, bigint, Map, undefined, NaN", async () => {
    const outputs = {
      IMAGE: f32([1, 2], [1.5, Number.NaN]),
      n: 2n ** 60n,
      m: new Map([["a", { b: undefined }]]),
      i: tensor("int64", [1], BigInt64Array.of(-1n)),
    };
    await store().write("k", { outputs, effects: [scored], opened: [] }, 50);
    expect(await store().read("k")).toEqual({ outputs, effects: [scored], opened: [] });
    expect(await store().peek("k")).toEqual({ effects: [scored], opened: [], hasOutputs: true });
    expect(await store(1e7, "another device").read("k")).toBeUndefined();
  });

  test("modules are not written, their scores are; what is made at once is not kept", async () => {
    await store().write("module", { outputs: { MODEL: { build: () => 1 } }, effects: [scored], opened: [] }, 1000);
    expect(await store().read("module")).toEqual({ outputs: null, effects: [scored], opened: [] });
    await store().write("fast", { outputs: { n: 1 }, effects: [], opened: [] }, 1);
    expect(await store().peek("fast")).toBeUndefined();
  });

  test("a damaged entry is removed and not known, wherever the damage is", async () => {
    const entry = () =>
      readdirSync(join(dir, "cache"), { recursive: true, withFileTypes: true })
        .filter((e) => e.isFile())
        .map((e) => join(e.parentPath, e.name));
    await store().write("k", { outputs: { t: f32([4], [1, 2, 3, 4]) }, effects: [], opened: [] }, 50);
    const [path = ""] = entry();
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at += 7) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ 0x55;
      writeFileSync(path, bytes);
      expect(await store().read("k"), `byte ${at}`).toBeUndefined();
      expect(entry()).toEqual([]);
    }
    for (const length of [0, 5, 13, whole.length - 1]) {
      writeFileSync(path, whole);
      truncateSync(path, length);
      expect(await store().read("k")).toBeUndefined();
    }
  });

  test("keeps within its budget, least recently used first out", async () => {
    const s = store(1_000_000);
    const result = () => ({ outputs: { t: new Uint8Array(300_000) }, effects: [], opened: [] });
    const entries = () =>
      readdirSync(join(dir, "cache"), { recursive: true, withFileTypes: true })
        .filter((e) => e.isFile())
        .map((e) => join(e.parentPath, e.name));
    const seen = new Set<string>();
    for (const [i, key] of ["a", "b", "c"].entries()) {
      await s.write(key, result(), 50);
      // File times are too coarse to tell writes apart.
      for (const path of entries()) if (!seen.has(path)) utimesSync(path, i, i);
      for (const path of entries()) seen.add(path);
    }
    await s.read("a");
    await s.write("d", result(), 50);
    expect(entries().reduce((n, path) => n + statSync(path).size, 0)).toBeLessThanOrEqual(1_000_000);
    expect(await Promise.all(["a", "b", "c", "d"].map(async (key) => (await s.read(key)) !== undefined))).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });
});

test("a disk that takes a few bytes at a time gets each of them once, in a file that is replaced and in a line", async () => {
  const slow: FileSystem = {
    ...nodeFileSystem,
    async open(path, flags) {
      const file = await nodeFileSystem.open(path, flags);
      const write = async (bytes: Uint8Array, offset: number, length: number, position: number | null) => {
        expect(offset + length).toBe(bytes.length);
        return file.write(bytes, offset, Math.min(3, length), position);
      };
      return Object.assign(Object.create(file), {
        write,
        read: file.read.bind(file),
        stat: file.stat.bind(file),
        sync: file.sync.bind(file),
        close: file.close.bind(file),
      });
    },
  };
  const bytes = new TextEncoder().encode("eleven bytes");
  await writeAtomic(join(dir, "whole"), bytes, slow);
  expect(readFileSync(join(dir, "whole"), "utf8")).toBe("eleven bytes");
  const run = await openRunDirectory(join(dir, "run"), slow);
  await run.append("lines", "a line");
  await run.append("lines", "another");
  expect(readFileSync(join(dir, "run", "lines"), "utf8")).toBe("a line\nanother\n");
});

test("results: what is kept is worth reading back, and no more than half of the budget", async () => {
  const store = new ResultStore({ folder: join(dir, "cache"), budgetBytes: 400_000, salt: "s" });
  const kept = async (bytes: number, ms: number, effects: readonly (typeof scored)[] = []): Promise<string> => {
    const key = `${bytes} ${ms} ${effects.length}`;
    await store.write(key, { outputs: { t: new Uint8Array(bytes) }, effects, opened: [] }, ms);
    const about = await store.peek(key);
    return about ? (about.hasOutputs ? "all" : "effects") : "nothing";
  };
  const scored = { kind: "node.scored", node: "1", type: "T", name: "sir", value: 0.5 } as const;
  expect(await kept(10, 19)).toBe("nothing");
  expect(await kept(10, 20)).toBe("all");
  expect(await kept(190_000, 10_000)).toBe("all");
  // Large ones must have taken longer than reading them back does.
  const large = new ResultStore({ folder: join(dir, "large"), budgetBytes: 1e9, salt: "s" });
  const holds = async (bytes: number, ms: number): Promise<boolean> => {
    await large.write(`${bytes} ${ms}`, { outputs: { t: new Uint8Array(bytes) }, effects: [], opened: [] }, ms);
    return (await large.peek(`${bytes} ${ms}`)) !== undefined;
  };
  expect([await holds(65_000, 20), await holds(5_000_000, 20), await holds(5_000_000, 30)]).toEqual([true, false, true]);
  expect(await kept(210_000, 10_000)).toBe("nothing");
  expect(await kept(210_000, 10_000, [scored])).toBe("effects");
});

describe("journal", () => {
  const begin = { run: "r1", graph: "g", output: "/o", started: Date.now() };

  test("a run is known once begun, ends once, and survives reopening", () => {
    const journal = new Journal(join(dir, "j.sqlite"));
    journal.begin(begin);
    expect(() => journal.begin(begin)).toThrow(expect.objectContaining({ code: "STORE_JOURNAL" }));
    journal.end("r1", "failed", 9, { code: "X", message: "m" });
    journal.end("r1", "finished", 10);
    journal.close();
    const again = new Journal(join(dir, "j.sqlite"));
    expect(again.get("r1")).toMatchObject({ ...begin, state: "failed", ended: 9, error: { code: "X", message: "m" } });
    again.close();
  });

  test("runs of a killed process are interrupted at the next start, those of a living one are not", () => {
    const path = join(dir, "j.sqlite");
    const script = `import { Journal } from ${JSON.stringify(join(import.meta.dirname, "journal.ts"))};
      new Journal(${JSON.stringify(path)}).begin({ run: "dead", graph: "g", output: "/o", started: Date.now() - 60_000 }); process.kill(process.pid, "SIGKILL");`;
    expect(() => execFileSync(process.execPath, ["--input-type=module", "-e", script])).toThrow();
    const journal = new Journal(path);
    journal.begin(begin);
    const another = new Journal(path);
    expect(another.list().map((e) => [e.run, e.state])).toEqual([
      ["r1", "running"],
      ["dead", "interrupted"],
    ]);
    another.close();
    journal.close();
  });

  test("a damaged file is a clear error", () => {
    writeFileSync(join(dir, "j.sqlite"), "this is not a database, it only has the right length ".repeat(40));
    expect(() => new Journal(join(dir, "j.sqlite"))).toThrow(expect.objectContaining({ code: "STORE_JOURNAL" }));
  });
});

describe("input files", () => {
  test("are found in order, and only inside the roots unless the user typed the path", async () => {
    mkdirSync(join(dir, "a"));
    mkdirSync(join(dir, "b"));
    writeFileSync(join(dir, "b", "p.png"), "b");
    writeFileSync(join(dir, "secret"), "s");
    const roots = [join(dir, "absent"), join(dir, "a"), join(dir, "b")];
    const files = new InputFiles({ roots });
    expect(Buffer.from(await files.read("p.png")).toString()).toBe("b");
    writeFileSync(join(dir, "a", "p.png"), "a");
    expect(Buffer.from(await files.read("p.png")).toString()).toBe("a");
    for (const name of [...UNSAFE, join(dir, "secret"), "../secret"])
      await expect(files.read(name), name.slice(0, 30)).rejects.toMatchObject({ code: "PATH_UNSAFE" });
    // What the user put there is followed.
    symlinkSync(join(dir, "secret"), join(dir, "a", "link"));
    expect(Buffer.from(await files.read("link")).toString()).toBe("s");
    mkdirSync(join(dir, "elsewhere"));
    writeFileSync(join(dir, "elsewhere", "x.png"), "x");
    symlinkSync(join(dir, "elsewhere"), join(dir, "b", "set"));
    expect(Buffer.from(await files.read("set/x.png")).toString()).toBe("x");
    await expect(files.read("set/../secret")).rejects.toMatchObject({ code: "PATH_UNSAFE" });
    symlinkSync(join(dir, "nowhere"), join(dir, "a", "broken"));
    await expect(files.read("broken")).rejects.toMatchObject({ code: "STORE_LINK" });
    await expect(files.read("none.png")).rejects.toMatchObject({ code: "INPUT_NOT_FOUND" });
    const typed = new InputFiles({ roots, allowed: { "../secret": join(dir, "secret") } });
    expect(Buffer.from(await typed.read("../secret")).toString()).toBe("s");
    await expect(typed.read("../other")).rejects.toMatchObject({ code: "PATH_UNSAFE" });
  });

  test("what was typed opens its folder; an absolute name below a root is that root's; accents have two spellings", async () => {
    mkdirSync(join(dir, "set", "more"), { recursive: true });
    for (const name of ["set/pairs.jsonl", "set/more/x.png", "other.png"]) writeFileSync(join(dir, name), name);
    const typed = new InputFiles({
      roots: [],
      allowed: { [join(dir, "set/pairs.jsonl")]: join(dir, "set/pairs.jsonl") },
      folders: { [join(dir, "set")]: join(dir, "set") },
    });
    expect(Buffer.from(await typed.read(join(dir, "set/more/x.png"))).toString()).toBe("set/more/x.png");
    expect(await typed.list(join(dir, "set"))).toEqual([join(dir, "set/more/x.png"), join(dir, "set/pairs.jsonl")]);
    for (const name of [join(dir, "other.png"), `${join(dir, "set")}/../other.png`]) await expect(typed.read(name)).rejects.toThrow();
    const here = new InputFiles({ roots: [], folders: { "": join(dir, "set") } });
    expect(Buffer.from(await here.read("more/x.png")).toString()).toBe("set/more/x.png");
    const rooted = new InputFiles({ roots: [join(dir, "set")] });
    expect(Buffer.from(await rooted.read(join(dir, "set/more/x.png"))).toString()).toBe("set/more/x.png");
    await expect(rooted.read(join(dir, "other.png"))).rejects.toMatchObject({ code: "PATH_UNSAFE" });
    writeFileSync(join(dir, "set", "Zo\u00eb.png"), "nfc");
    writeFileSync(join(dir, "set", "Rene\u0301.png"), "nfd");
    expect(Buffer.from(await rooted.read("Zoe\u0308.png")).toString()).toBe("nfc");
    expect(Buffer.from(await rooted.read("Ren\u00e9.png")).toString()).toBe("nfd");
    await expect(rooted.read("Zo\u00e9.png")).rejects.toMatchObject({ code: "INPUT_NOT_FOUND" });
  });

  test("a download cache: links into its blobs, in a folder that was named", async () => {
    const hub = join(dir, "datasets--who--faces");
    mkdirSync(join(hub, "blobs"), { recursive: true });
    mkdirSync(join(hub, "snapshots/abc/img"), { recursive: true });
    writeFileSync(join(hub, "blobs/1f"), "picture");
    symlinkSync("../../../blobs/1f", join(hub, "snapshots/abc/img/a.png"));
    const files = new InputFiles({ roots: [], folders: { faces: join(hub, "snapshots/abc") } });
    expect(await files.list("faces")).toEqual(["faces/img/a.png"]);
    expect(Buffer.from(await files.read("faces/img/a.png")).toString()).toBe("picture");
  });

  test("ComfyUI's [input], [output] and [temp] name the folder; nothing else does", async () => {
    for (const folder of ["in/clipspace", "out/temp"]) mkdirSync(join(dir, folder), { recursive: true });
    writeFileSync(join(dir, "in", "clipspace", "p.png"), "i");
    writeFileSync(join(dir, "out", "p.png"), "o");
    writeFileSync(join(dir, "out", "temp", "p.png"), "t");
    writeFileSync(join(dir, "in", "p [x].png"), "x");
    const files = new InputFiles({ roots: [join(dir, "in")], output: join(dir, "out") });
    const read = async (name: string) => Buffer.from(await files.read(name)).toString();
    expect(await Promise.all(["clipspace/p.png [input]", "p.png [output]", "p.png[temp]", "p [x].png"].map(read))).toEqual([
      "i",
      "o",
      "t",
      "x",
    ]);
    for (const name of ["p.png", "p.png [input]", "clipspace/p.png [output]"])
      await expect(files.read(name), name).rejects.toMatchObject({ code: "INPUT_NOT_FOUND" });
    await expect(files.read("../in/p.png [output]")).rejects.toMatchObject({ code: "PATH_UNSAFE" });
    const noOutput = new InputFiles({ roots: [join(dir, "in")] });
    await expect(noOutput.read("p.png [output]")).rejects.toMatchObject({ code: "INPUT_NOT_FOUND" });
  });

  test("a pipe or a folder does not hang or open", async () => {
    execFileSync("mkfifo", [join(dir, "pipe")]);
    mkdirSync(join(dir, "folder"));
    const files = new InputFiles({ roots: [dir] });
    for (const name of ["pipe", "folder"]) await expect(files.read(name)).rejects.toMatchObject({ code: "PATH_UNSAFE" });
  });
});

describe("models", () => {
  const file = (...entries: [string, Tensor][]): Uint8Array => writeSafetensors(new Map(entries), { about: "toy" });
  const models = () => new ModelFolders({ roots: [join(dir, "models")] });
  beforeEach(() => mkdirSync(join(dir, "models", "unet", "hf"), { recursive: true }));

  test.each([
    ["q.ckpt", /pickled/],
    ["q.zip", /diffusers folder/],
  ])("%s is not a format that is read, and the remedy fits it", async (name, hint) => {
    mkdirSync(join(dir, "models", "unet"), { recursive: true });
    writeFileSync(join(dir, "models", "unet", name), "GGUF");
    await expect(models().open("unet", name)).rejects.toMatchObject({ code: "MODEL_FORMAT", hint: expect.stringMatching(hint) });
    // In a cache the file itself has a name without an ending.
    writeFileSync(join(dir, "blob"), "GGUF");
    symlinkSync(join(dir, "blob"), join(dir, "models", "unet", `link-${name}`));
    await expect(models().open("unet", `link-${name}`)).rejects.toMatchObject({ hint: expect.stringMatching(hint) });
  });

  test("a GGUF file: listed, opened in place, packed tensors and rows read as float32; behind a link too; a damaged one is named", async () => {
    const rows = Array.from({ length: 3 }, (_, r) => Float32Array.from({ length: 64 }, (_, k) => Math.sin(r * 64 + k)));
    const packed = Buffer.concat(rows.map((row) => Buffer.from(packQ8(row))));
    const unpacked = unpackBlocks("Q8_0", packed);
    const plain = new Uint8Array(Float32Array.of(1, 2).buffer);
    const bytes = ggufFile([
      { name: "w", shape: [3, 64], type: GGML.Q8_0, bytes: packed },
      { name: "b", shape: [2], type: GGML.F32, bytes: plain },
    ]);
    writeFileSync(join(dir, "blob-of-a-cache"), bytes);
    symlinkSync(join(dir, "blob-of-a-cache"), join(dir, "models", "unet", "m.gguf"));
    expect(await models().list("diffusion_models")).toContain("m.gguf");
    const m = await models().open("diffusion_models", "m.gguf");
    expect(m.tensors.get("w")).toMatchObject({ dtype: "float32", shape: [3, 64], source: { kind: "file", packing: "Q8_0", length: 204 } });
    expect(await m.read("w")).toEqual(f32([3, 64], unpacked));
    expect(await m.read("b")).toEqual(f32([2], [1, 2]));
    const wanted = [...unpacked.slice(128, 192), ...unpacked.slice(0, 64)];
    expect(await m.readRows("w", [2, 0])).toEqual(f32([2, 64], wanted));
    writeFileSync(join(dir, "models", "unet", "cut.gguf"), bytes.subarray(0, 60));
    await expect(models().open("diffusion_models", "cut.gguf")).rejects.toMatchObject({
      code: "FILE_GGUF_TRUNCATED",
      message: expect.stringContaining("cut.gguf"),
    });
  });

  test("models lie up to four folders deep; a GGUF file beside a config.json is a file; a root that is a file is told, one that is not there is empty", async () => {
    const folder = join(dir, "models", "diffusion_models");
    mkdirSync(join(folder, "a", "b", "c", "d"), { recursive: true });
    mkdirSync(join(folder, "gguf"));
    for (const name of ["a/b/c/deep.safetensors", "a/b/c/d/deeper.safetensors", "gguf/m.gguf", "gguf/config.json"])
      writeFileSync(join(folder, name), "");
    expect(await models().list("diffusion_models")).toEqual(["a/b/c/deep.safetensors", "gguf/m.gguf"]);
    expect(await new ModelFolders({ roots: [join(dir, "absent")] }).folders()).toEqual([]);
    writeFileSync(join(dir, "file"), "");
    await expect(new ModelFolders({ roots: [join(dir, "file")] }).folders()).rejects.toMatchObject({
      message: expect.stringContaining("model folder"),
    });
  });

  test("a damaged file is named, with what to do", async () => {
    writeFileSync(join(dir, "models", "unet", "m.safetensors"), new Uint8Array(20).fill(255));
    const opening = models().open("unet", "m.safetensors");
    await expect(opening).rejects.toMatchObject({
      code: expect.stringMatching(/^FILE_SAFETENSORS_/),
      message: expect.stringContaining("m.safetensors"),
      hint: expect.stringContaining("get it again"),
    });
  });

  test("a folder of one variant is that variant; of two, a question", async () => {
    const hf = join(dir, "models", "unet", "hf");
    const open = async () => [...(await models().open("unet", "hf")).tensors.keys()];
    writeFileSync(join(hf, "m.fp16.safetensors"), file(["half", f32([1], [1])]));
    expect(await open()).toEqual(["half"]);
    writeFileSync(join(hf, "m.bf16.safetensors"), file(["brain", f32([1], [1])]));
    await expect(open()).rejects.toMatchObject({ code: "MODEL_SHARDS" });
    writeFileSync(join(hf, "m.safetensors"), file(["whole", f32([1], [1])]));
    expect(await open()).toEqual(["whole"]);
  });

  test("a file: entries point into it, read and readRows copy", async () => {
    writeFileSync(
      join(dir, "models", "unet", "m.safetensors"),
      file(["e", f32([3, 2], [0, 1, 2, 3, 4, 5])], ["u", tensor("uint8", [3], Uint8Array.of(7, 8, 9))]),
    );
    expect(await models().list("diffusion_models")).toEqual(["m.safetensors"]);
    const m = await models().open("diffusion_models", "m.safetensors");
    expect(m.metadata).toEqual({ about: "toy" });
    expect(m.tensors.get("e")).toMatchObject({ dtype: "float32", shape: [3, 2], source: { kind: "file", length: 24 } });
    expect(await m.read("e")).toEqual(f32([3, 2], [0, 1, 2, 3, 4, 5]));
    expect(await m.readRows("e", [2, 0, 2])).toEqual(f32([3, 2], [4, 5, 0, 1, 4, 5]));
    expect(await m.readRows("u", [1])).toEqual(tensor("uint8", [1], Uint8Array.of(8)));
    await expect(m.readRows("e", [3])).rejects.toMatchObject({ code: "MODEL_ROW" });
    await expect(m.read("x")).rejects.toMatchObject({ code: "MODEL_TENSOR" });
  });

  test("a sharded folder is one model, its text files beside it", async () => {
    const hf = join(dir, "models", "unet", "hf");
    writeFileSync(join(hf, "a-1.safetensors"), file(["x", f32([1], [1])]));
    writeFileSync(join(hf, "a-2.safetensors"), file(["y", f32([1], [2])]));
    writeFileSync(
      join(hf, "a.safetensors.index.json"),
      JSON.stringify({ metadata: {}, weight_map: { x: "a-1.safetensors", y: "a-2.safetensors" } }),
    );
    writeFileSync(join(hf, "config.json"), "{}");
    expect(await models().list("diffusion_models")).toEqual(["hf"]);
    const m = await models().open("diffusion_models", "hf");
    expect([...m.tensors.keys()]).toEqual(["x", "y"]);
    expect(await m.text("config.json")).toBe("{}");
    expect(await m.text("absent.json")).toBeUndefined();
    expect(await m.text("../hf/config.json")).toBe("{}");
    writeFileSync(join(dir, "secret"), "s");
    await expect(m.text("../../../secret")).rejects.toMatchObject({ code: "PATH_UNSAFE" });
    writeFileSync(join(hf, "config.json"), '{"changed":1}');
    expect((await models().open("diffusion_models", "hf")).fingerprint).not.toBe(m.fingerprint);
    writeFileSync(join(hf, "a.safetensors.index.json"), JSON.stringify({ weight_map: { x: "../../../secret.safetensors" } }));
    await expect(models().open("diffusion_models", "hf")).rejects.toMatchObject({ code: "PATH_UNSAFE" });
  });

  test("links that the user made are followed: folders, files, a cache whose files have no ending, an index with its shards", async () => {
    const cache = join(dir, "hub", "models--q", "snapshots", "rev");
    const blobs = join(dir, "hub", "models--q", "blobs");
    mkdirSync(cache, { recursive: true });
    mkdirSync(blobs);
    const put = (name: string, bytes: Uint8Array | string) => {
      writeFileSync(join(blobs, `blob-${name.length}`), bytes);
      symlinkSync(join("..", "..", "blobs", `blob-${name.length}`), join(cache, name));
    };
    put("one.safetensors", file(["x", f32([1], [1])]));
    put("m-00001.safetensors", file(["a", f32([1], [1])]));
    put("m-00002-.safetensors", file(["b", f32([1], [2])]));
    put("m.safetensors.index.json", JSON.stringify({ weight_map: { a: "m-00001.safetensors", b: "m-00002-.safetensors" } }));
    put("config.json", "{}");
    const unet = join(dir, "models", "unet");
    symlinkSync(join(cache, "one.safetensors"), join(unet, "one.safetensors"));
    symlinkSync(join(cache, "m.safetensors.index.json"), join(unet, "m.safetensors.index.json"));
    symlinkSync(cache, join(unet, "repo"));
    symlinkSync(join(unet), join(unet, "circle"));
    mkdirSync(join(dir, "mnt"));
    writeFileSync(join(dir, "mnt", "l.safetensors"), file(["l", f32([1], [1])]));
    symlinkSync(join(dir, "mnt"), join(dir, "models", "loras"));
    expect(await models().list("loras")).toEqual(["l.safetensors"]);
    expect(await models().list("diffusion_models")).toEqual(["one.safetensors", "repo"]);
    expect((await models().open("loras", "l.safetensors")).tensors.size).toBe(1);
    const one = await models().open("diffusion_models", "one.safetensors");
    expect(await one.read("x")).toEqual(f32([1], [1]));
    // What lies beside the file in the cache belongs to it.
    expect(await one.text("config.json")).toBe("{}");
    for (const name of ["m.safetensors.index.json", "repo"])
      expect([...(await models().open("diffusion_models", name)).tensors.keys()], name).toEqual(["a", "b"]);
    for (const name of ["../unet/one.safetensors", join(unet, "one.safetensors"), "repo/../../../mnt/l.safetensors"])
      await expect(models().open("diffusion_models", name), name).rejects.toMatchObject({ code: "PATH_UNSAFE" });
    // What is written to is another matter: nothing goes out of it over a link.
    await expect(resolveInside(join(dir, "models"), "loras/new")).rejects.toMatchObject({ code: "PATH_UNSAFE" });
  });

  test("one bad entry does not hide the models beside it", async () => {
    const unet = join(dir, "models", "unet");
    symlinkSync(join(dir, "gone"), join(unet, "broken.safetensors"));
    symlinkSync(join(dir, "gone"), join(unet, "broken-folder"));
    writeFileSync(join(unet, "good.safetensors"), file(["x", f32([1], [1])]));
    const hf = join(unet, "hf");
    writeFileSync(join(hf, "config.json"), "{}");
    for (const shard of ["a", "b"]) writeFileSync(join(hf, `${shard}.safetensors`), new Uint8Array(10));
    expect((await models().found()).find((m) => m.name === "hf")).toEqual({ folder: "unet", name: "hf", bytes: 20 });
    rmSync(hf, { recursive: true });
    expect((await models().found()).map((m) => [m.name, m.problem === undefined])).toEqual([
      ["broken.safetensors", false],
      ["good.safetensors", true],
    ]);
    await expect(models().open("diffusion_models", "broken.safetensors")).rejects.toMatchObject({ code: "STORE_LINK" });
  });

  test("a model's identity covers all that belongs to it: shards behind an index, config.json beside a file, external data", async () => {
    const unet = join(dir, "models", "unet");
    const shard = join(unet, "m-1.safetensors");
    writeFileSync(shard, file(["x", f32([1], [1])]));
    writeFileSync(join(unet, "m.safetensors.index.json"), JSON.stringify({ weight_map: { x: "m-1.safetensors" } }));
    const identity = () => models().fingerprint("diffusion_models", "m.safetensors.index.json");
    const before = await identity();
    expect(await identity()).toBe(before);
    writeFileSync(shard, file(["x", f32([1], [2])]));
    const after = await identity();
    expect(after).not.toBe(before);
    expect((await models().open("diffusion_models", "m.safetensors.index.json")).fingerprint).toBe(after);
    const single = () => models().fingerprint("diffusion_models", "m-1.safetensors");
    const bare = await single();
    writeFileSync(join(unet, "config.json"), "{}");
    expect(await single()).not.toBe(bare);
    const data = join(unet, "n.data");
    writeFileSync(data, new Uint8Array(8));
    const external = () => models().findExternal("diffusion_models", "n.onnx", [{ location: "n.data", bytes: 8 }]);
    writeFileSync(join(unet, "n.onnx"), "");
    const first = (await external()).identity;
    writeFileSync(data, new Uint8Array(8).fill(1));
    expect((await external()).identity).not.toBe(first);
    expect(await models().textFingerprint("diffusion_models", "m-1.safetensors", "absent.txt")).toBeUndefined();
    expect(await models().textFingerprint("diffusion_models", "m-1.safetensors", "config.json")).toBe(sha256("{}"));
  });

  test.each([
    ["<!DOCTYPE html><html>Access denied</html>", "a web page", "log in"],
    ["version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 123\n", "a pointer of Git LFS", "git lfs pull"],
    ['{"error":"Invalid username or password."}', "a server's error message", "download"],
    ["GGUF\u0003\u0000\u0000\u0000", "a GGUF file", ".gguf"],
    ["PK\u0003\u0004\u0000\u0000archive/data.pkl", "a pickled checkpoint", "convert it"],
    ["\u0080\u0002}q\u0000", "a pickled checkpoint", "convert it"],
  ])("a file named .safetensors that begins with %j is told for what it is", async (content, what, remedy) => {
    writeFileSync(join(dir, "models", "unet", "other.safetensors"), Buffer.from(content, "latin1"));
    await expect(models().open("diffusion_models", "other.safetensors")).rejects.toMatchObject({
      code: "MODEL_FORMAT",
      message: expect.stringContaining(`other.safetensors is ${what}`),
      hint: expect.stringContaining(remedy),
    });
  });

  test("external data beside a model: in a download cache, where both are links to blobs; beside what a link leads to; not outside", async () => {
    const cache = join(dir, "hub", "models--org--net");
    const [blobs, snapshot] = [join(cache, "blobs"), join(cache, "snapshots", "0123")];
    mkdirSync(blobs, { recursive: true });
    mkdirSync(join(snapshot, "onnx"), { recursive: true });
    writeFileSync(join(blobs, "aaaa"), "model");
    writeFileSync(join(blobs, "bbbb"), new Uint8Array(16));
    symlinkSync("../../../blobs/aaaa", join(snapshot, "onnx", "model.onnx"));
    symlinkSync("../../../blobs/bbbb", join(snapshot, "onnx", "model.onnx_data"));
    const onnx = join(dir, "models", "onnx");
    mkdirSync(onnx, { recursive: true });
    symlinkSync(join(dir, "hub"), join(onnx, "hub"));
    const find = (name: string, location: string, bytes = 16) => models().findExternal("onnx", name, [{ location, bytes }]);
    const name = "hub/models--org--net/snapshots/0123/onnx/model.onnx";
    const cached = await find(name, "model.onnx_data");
    expect([...cached.paths]).toEqual([["model.onnx_data", realpathSync(join(blobs, "bbbb"))]]);
    // The user has linked the model alone.
    symlinkSync(join(snapshot, "onnx", "model.onnx"), join(onnx, "mine.onnx"));
    expect(await find("mine.onnx", "model.onnx_data")).toEqual(cached);
    writeFileSync(join(blobs, "bbbb"), new Uint8Array(16).fill(1));
    expect((await find("mine.onnx", "model.onnx_data")).identity).not.toBe(cached.identity);
    mkdirSync(join(snapshot, "onnx", "folder"));
    for (const [location, why, bytes] of [
      ["model.onnx_data", "has 16 bytes where 17 are needed", 17],
      ["absent", "does not exist", 1],
      ["folder", "is not a file", 1],
      ["../model.onnx", "lies outside", 1],
      ["/etc/passwd", "lies outside", 1],
    ] as const)
      await expect(find(name, location, bytes)).rejects.toMatchObject({ code: "MODEL_EXTERNAL", message: expect.stringContaining(why) });
  });

  test("opening does not follow a link that takes the file's place after it was looked up", async () => {
    writeFileSync(join(dir, "target"), "t");
    symlinkSync(join(dir, "target"), join(dir, "link"));
    await expect(openRegular(join(dir, "link"))).rejects.toMatchObject({ code: "PATH_UNSAFE" });
    const { file: opened } = await openRegular(join(dir, "target"));
    await opened.close();
  });

  test("a name that does not exist says what does, and the nearest", async () => {
    writeFileSync(join(dir, "models", "unet", "qwen.safetensors"), file(["x", f32([1], [1])]));
    await expect(models().open("diffusion_models", "qwem.safetensors")).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      hint: "did you mean qwen.safetensors?",
    });
    await expect(models().open("diffusion_models", "../../x")).rejects.toMatchObject({ code: "PATH_UNSAFE" });
    await expect(models().open("vae", "x")).rejects.toMatchObject({ message: expect.stringMatching(/; it is empty$/) });
    mkdirSync(join(dir, "models", "vae"));
    for (let k = 10; k < 31; k++) writeFileSync(join(dir, "models", "vae", `${k}.safetensors`), "");
    await expect(models().open("vae", "x")).rejects.toMatchObject({ message: expect.stringMatching(/29.safetensors and 1 more$/) });
    rmSync(join(dir, "models", "vae", "30.safetensors"));
    await expect(models().open("vae", "x")).rejects.toMatchObject({ message: expect.stringMatching(/29.safetensors$/) });
    const typed = new ModelFolders({ roots: [], allowed: { "./q": join(dir, "models", "unet", "qwen.safetensors") } });
    expect((await typed.open("diffusion_models", "./q")).tensors.size).toBe(1);
  });
});

test("values are weighed once per buffer, and getters are not called", () => {
  const buffer = new ArrayBuffer(1000);
  const { bytes, isPlain } = measureValue({ a: new Uint8Array(buffer, 0, 10), b: new Uint8Array(buffer, 10, 10) });
  expect(bytes).toBeGreaterThanOrEqual(1000);
  expect(bytes).toBeLessThan(1400);
  expect(isPlain).toBe(true);
  // Strings weigh two bytes a character, and nothing is weighed twice.
  const text = measureValue({ a: "x".repeat(1000) }).bytes;
  expect(text - measureValue({ a: "x".repeat(900) }).bytes).toBe(200);
  expect(measureValue([1, 2, 3]).bytes - measureValue([1, 2]).bytes).toBe(8);
  expect(text).toBeGreaterThanOrEqual(2000);
  expect(text).toBeLessThan(2400);
  const twice = measureValue([new Uint8Array(buffer), new Uint8Array(buffer)]).bytes;
  expect(twice).toBeLessThan(1400);
  const trap = {
    get x(): number {
      throw new Error("called");
    },
  };
  expect(measureValue(trap).isPlain).toBe(false);
  expect(measureValue([new (class A {})()]).isPlain).toBe(false);
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  expect(measureValue(cycle).isPlain).toBe(true);
});
