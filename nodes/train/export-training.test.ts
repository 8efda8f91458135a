// What a training leaves is read back by the exporter, which knows its files only.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { exportTraining, listCheckpoints, trainingFolder } from "../../engine/app/training/export-training.ts";
import { readSafetensors } from "../../engine/formats/safetensors.ts";
import { trainFake } from "../../test/train-fake.ts";
import type { Lora } from "../shared/contracts/modules.ts";

let out = "";
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), "export-"));
});
afterEach(() => rmSync(out, { recursive: true, force: true }));

const asked = { format: "comfyui", dtype: "float32" } as const;

async function trained(changes: Parameters<typeof trainFake>[0] = {}): Promise<{ folder: string; lora: Lora }> {
  const { lora, directories } = await trainFake({ steps: 4, keep_every: 1, keep_last: 3, sample_every: 2, ema_decay: 0.5, ...changes });
  let folder = "";
  for (const [name, { files }] of directories)
    for (const [file, bytes] of files) {
      folder = join(out, name);
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), bytes);
    }
  return { folder, lora };
}

const b = (bytes: Uint8Array) => readSafetensors(bytes).tensors.get("diffusion_model.block.attn.to_q.lora_B.weight")?.data;

test("the newest checkpoint gives the run's own LoRA; every kept update has its own, raw and averaged", async () => {
  const { folder, lora } = await trained();
  expect(await trainingFolder(out)).toBe(folder);
  expect((await listCheckpoints(folder)).map((c) => `${c.update} ${c.kind}${c.isBest ? " best" : ""}`)).toEqual(
    expect.arrayContaining(["2 state", "2 lora", "3 state", "3 lora", "4 state", "4 lora"]),
  );
  const newest = await exportTraining(folder, asked);
  expect([newest.name, newest.update, newest.weights]).toEqual(["lora-000004-comfyui.safetensors", 4, "ema"]);
  expect(b(newest.bytes)).toEqual(lora.adapters.find((x) => x.target.endsWith("to_q"))?.b.data);
  expect(readSafetensors(newest.bytes).metadata).toMatchObject({ ss_steps: "4", ss_network_dim: "2", "whos_who.weights": "ema" });
  const raw = await exportTraining(folder, { ...asked, weights: "raw", update: 3 });
  expect([raw.name, raw.update]).toEqual(["lora-000003-raw-comfyui.safetensors", 3]);
  expect(b(raw.bytes)).not.toEqual(b((await exportTraining(folder, { ...asked, update: 3 })).bytes));
  const best = await exportTraining(folder, { ...asked, update: "best" });
  expect([2, 4]).toContain(best.update);
  // Beside the average the raw weights of the best update are kept, whatever keep_every is.
  const { folder: sparse } = await trained({ keep_every: 0, seed: 5 });
  const bestRaw = await exportTraining(sparse, { ...asked, update: "best", weights: "raw" });
  const bestAverage = await exportTraining(sparse, { ...asked, update: "best" });
  expect([bestRaw.weights, bestAverage.weights, bestRaw.update]).toEqual(["raw", "ema", bestAverage.update]);
  expect(b(bestRaw.bytes)).not.toEqual(b(bestAverage.bytes));
  expect(bestRaw.name).toMatch(/-raw-comfyui/);
  // A run that was killed between the two files: what is best is still what the LoRA says.
  const { directories } = await trainFake({ steps: 2, keep_every: 0, sample_every: 1, ema_decay: 0.5, seed: 5 });
  const other = [...directories.values()][0]?.files.get("checkpoint.safetensors");
  writeFileSync(join(sparse, "checkpoints/checkpoint-best.safetensors"), other ?? "");
  expect((await exportTraining(sparse, { ...asked, update: "best" })).update).toBe(bestAverage.update);
  await expect(exportTraining(folder, { ...asked, update: 1 })).rejects.toThrow(/no checkpoint after update 1/);
});

test("what cannot be exported says why", async () => {
  const { folder } = await trained({ ema_decay: 0, keep_every: 0, steps: 3, samples: 0 });
  await expect(exportTraining(folder, { ...asked, weights: "ema" })).rejects.toThrow(/keeps no average/);
  await expect(exportTraining(folder, { ...asked, update: "best" })).rejects.toThrow(/kept no best LoRA/);
  expect((await exportTraining(folder, asked)).weights).toBe("raw");
  await trained({ ema_decay: 0, keep_every: 0, steps: 3, samples: 0, seed: 1 });
  await expect(trainingFolder(out)).rejects.toThrow(/holds 2 trainings: train-/);
  await expect(trainingFolder(join(out, "gone"))).rejects.toMatchObject({ code: "EXPORT_FOLDER" });
  const bytes = Buffer.from((await trainFake({ steps: 2 })).directories.values().next().value?.files.get("checkpoint.safetensors") ?? []);
  bytes[bytes.length - 9] = (bytes.at(-9) ?? 0) ^ 4;
  writeFileSync(join(folder, "checkpoint.safetensors"), bytes);
  await expect(exportTraining(folder, asked)).rejects.toThrow(/is damaged/);
});
