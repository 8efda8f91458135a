import { afterAll, expect, test } from "vitest";
import { createRuntime } from "../../../engine/ort/runtime.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { memoryWeights } from "../../../test/memory-weights.ts";
import { tinyTextEncoder } from "../../../tools/tiny-text-encoder.ts";
import { openQwenVl, type Part } from "./open-qwen-vl.ts";
import { promptText } from "./prompt-template.ts";
import { insertPictures, type TextTokenizer, textEncoder } from "./text-encoder.ts";

const compute = createRuntime({ device: "cpu", threads: 1 });
afterAll(() => compute.dispose());

const SPECIALS = ["<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|image_pad|>", "<|vision_end|>"];
/** One token per byte; specials from 256. */
const bytes: TextTokenizer = {
  encode: (text) =>
    text
      .split(/(<\|\w+\|>)/)
      .flatMap((piece) => (SPECIALS.includes(piece) ? [256 + SPECIALS.indexOf(piece)] : [...new TextEncoder().encode(piece)])),
};
const picture = (h: number, w: number, seed: number) =>
  f32(
    [1, h, w, 3],
    Float32Array.from({ length: h * w * 3 }, (_, i) => ((i * seed) % 97) / 96),
  );
const open = async () => {
  const { tensors, metadata } = tinyTextEncoder(4);
  return textEncoder("tiny", await openQwenVl(memoryWeights(tensors, { metadata })), bytes);
};

test("the states of everything after the system part come out, pictures expanded", async () => {
  const clip = await open();
  const { embeds: text } = await clip.encode(compute, { template: "t2i", prompt: "Hi", images: [], resample: "comfyui" });
  // "Hi" + im_end, \n, im_start, "assistant", \n
  expect(text.shape).toEqual([1, 2 + 2 + 1 + 9 + 1, 64]);
  // 56×84 → 2×3 tokens, 28×28 is enlarged to 56×56: 2×2. Both stand between vision_start and vision_end after "Picture n: ".
  const images = [
    { image: picture(56, 84, 7), slot: 1 },
    { image: picture(28, 28, 5), slot: 3 },
  ];
  const { embeds: plus } = await clip.encode(compute, { template: "plus", prompt: "Hi", images, resample: "comfyui" });
  expect(plus.shape).toEqual([1, 15 + (11 + 2 + 6) + (11 + 2 + 4), 64]);
  const { embeds: other } = await clip.encode(compute, {
    template: "plus",
    prompt: "Hi",
    images: images.map((i, n) => ({ ...i, slot: n + 1 })),
    resample: "comfyui",
  });
  expect(other.data).not.toEqual(plus.data);
});

test("a prompt that is a whole template is taken as it is by ComfyUI's rule only", async () => {
  const clip = await open();
  const prompt = promptText("t2i", "Hi", []);
  const whole = await clip.encode(compute, { template: "edit", prompt, images: [], resample: "comfyui" });
  const built = await clip.encode(compute, { template: "t2i", prompt: "Hi", images: [], resample: "comfyui" });
  expect(whole).toEqual(built);
  const { embeds: nested } = await clip.encode(compute, { template: "t2i", prompt, images: [], resample: "diffusers" });
  expect(nested.shape[1]).toBe(bytes.encode(prompt).length + 13);
});

test("pictures take the first pads in order; further pads stay tokens", () => {
  const image = (n: number): Extract<Part, { kind: "image" }> => ({
    kind: "image",
    grid: { h: 2, w: 2 * n },
    tokens: f32([n, 1], new Float32Array(n)),
  });
  const { parts, expanded } = insertPictures([1, 9, 2, 9, 9], 9, [image(2), image(1)]);
  expect(parts.map((p) => (p.kind === "text" ? p.ids : p.grid.w / 2))).toEqual([[1], 2, [2], 1, [9]]);
  expect(expanded).toEqual([1, -1, -1, 2, -1, 9]);
});

test("a tokenizer of another model is refused", async () => {
  const { tensors, metadata } = tinyTextEncoder(4);
  const model = await openQwenVl(memoryWeights(tensors, { metadata }));
  expect(() => textEncoder("x", model, { encode: (text) => [...text].map(() => 1) })).toThrow(
    expect.objectContaining({ code: "TEXT_TOKENIZER" }),
  );
});

test("a template it does not have is refused", async () => {
  const clip = await open();
  await expect(clip.encode(compute, { template: "flux", prompt: "Hi", images: [], resample: "comfyui" })).rejects.toMatchObject({
    code: "TEXT_TEMPLATE",
  });
});

test("NaN in a weight is told with the file and the tensor", async () => {
  const { tensors, metadata } = tinyTextEncoder(4);
  tensors.get("model.layers.1.mlp.up_proj.weight")?.data.fill(Number.NaN, 0, 1);
  const model = await openQwenVl(memoryWeights(tensors, { metadata, name: "damaged.safetensors" }));
  const request = { template: "t2i", prompt: "Hi", images: [], resample: "comfyui" } as const;
  await expect(textEncoder("tiny", model, bytes).encode(compute, request)).rejects.toMatchObject({
    code: "TEXT_NOT_FINITE",
    message: expect.stringContaining("damaged.safetensors: model.layers.1.mlp.up_proj.weight"),
  });
});
