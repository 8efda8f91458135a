// Every saved workflow runs to its end on what the repository brings, with as few steps as it allows.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

const ROOT = join(import.meta.dirname, "..", "..");

const ladder = (name: string) => ({
  set: ["9.steps=1", "9.accumulate=1", "9.samples=0", "10.examples=1", "10.denoise_steps=1"],
  leaves: new RegExp(`^loras/ladder-${name}_.*\\.safetensors$`),
});

/** Workflow → widgets that make it short, and a file it must leave. */
const WORKFLOWS: Readonly<Record<string, { readonly set: readonly string[]; readonly leaves: RegExp; readonly models?: "scenes" }>> = {
  "match-many.json": { set: [], leaves: /^people_.*\.png$/ },
  "match.json": { set: [], leaves: /^match_.*\.png$/ },
  "edit.json": { set: ["8.steps=1"], leaves: /^edit_.*\.png$/ },
  "lora.json": { set: ["8.steps=1"], leaves: /^edit_.*\.png$/ },
  "reward.json": { set: [], leaves: /^reward\.json$/ },
  "realism-report.json": { set: [], leaves: /^realism-report\.png$/ },
  "train-realism-reward.json": {
    set: ["5.train=2", "5.held_out=1", "5.denoise_steps=1", "6.steps=1", "6.batch=1"],
    leaves: /^realism\/drawn-people\.onnx$/,
  },
  "train-realism.json": {
    set: [
      ...["9.steps=1", "9.accumulate=1", "23.steps=1", "23.accumulate=1", "23.samples=1"],
      ...["23.on_trouble=warn", "24.examples=1", "24.denoise_steps=1", "25.examples=1", "25.denoise_steps=1"],
    ],
    leaves: /^loras\/.*comfyui.*\.safetensors$/,
  },
  "evaluate.json": { set: ["7.examples=1", "7.denoise_steps=1"], leaves: /^evaluate\/.*\.png$/ },
  "train.json": {
    set: ["9.steps=1", "9.accumulate=1", "9.samples=1", "10.examples=1", "11.examples=1", "10.denoise_steps=1", "11.denoise_steps=1"],
    leaves: /^loras\/.*comfyui.*\.safetensors$/,
  },
  "train-clips.json": { set: ["9.steps=1", "9.accumulate=1"], leaves: /^loras\/clips_comfyui.*\.safetensors$/ },
  "pretrain-vae.json": { set: ["3.steps=1", "3.batch=1"], leaves: /^pretrain\/.*\.safetensors$/ },
  "pretrain-vae-larger.json": { set: ["3.steps=1", "3.batch=1"], leaves: /^pretrain\/.*\.safetensors$/ },
  "pretrain-transformer.json": { set: ["5.steps=1", "5.batch=1", "4.train=1"], leaves: /^pretrain\/.*\.safetensors$/ },
  "pretrain-scenes-vae.json": { set: ["3.steps=1", "3.batch=1"], leaves: /^pretrain\/.*\.safetensors$/ },
  "pretrain-scenes-vae-faces.json": { set: ["3.steps=1", "3.batch=1"], leaves: /^pretrain\/.*\.safetensors$/ },
  "pretrain-scenes-transformer.json": {
    set: ["5.steps=1", "5.batch=1", "4.train=5"],
    leaves: /^pretrain\/.*-text-encoder.*\.safetensors$/,
    models: "scenes",
  },
  "ladder/base.json": { set: ["10.examples=1", "10.denoise_steps=1"], leaves: /^metrics\.json$/ },
  "ladder/sft.json": ladder("sft"),
  "ladder/sir.json": ladder("sir"),
  "ladder/mimr.json": ladder("mimr"),
  "ladder/balanced.json": ladder("balanced"),
  "ladder/search.json": ladder("search"),
};

const folder = mkdtempSync(join(tmpdir(), "saved-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const node = (...args: string[]) =>
  spawnSync(process.execPath, args, {
    encoding: "utf8",
    env: { ...process.env, WHOSWHO_DATA: join(folder, "data"), WHOSWHO_MODELS: "", NODE_COMPILE_CACHE: join(ROOT, ".cache/compile") },
  });

const record = z.looseObject({ state: z.string(), files: z.array(z.string()) });

beforeAll(() => {
  const make = (models: string, ...more: string[]) => {
    const made = node(join(ROOT, "tools/small-checkpoint.ts"), "untrained", join(folder, models), ...more);
    expect(made.status, made.stderr).toBe(0);
  };
  make("models");
  make("scenes", "--scenes");
});

test("the table names every workflow", () => {
  const saved = readdirSync(join(ROOT, "graphs"), { recursive: true, encoding: "utf8" });
  expect(Object.keys(WORKFLOWS).sort()).toEqual(saved.filter((name) => name.endsWith(".json") && name !== "gallery.json").sort());
});

test.each(Object.entries(WORKFLOWS))("graphs/%s", (name, { set, leaves, models }) => {
  const out = join(folder, name);
  const args = ["--models", join(folder, models ?? "models"), "--out", out, ...set.flatMap((s) => ["--set", s])];
  const { status, stderr } = node(join(ROOT, "graph.mjs"), "run", join(ROOT, "graphs", name), ...args);
  expect(status, stderr).toBe(0);
  const { state, files } = record.parse(JSON.parse(readFileSync(join(out, "run.json"), "utf8")));
  expect(state).toBe("finished");
  expect(files.filter((file) => leaves.test(file))).not.toEqual([]);
});
