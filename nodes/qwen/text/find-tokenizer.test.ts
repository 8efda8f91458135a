import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AppError } from "../../../engine/base/errors.ts";
import type { Models } from "../../../engine/node/context.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { memoryWeights } from "../../../test/memory-weights.ts";
import { tinyTokenizer } from "../../../tools/tiny-tokenizer.ts";
import { findTokenizer } from "./find-tokenizer.ts";
import { droppedTokens, promptText } from "./prompt-template.ts";

const json = tinyTokenizer(512);
const folder = (files: Readonly<Record<string, string>>): Models => ({
  list: async () => Object.keys(files),
  open: () => Promise.reject(new Error("not here")),
  findExternal: () => Promise.reject(new Error("not here")),
  async bytes(_, name) {
    const text = files[name];
    if (text === undefined) throw new AppError("MODEL_NOT_FOUND", name);
    return { bytes: new TextEncoder().encode(text), path: name, fingerprint: name };
  },
});
const nothing = memoryWeights(new Map());

test("is found beside the weights, in a folder of the encoder's name, in a diffusers repository, in tokenizer/", async () => {
  const beside = await findTokenizer(folder({}), memoryWeights(new Map(), { texts: { "tokenizer.json": json } }), "a.safetensors");
  for (const [path, name] of [
    ["a/tokenizer.json", "a.safetensors"],
    ["deep/a/tokenizer/tokenizer.json", "deep/a.safetensors"],
    ["Qwen-Image-Edit/tokenizer/tokenizer.json", "Qwen-Image-Edit/text_encoder"],
    ["tokenizer/tokenizer.json", "deep/er/a.safetensors"],
  ] as const)
    expect((await findTokenizer(folder({ [path]: json }), nothing, name)).fingerprint, path).toBe(beside.fingerprint);
});

test("vocab.json and merges.txt give the same ids as tokenizer.json", async () => {
  const { model, added_tokens } = JSON.parse(json);
  const files = {
    "tokenizer/vocab.json": JSON.stringify(model.vocab),
    "tokenizer/merges.txt": `#version: 0.2\n${model.merges.map((m: readonly string[]) => m.join(" ")).join("\n")}\n`,
    "tokenizer/tokenizer_config.json": JSON.stringify({
      added_tokens_decoder: Object.fromEntries(added_tokens.map((t: { id: number }) => [t.id, t])),
    }),
  };
  const [a, b] = [
    await findTokenizer(folder(files), nothing, "x"),
    await findTokenizer(folder({ "tokenizer/tokenizer.json": json }), nothing, "x"),
  ];
  const text = promptText("plus", "Remplacez le chat d'à côté, s'il vous plaît 🐈", [1, 2]);
  const ids = b.tokenizer.encode(text);
  expect(a.tokenizer.encode(text)).toEqual(ids);
  expect(b.tokenizer.decode(ids)).toBe(text);
  // The user's turn begins after the drop, whatever the vocabulary.
  const [imStart = -1] = b.tokenizer.encode("<|im_start|>");
  const rest = ids.slice(droppedTokens(ids, { imStart, user: b.tokenizer.encode("user\n") }));
  expect(b.tokenizer.decode(rest)).toMatch(/^Picture 1: <\|vision_start\|>/);
});

test("none at all is an error that says where to put it", async () => {
  await expect(findTokenizer(folder({ "tokenizer/vocab.json": "{}" }), nothing, "a.safetensors")).rejects.toMatchObject({
    code: "TEXT_TOKENIZER_MISSING",
    hint: expect.stringContaining("text_encoders/tokenizer"),
  });
});

describe("the tokenizer that comes with the program", () => {
  const root = join(import.meta.dirname, "../../..");
  const merges = readFileSync(join(root, "models/text_encoders/qwen2.5/merges.txt"), "utf8");
  const embedded = folder({ "qwen2.5/merges.txt": merges });
  /** Only the header of an embedding table of the real height. */
  const real = (rows: number) => {
    const file = memoryWeights(new Map());
    const source = { kind: "host", tensor: f32([0], []) } as const;
    const entry = { name: "model.embed_tokens.weight", dtype: "bfloat16", shape: [rows, 3584], source } as const;
    return { ...file, tensors: new Map([[entry.name, entry]]) };
  };

  test("gives Qwen2.5's ids, vision tokens included", async () => {
    const { tokenizer } = await findTokenizer(embedded, real(152_064), "qwen_2.5_vl_7b.safetensors");
    const golden: { tokenizer: { text: string; ids: number[] }[] } = JSON.parse(
      readFileSync(join(root, "test/golden/vectors.json"), "utf8"),
    );
    expect(golden.tokenizer.length).toBeGreaterThan(5);
    for (const { text, ids } of golden.tokenizer) expect(tokenizer.encode(text), text).toEqual(ids);
    expect(tokenizer.encode("<|endoftext|><|im_start|><|im_end|><|vision_start|><|vision_end|><|image_pad|><|file_sep|>")).toEqual([
      151643, 151644, 151645, 151652, 151653, 151655, 151664,
    ]);
    expect(tokenizer.size).toBe(151_665);
    const text = "Ganz egal — 你好, мир! ʕ•ᴥ•ʔ\t\n  1234";
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });

  test("is not for an encoder with another vocabulary, and gives way to what the user put there", async () => {
    await expect(findTokenizer(embedded, real(1024), "small.safetensors")).rejects.toMatchObject({
      code: "TEXT_TOKENIZER_MISSING",
      message: expect.stringContaining("more tokens than its 1024"),
    });
    const both = folder({ "qwen2.5/merges.txt": merges, "tokenizer/tokenizer.json": json });
    expect((await findTokenizer(both, real(152_064), "a.safetensors")).tokenizer.size).toBeLessThan(1024);
  });
});
