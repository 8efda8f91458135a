import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readSafetensors } from "../engine/formats/safetensors.ts";
import { toFloat32 } from "../engine/tensor/convert.ts";
import { releasedHeaders } from "../test/released-transformer.ts";
import { type Plan, planRealSize, writeRealSize } from "./real-size.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "real-size-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

test("the names, shapes and sizes are those of the released files", () => {
  const [transformer] = planRealSize("bf16", { parts: ["transformer"] }).files;
  const shapes = (tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>) =>
    [...tensors].map(([name, { shape }]) => `${name} [${shape}]`).sort();
  // ComfyUI marks 2511 with an empty tensor.
  expect(shapes(transformer?.tensors ?? new Map())).toEqual([...shapes(releasedHeaders()), "__index_timestep_zero__ [0]"].sort());
  const parameters = (part: "transformer" | "text_encoder" | "vae") => planRealSize("bf16", { parts: [part] }).parameters;
  expect(parameters("transformer")).toBe(20_430_401_088);
  // Qwen2.5-VL-7B has 8,292,166,656; nothing uses its output layer of 152,064 × 3,584.
  expect(parameters("text_encoder")).toBe(8_292_166_656 - 152_064 * 3584);
  expect(parameters("vae")).toBe(126_892_531);
});

test("float8 files have a scale beside every matrix; shards are within their limit and listed", () => {
  const fp8 = planRealSize("fp8", { parts: ["transformer"], layers: 2 });
  const [file] = fp8.files;
  const matrices = [...(file?.tensors.values() ?? [])].filter((t) => t.dtype === "float8e4m3fn" && t.shape.length === 2);
  expect(matrices.length).toBe(2 * 14 + 6);
  for (const { name } of matrices) expect(file?.tensors.get(name.replace(/weight$/, "scale_weight"))?.dtype).toBe("float32");

  const shards = planRealSize("shards", { parts: ["transformer", "vae"], layers: 2, shard: 5e8 });
  const sizes = shards.files.map(({ tensors }) =>
    [...tensors.values()].reduce((sum, t) => sum + 2 * t.shape.reduce((a, b) => a * b, 1), 0),
  );
  expect(Math.max(...sizes)).toBeLessThanOrEqual(5e8);
  expect(shards.files.map((f) => f.path.split("-").slice(-3).join("-"))).toContain("00002-of-00004.safetensors");
  const index = JSON.parse(
    shards.texts.get("diffusion_models/qwen_image_edit_real_size/diffusion_pytorch_model.safetensors.index.json") ?? "",
  );
  expect(index.metadata.total_size).toBe(2 * planRealSize("bf16", { parts: ["transformer"], layers: 2 }).parameters);
  expect(index.weight_map["proj_out.weight"]).toBe("diffusion_pytorch_model-00004-of-00004.safetensors");
  const vae = shards.files.at(-1)?.tensors;
  expect(vae?.has("encoder.conv_in.weight") && vae.has("decoder.up_blocks.0.upsamplers.0.resample.1.weight")).toBe(true);
});

const PLAN: Plan = {
  files: [
    {
      path: "vae/small.safetensors",
      metadata: {},
      tensors: new Map(
        (
          [
            { name: "matrix.weight", shape: [300, 40], fill: { std: 64 }, dtype: "float8e4m3fn" },
            { name: "kernel.weight", shape: [4, 5, 3, 2, 2], fill: { std: 0.5 }, slices: 3, dtype: "bfloat16" },
            { name: "bias", shape: [40], fill: { value: 0.25 }, dtype: "float32" },
          ] as const
        ).map((spec) => [spec.name, spec]),
      ),
    },
  ],
  texts: new Map([["vae/config.json", "{}"]]),
  parameters: 0,
  bytes: 100_000,
};

test("what is written has the spread that was asked for, and the same seed gives the same bytes", async () => {
  await writeRealSize(dir, PLAN, 7, () => undefined);
  const bytes = readFileSync(join(dir, "vae/small.safetensors"));
  const { tensors } = readSafetensors(bytes);
  const values = (name: string) => [...toFloat32(tensors.get(name) ?? expect.fail(name))];
  const spread = (xs: readonly number[]) => Math.sqrt(xs.reduce((sum, x) => sum + x * x, 0) / xs.length);
  expect(spread(values("matrix.weight")) / 64).toBeCloseTo(1, 1);
  const kernel = values("kernel.weight");
  const last = kernel.filter((_, i) => Math.floor(i / 4) % 3 === 2);
  expect(kernel.filter((_, i) => Math.floor(i / 4) % 3 !== 2).every((x) => x === 0)).toBe(true);
  expect(spread(last)).toBeGreaterThan(0.3);
  expect(values("bias")).toEqual(new Array(40).fill(0.25));
  const again = join(dir, "again");
  await writeRealSize(again, PLAN, 7, () => undefined);
  expect(readFileSync(join(again, "vae/small.safetensors")).equals(bytes)).toBe(true);
  const other = join(dir, "other");
  await writeRealSize(other, PLAN, 8, () => undefined);
  expect(readFileSync(join(other, "vae/small.safetensors")).equals(bytes)).toBe(false);
});

test("a file that is whole is left alone; a disk without room is refused before anything is written", async () => {
  const said: string[] = [];
  await writeRealSize(dir, PLAN, 1, () => undefined);
  writeFileSync(join(dir, "vae/config.json"), "x");
  await writeRealSize(dir, PLAN, 2, (line) => said.push(line));
  expect(said).toEqual([`${join(dir, "vae/small.safetensors")} is there already`]);
  const huge = writeRealSize(join(dir, "huge"), { ...PLAN, bytes: 1e18 }, 1, () => undefined);
  await expect(huge).rejects.toThrow(/1000000000\.0 GB are to be written and .* are free .* --format fp8, fewer --layers or one --part/);
});
