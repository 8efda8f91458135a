import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { AppError } from "../base/errors.ts";
import { emitOnnx } from "../onnx/emit.ts";
import { newBuilder } from "../ops/table.ts";
import { f32, type Tensor } from "../tensor/tensor.ts";
import { createRuntime } from "./runtime.ts";

vi.mock("../onnx/emit.ts", { spy: true });

const runtime = createRuntime({ device: "cpu", threads: 1, maxSessions: 2 });
const dir = mkdtempSync(join(tmpdir(), "runtime-"));
afterAll(async () => {
  await runtime.dispose();
  rmSync(dir, { recursive: true });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.clearAllMocks();
});

/** x scaled and shifted by each of `blocks` scopes, and the mean of what comes out. */
function segmentedTower(blocks: number, weights?: (block: number) => { readonly path: string; readonly dtype: "float32" | "bfloat16" }) {
  const b = newBuilder();
  let y = b.input("x", "float32", [2]);
  for (let i = 0; i < blocks; i++)
    y = b.scope(`blocks.${i}`, () => {
      const file = weights?.(i);
      const w =
        file && b.weight(`w${i}`, file.dtype, [2], { kind: "file", path: file.path, offset: 0, length: file.dtype === "float32" ? 8 : 4 });
      const shift = w ? (file.dtype === "float32" ? w : b.cast(w, "float32")) : b.scalar(1);
      return b.add(b.mul(y, 0.5), shift);
    });
  return b.graph({ y, loss: b.mean(y, [], false) });
}

function scaleGraph(by: number) {
  const b = newBuilder();
  return b.graph({ y: b.mul(b.input("x", "float32", [2]), by) });
}

test("equal graphs share a session; the least recently used is released, and opened again when needed", async () => {
  const x = { x: f32([2], [1, 2]) };
  const first = await runtime.compile(scaleGraph(3));
  await runtime.run(scaleGraph(3), x);
  expect(runtime.stats().created).toBe(1);
  await runtime.run(scaleGraph(4), x);
  await runtime.run(scaleGraph(5), x);
  expect(runtime.stats().sessions).toBe(2);
  expect([...((await first.run(x)).y?.data ?? [])]).toEqual([3, 6]);
  expect(runtime.stats().created).toBe(4);
});

test("weights are read at any byte offset of a file, also through a symbolic link", async () => {
  for (const offset of [0, 1, 2, 3, 4]) {
    const bytes = new Uint8Array(offset + 8);
    new DataView(bytes.buffer).setFloat32(offset, 1.5, true);
    new DataView(bytes.buffer).setFloat32(offset + 4, -2, true);
    const path = join(dir, `w${offset}.bin`);
    writeFileSync(path, bytes);
    const link = join(dir, `link${offset}.bin`);
    symlinkSync(path, link);
    for (const p of [path, link]) {
      const b = newBuilder();
      const w = b.weight("w", "float32", [2], { kind: "file", path: p, offset, length: 8 });
      const { y } = await runtime.run(b.graph({ y: b.add(b.input("x", "float32", [2]), w) }), { x: f32([2], [1, 1]) });
      expect([...(y?.data ?? [])]).toEqual([2.5, -1]);
    }
  }
});

/** x + the one float32 at the start of a file. */
function plusFile(path: string) {
  const b = newBuilder();
  const w = b.weight("w", "float32", [1], { kind: "file", path, offset: 0, length: 4 });
  return b.graph({ y: b.add(w, b.input("x", "float32", [1])) });
}

/** Another file takes the place of the one at `path`, which lives on where it is mapped. */
function replaceFile(path: string, ...numbers: number[]): void {
  writeFileSync(`${path}.new`, new Uint8Array(Float32Array.from(numbers).buffer));
  renameSync(`${path}.new`, path);
}

test("a file replaced on disk is not answered from an old session", async () => {
  const path = join(dir, "w.bin");
  const x = { x: f32([1], [0]) };
  replaceFile(path, 7);
  const before = await runtime.compile(plusFile(path));
  expect((await before.run(x)).y?.data[0]).toBe(7);
  replaceFile(path, 8);
  expect((await runtime.run(plusFile(path), x)).y?.data[0]).toBe(8);
  // A compiled graph keeps using what it has mapped, and refuses when it would have to open the file again.
  expect((await before.run(x)).y?.data[0]).toBe(7);
  await runtime.run(scaleGraph(11), { x: f32([2], [1, 2]) });
  await runtime.run(scaleGraph(12), { x: f32([2], [1, 2]) });
  await expect(before.run(x)).rejects.toMatchObject({ code: "ORT_WEIGHT", message: expect.stringMatching(/changed on disk/) });
});

test("bfloat16 weights are widened inside the graph", async () => {
  const path = join(dir, "bf16.bin");
  writeFileSync(path, new Uint8Array(Uint16Array.of(0x3fc0, 0xc000).buffer));
  const b = newBuilder();
  const w = b.weight("w", "bfloat16", [2], { kind: "file", path, offset: 0, length: 4 });
  const { y } = await runtime.run(b.graph({ y: b.mul(b.cast(w, "float32"), b.input("x", "float32", [2])) }), { x: f32([2], [2, 2]) });
  expect([...(y?.data ?? [])]).toEqual([3, -4]);
});

test("wrong feeds, fed weights, inputs passed straight through", async () => {
  const g = scaleGraph(2);
  await expect(runtime.run(g, {})).rejects.toThrow(/input x .* was not fed/);
  await expect(runtime.run(g, { x: f32([3], [1, 2, 3]) })).rejects.toThrow(/wants float32 \[2\], got float32 \[3\]/);
  const b = newBuilder();
  const x = b.input("x", "float32", [1]);
  const w = b.weight("w", "float32", [1], { kind: "host", tensor: f32([1], [10]) });
  const graph = b.graph({ sum: b.add(x, w), same: x });
  const fed = await runtime.run(graph, { x: f32([1], [1]), w: f32([1], [100]) }, { fed: ["w"] });
  expect([fed.sum?.data[0], fed.same?.data[0]]).toEqual([101, 1]);
  expect((await runtime.run(graph, { x: f32([1], [1]) })).sum?.data[0]).toBe(11);
});

test("a cancelled run starts nothing more: not a compilation, not a session, not the next segment", async () => {
  const stop = new AppError("CANCELLED", "stop");
  const tower = segmentedTower(80);
  const feeds = { x: f32([2], [1, 2]) };
  for (const allowed of [0, 1, 5]) {
    let left = Number.POSITIVE_INFINITY;
    const compute = runtime.checkedBy(() => {
      if (left-- <= 0) throw stop;
    });
    const executables = [
      await compute.compile(tower, { strategy: "segments" }),
      await compute.grad(tower, "loss", ["x"], { strategy: "segments" }),
      await compute.compile(tower, { strategy: "whole" }),
    ];
    for (const executable of executables) {
      left = executable.strategy === "whole" ? 0 : allowed;
      const before = runtime.stats().runs;
      await expect(executable.run(feeds)).rejects.toBe(stop);
      expect(runtime.stats().runs - before).toBe(executable.strategy === "whole" ? 0 : allowed);
    }
    left = 0;
    const { created } = runtime.stats();
    await expect(compute.compile(scaleGraph(77))).rejects.toBe(stop);
    await expect(compute.grad(tower, "loss", ["x"])).rejects.toBe(stop);
    await expect(compute.run(scaleGraph(77), feeds)).rejects.toBe(stop);
    // Asked once before compiling, then before the first session.
    left = 1;
    await expect(compute.compile(tower, { strategy: "segments" })).rejects.toBe(stop);
    expect(runtime.stats().created).toBe(created);
  }
});

test("what the runtime refuses comes back as a typed error", async () => {
  const b = newBuilder();
  const w = b.weight("w", "float32", [1], { kind: "file", path: join(dir, "w0.bin"), offset: 4096, length: 4 });
  const failure = runtime.run(b.graph({ y: b.add(w, b.input("x", "float32", [1])) }), { x: f32([1], [0]) });
  await expect(failure).rejects.toBeInstanceOf(AppError);
  await expect(failure).rejects.toMatchObject({ code: "ORT_CREATE" });
});

test("a graph that is compiled again is not written out again, nor are its host weights", async () => {
  const own = createRuntime({ device: "cpu", threads: 1 });
  const build = (weight: Tensor) => {
    const b = newBuilder();
    return b.graph({ y: b.mul(b.input("x", "float32", [2]), b.weight("w", "float32", [2], { kind: "host", tensor: weight })) });
  };
  const x = { x: f32([2], [1, 2]) };
  const [ones, twos] = [f32([2], [1, 1]), f32([2], [2, 2])];
  for (let i = 0; i < 3; i++) expect([...((await own.run(build(ones), x)).y?.data ?? [])]).toEqual([1, 2]);
  expect(emitOnnx).toHaveBeenCalledTimes(1);
  // Another weight under the same name is another session.
  expect([...((await own.run(build(twos), x)).y?.data ?? [])]).toEqual([2, 4]);
  expect([...((await own.run(build(ones), x)).y?.data ?? [])]).toEqual([1, 2]);
  expect(emitOnnx).toHaveBeenCalledTimes(2);
  // A fed weight belongs to no session: graphs share the session, each with its own weight.
  const [a, c] = [await own.compile(build(ones), { fed: ["w"] }), await own.compile(build(twos), { fed: ["w"] })];
  expect([(await a.run(x)).y?.data[1], (await c.run(x)).y?.data[1], (await a.run({ ...x, w: twos })).y?.data[1]]).toEqual([2, 4, 4]);
  expect(emitOnnx).toHaveBeenCalledTimes(3);
  await own.dispose();
});

test("sessions that are asked for at once are opened once, and none is released while it is used", async () => {
  const own = createRuntime({ device: "cpu", threads: 1, maxSessions: 1 });
  const x = { x: f32([2], [1, 2]) };
  await Promise.all([1, 2, 3].map(() => own.compile(scaleGraph(2))));
  expect(own.stats().created).toBe(1);
  const scaled = async (by: number) => {
    const run = await own.compile(scaleGraph(by));
    for (let i = 0; i < 5; i++) expect([...((await run.run(x)).y?.data ?? [])]).toEqual([by, 2 * by]);
  };
  await Promise.all([2, 3, 4, 2, 3, 4].map(scaled));
  expect(own.stats().sessions).toBe(1);
  await own.dispose();
  expect(own.stats()).toMatchObject({ sessions: 0, bytes: 0, released: own.stats().created });
});

test("sessions at rest stay within a number of bytes; one that is larger than it still runs", async () => {
  const own = createRuntime({ device: "cpu", threads: 1, maxSessionBytes: 100_000 });
  const adding = (n: number, by: number) => {
    const b = newBuilder();
    return b.graph({
      y: b.add(
        b.input("x", "float32", [n]),
        b.weight("w", "float32", [n], { kind: "host", tensor: f32([n], new Float32Array(n).fill(by)) }),
      ),
    });
  };
  const first = async (n: number, by: number) => (await own.run(adding(n, by), { x: f32([n], new Float32Array(n)) })).y?.data[0];
  for (let i = 0; i < 10; i++) {
    expect(await first(2000, i)).toBe(i);
    expect(own.stats().bytes).toBeLessThanOrEqual(100_000);
  }
  expect(own.stats()).toMatchObject({ created: 10 });
  expect(own.stats().sessions).toBeLessThan(10);
  expect(own.stats().sessions).toBeGreaterThan(1);
  expect(await first(100_000, 5)).toBe(5);
  expect(own.stats()).toMatchObject({ sessions: 1, bytes: 100_000 });
  await own.dispose();
});

test("segments read their weights from disk once, as far as they fit, and never those of another file", async () => {
  const path = (i: number) => join(dir, `block${i}.bin`);
  for (let i = 0; i < 8; i++) writeFileSync(path(i), new Uint8Array(Uint16Array.of(0x3f80, 0x4000).buffer));
  const tower = segmentedTower(8, (i) => ({ path: path(i), dtype: "bfloat16" }));
  const x = { x: f32([2], [256, 256]) };
  const all = 8 * 2 * 4;
  for (const [room, again] of [
    [all, 0],
    [all / 2, 4],
    [0, 8],
  ] as const) {
    const own = createRuntime({ device: "cpu", threads: 1, keptWeightBytes: room });
    const run = await own.compile(tower, { strategy: "segments" });
    const first = await run.run(x);
    expect([...(first.y?.data ?? [])]).toEqual([2.9921875, 4.984375]);
    expect(own.stats().weightReads).toBe(8);
    for (let i = 1; i <= 3; i++) {
      expect(await run.run(x)).toEqual(first);
      expect(own.stats()).toMatchObject({ weightReads: 8 + i * again, keptWeightBytes: room });
    }
    await own.dispose();
  }
  const own = createRuntime({ device: "cpu", threads: 1, keptWeightBytes: all / 2 });
  const run = await own.compile(tower, { strategy: "segments" });
  await run.run(x);
  // Weights that nobody asks for any more make room in the end.
  const lower = await own.compile(
    segmentedTower(4, (i) => ({ path: path(i + 4), dtype: "bfloat16" })),
    { strategy: "segments" },
  );
  for (let i = 0; i < 20; i++) await lower.run(x);
  const { weightReads } = own.stats();
  await lower.run(x);
  expect(own.stats().weightReads).toBe(weightReads);
  replaceFile(path(0), 9);
  await expect(run.run(x)).rejects.toMatchObject({ code: "ORT_WEIGHT", message: expect.stringMatching(/changed on disk/) });
  await own.dispose();
});

test("memory is what the container allows, not what the machine has", async () => {
  expect((await createRuntime({ device: "cpu" }).compile(segmentedTower(4))).strategy).toBe("whole");
  vi.spyOn(process, "constrainedMemory").mockReturnValue(16);
  expect((await createRuntime({ device: "cpu" }).compile(segmentedTower(4))).strategy).toBe("segments");
  // What systems without a limit report.
  for (const none of [0, 2 ** 64]) {
    vi.spyOn(process, "constrainedMemory").mockReturnValue(none);
    expect((await createRuntime({ device: "cpu" }).compile(segmentedTower(4))).strategy).toBe("whole");
  }
});

test("a device that is not there is refused before anything runs, and the error says what is missing", async () => {
  await expect(createRuntime({ device: "cpu" }).tryDevice()).resolves.toBeUndefined();
  for (const device of ["cuda", "webgpu"] as const) {
    const failure = await createRuntime({ device })
      .tryDevice()
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    if (failure === undefined) continue;
    expect(failure).toMatchObject({
      code: "ORT_DEVICE",
      message: expect.stringMatching(/CUDA provider is not installed|lib\S+\.so\S*: cannot open|adapter/),
      hint: expect.stringMatching(/--device cpu/),
    });
  }
});
