import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { AppError } from "../base/errors.ts";
import { newBuilder } from "../ops/table.ts";
import { f32 } from "../tensor/tensor.ts";
import { createRuntime } from "./runtime.ts";

const runtime = createRuntime({ device: "cpu", threads: 1, maxSessions: 2 });
const dir = mkdtempSync(join(tmpdir(), "runtime-"));
afterAll(async () => {
  await runtime.dispose();
  rmSync(dir, { recursive: true });
});

function scaleGraph(by: number) {
  const b = newBuilder();
  return b.graph({ y: b.mul(b.input("x", "float32", [2]), by) });
}

test("equal graphs share a session; the least recently used is released and made again", async () => {
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

test("a file replaced on disk is not answered from an old session", async () => {
  const path = join(dir, "w.bin");
  const run = async () => {
    const b = newBuilder();
    const w = b.weight("w", "float32", [1], { kind: "file", path, offset: 0, length: 4 });
    return (await runtime.run(b.graph({ y: b.add(w, b.input("x", "float32", [1])) }), { x: f32([1], [0]) })).y?.data[0];
  };
  writeFileSync(path, new Uint8Array(Float32Array.of(7).buffer));
  expect(await run()).toBe(7);
  writeFileSync(path, new Uint8Array(Float32Array.of(8, 0).buffer));
  expect(await run()).toBe(8);
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

test("an aborted signal refuses to start", async () => {
  const compute = runtime.withSignal(AbortSignal.abort());
  await expect(compute.run(scaleGraph(2), { x: f32([2], [1, 2]) })).rejects.toThrow(/abort/i);
});

test("what the runtime refuses comes back as a typed error", async () => {
  const b = newBuilder();
  const w = b.weight("w", "float32", [1], { kind: "file", path: join(dir, "w0.bin"), offset: 4096, length: 4 });
  const failure = runtime.run(b.graph({ y: b.add(w, b.input("x", "float32", [1])) }), { x: f32([1], [0]) });
  await expect(failure).rejects.toBeInstanceOf(AppError);
  await expect(failure).rejects.toMatchObject({ code: "ORT_CREATE" });
});
