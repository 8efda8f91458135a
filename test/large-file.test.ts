// A 2 GB transformer file: opened by its header, mapped by the runtime, never copied.
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { layoutSafetensors } from "../engine/formats/safetensors.ts";
import { newBuilder } from "../engine/ops/table.ts";
import { createRuntime } from "../engine/ort/runtime.ts";
import { ModelFolders } from "../engine/store/model-folders.ts";
import { f32 } from "../engine/tensor/tensor.ts";
import { loadTransformer } from "../nodes/qwen/transformer/load-transformer.ts";
import { tinyTransformer } from "../tools/tiny-transformer.ts";

/** Bytes of this process that no file backs. */
function anonymous(): number {
  const line = /RssAnon:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"));
  return Number(line?.[1] ?? Number.NaN) * 1024;
}

/** The names of the real file at a quarter of its width, in float32: sparse, so it takes no disk. */
function writeLargeFile(path: string): number {
  const small = tinyTransformer(0, { layers: 7, heads: 1, headDim: 8, jointAttentionDim: 24, axes: [2, 2, 4], zeroCond: false });
  const width = 1536;
  const grown = new Map(
    [...small.tensors].map(([name, t]) => {
      const norm = /\.norm_/.test(name);
      const grow = (d: number) => (norm ? 128 : d % 8 === 0 && d !== 24 && d !== 64 && d !== 256 ? (d / 8) * width : d);
      return [name, { dtype: "float32" as const, shape: t.shape.map(grow) }];
    }),
  );
  const layout = layoutSafetensors(grown, { config: JSON.stringify({ axes_dims_rope: [16, 56, 56] }) });
  const fd = openSync(path, "w");
  writeSync(fd, layout.header);
  ftruncateSync(fd, layout.fileSize);
  closeSync(fd);
  return layout.fileSize;
}

test.runIf(process.platform === "linux")("a 2 GB file opens in its place and adds less than 100 MB", async () => {
  const dir = mkdtempSync(join(tmpdir(), "large-"));
  const runtime = createRuntime({ device: "cpu" });
  try {
    mkdirSync(join(dir, "diffusion_models"));
    expect(writeLargeFile(join(dir, "diffusion_models", "large.safetensors"))).toBeGreaterThan(2e9);
    const models = new ModelFolders({ roots: [dir], allowed: {} });
    const before = anonymous();
    const { model } = await loadTransformer(await models.open("diffusion_models", "large.safetensors"));
    const b = newBuilder();
    const v = model.build(b, {
      shape: { batch: 1, target: { h: 2, w: 2 }, references: [], prompt: { text: [1, 3, 24] }, convention: "comfyui" },
      x: b.input("x", "float32", [1, 4, 64]),
      references: null,
      sigma: b.input("sigma", "float32", [1]),
      prompt: { text: b.input("text", "float32", [1, 3, 24]) },
    });
    const executable = await runtime.compile(b.graph({ v }));
    const feeds = { x: f32([1, 4, 64], new Float32Array(256).fill(1)), text: f32([1, 3, 24], new Float32Array(72)), sigma: f32([1], [1]) };
    const out = await executable.run(feeds);
    expect(out.v?.data.length).toBe(256);
    expect(executable.strategy).toBe("whole");
    expect((anonymous() - before) / 1e6).toBeLessThan(100);
  } finally {
    await runtime.dispose();
    rmSync(dir, { recursive: true });
  }
});
