// What "Export LoRA" of a training gives: a LoRA that other programs load, not the training's state.
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { errorBody } from "../../engine/api/error-body.ts";
import type { EventMessage } from "../../engine/api/event-message.ts";
import { readSafetensors } from "../../engine/formats/safetensors.ts";
import { trainFake } from "../train-fake.ts";
import { startToyServer, stopToyServer, type ToyServer, training, trouble } from "./toy-server.ts";

let server: ToyServer;
beforeEach(async () => {
  server = await startToyServer();
});
afterEach(() => stopToyServer(server));

test("the newest checkpoint as a LoRA, by name; what is not there says why; nothing stays behind", async () => {
  const listener = server.listen();
  const { id } = await server.submit(training);
  await listener.until((m: EventMessage) => m.kind === "run" && m.event.run === id && m.event.kind === "node.progress");
  listener.close();
  await server.call("cancel", { params: { id } });
  await server.ended(id);
  // The toy's checkpoint is one byte: here is what a real training leaves.
  const made = await trainFake({ steps: 3 });
  mkdirSync(join(server.dir, "out/train/checkpoints"), { recursive: true });
  for (const [name, bytes] of [...made.directories.values()].flatMap((d) => [...d.files]))
    if (/\.safetensors$/.test(name)) writeFileSync(join(server.dir, "out/train", name), bytes);
  const response = await server.raw(`/api/runs/${id}/lora`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-disposition")).toMatch(/^attachment; filename="lora-000003-comfyui\.safetensors"/);
  const { tensors, metadata } = readSafetensors(new Uint8Array(await response.arrayBuffer()));
  const names = [...tensors.keys()];
  expect(names.length).toBeGreaterThan(1);
  expect(names.filter((name) => !/^diffusion_model\..*\.(lora_A\.weight|lora_B\.weight|alpha)$/.test(name))).toEqual([]);
  expect(metadata).toMatchObject({ ss_steps: "3" });
  const diffusers = await server.raw(`/api/runs/${id}/lora?format=diffusers`);
  expect([...readSafetensors(new Uint8Array(await diffusers.arrayBuffer())).tensors.keys()][0]).toMatch(/lora_[AB]/);
  const code = async (path: string) => errorBody.parse(await (await server.raw(path)).json()).error.code;
  expect(await code(`/api/runs/${id}/lora?update=17`)).toBe("EXPORT_UPDATE");
  expect(await code(`/api/runs/${id}/lora?node=9`)).toBe("TRAINING_NONE");
  writeFileSync(join(server.dir, "out/train/checkpoint.safetensors"), "no checkpoint");
  expect(await code(`/api/runs/${id}/lora`)).toMatch(/^FILE_SAFETENSORS_/);
  expect(readdirSync(join(server.dir, "data/exports"))).toEqual([]);
  const plain = await server.submit(trouble("none"));
  await server.ended(plain.id);
  expect(await code(`/api/runs/${plain.id}/lora`)).toBe("TRAINING_NONE");
});
