// Training makes the prompts that editing makes, for every variant of the model.
import { afterAll, expect, test } from "vitest";
import { createTokenizer } from "../../engine/formats/tokenizer.ts";
import { parseTokenizerJson } from "../../engine/formats/tokenizer-files.ts";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { fakeExample, noise } from "../../test/fake-diffusion.ts";
import { memoryWeights } from "../../test/memory-weights.ts";
import { TINY_TEXT_ENCODER, tinyTextEncoder } from "../../tools/tiny-text-encoder.ts";
import { tinyTokenizer } from "../../tools/tiny-tokenizer.ts";
import { tinyTransformer } from "../../tools/tiny-transformer.ts";
import { tinyVae } from "../../tools/tiny-vae.ts";
import { encodeImages } from "../shared/diffusion/encode-images.ts";
import { prepareExample } from "../train/model/prepared-example.ts";
import { openQwenVl } from "./text/open-qwen-vl.ts";
import { textEncoder } from "./text/text-encoder.ts";
import editDiffusers from "./text-encode-qwen-image-edit-diffusers.ts";
import { knownPipeline } from "./transformer/edit-pipeline.ts";
import { loadTransformer } from "./transformer/load-transformer.ts";
import { ZERO_COND_MARKER } from "./transformer/transformer-prefix.ts";
import { loadVae } from "./vae/load-vae.ts";

const compute = createRuntime({ device: "cpu", threads: 1 });
afterAll(() => compute.dispose());

const transformer = tinyTransformer(1);
const encoder = tinyTextEncoder(2);
const clip = textEncoder(
  "tiny",
  await openQwenVl(memoryWeights(encoder.tensors, { metadata: { ...encoder.metadata } })),
  createTokenizer(parseTokenizerJson(tinyTokenizer(TINY_TEXT_ENCODER.vocab))),
);
const vae = await loadVae(memoryWeights(tinyVae(3)));

const file = (name: string, zeroCond = false) =>
  memoryWeights(new Map([...transformer.tensors].filter(([tensor]) => tensor !== ZERO_COND_MARKER)), {
    name,
    metadata: { config: JSON.stringify({ ...JSON.parse(transformer.metadata.config ?? "{}"), zero_cond_t: zeroCond }) },
  });
const VARIANTS = [
  ["Edit", file("qwen_image_edit_fp8_e4m3fn.safetensors"), "edit", 1],
  ["Edit-2509", file("qwen_image_edit_2509_bf16.safetensors"), "edit_plus", 2],
  ["Edit-2511", file("renamed.safetensors", true), "edit_plus", 3],
] as const;

test.each(VARIANTS)("%s is trained on the prompt it is edited with", async (_, weights, pipeline, people) => {
  const { model, ...found } = await loadTransformer(weights);
  expect(found.pipeline).toBe(pipeline);
  const ctx = fakeContext(compute);
  // Pictures that the editing pipeline keeps as they are: 96·64 pixels in multiples of 32, 8 bits.
  const references = Array.from({ length: people }, (_each, k) =>
    f32(
      [1, 64, 96, 3],
      noise(k, [1, 64, 96, 3]).data.map((x) => Math.round(255 / (1 + Math.exp(-x))) / 255),
    ),
  );
  const prompt = "the two of them on a bench";
  const [image1, image2, image3] = references;
  const inputs = {
    clip,
    prompt,
    vae,
    pipeline,
    vision_size: 64,
    reference_size: Math.sqrt(96 * 64),
    image1,
    image2,
    image3,
    image4: undefined,
  };
  const { CONDITIONING: edited } = await editDiffusers.run(inputs, ctx, {});
  const example = { ...fakeExample(0), prompt, references };
  const prepared = await prepareExample(compute, { model, vae, clip }, example, { guidanceScale: 4, negativePrompt: " ", visionSize: 64 });
  const latents = await Promise.all(references.map((image) => encodeImages(compute, vae, image)));
  expect(edited.referenceLatents.map((l) => [...l.samples.data])).toEqual(latents.map((l) => [...l.samples.data]));
  const feeds = Object.values(prepared.conditional.feeds).map((t) => [...t.data].join());
  expect(feeds).toContain([...edited.embeds.data].join());
  const negative = await editDiffusers.run({ ...inputs, prompt: " " }, ctx, {});
  const branch = Object.values(prepared.branches[0]?.feeds ?? {}).map((t) => [...t.data].join());
  expect(branch).toContain([...negative.CONDITIONING.embeds.data].join());
});

test("the original takes one picture; without a picture it reads the prompt as Qwen-Image does", async () => {
  const { model } = await loadTransformer(file("qwen_image_edit_bf16.safetensors"));
  const picture = f32([1, 32, 32, 3], new Float32Array(32 * 32 * 3));
  expect(() => model.prompt.request("p", [picture, picture], 384)).toThrow(/takes one picture, the example has 2/);
  expect(model.prompt.request("p", [], 384).template).toBe("t2i");
  expect(model.prompt.request("p", [picture], 384)).toMatchObject({ template: "edit", images: [{ slot: 1, image: picture }] });
});

test("marker, repository, name: in this order", () => {
  const of = (name: string, zeroCond = false, index?: string) => knownPipeline({ name }, zeroCond, index);
  const index = (name: string) => JSON.stringify({ _class_name: name });
  expect(of("Qwen-Image-Edit/transformer")).toBe("edit");
  expect(of("qwen-image-edit-Q4_K_M.gguf")).toBe("edit");
  expect(of("qwen_image_edit_bf16.safetensors", true)).toBe("edit_plus");
  expect(of("x/transformer", false, index("QwenImageEditPipeline"))).toBe("edit");
  expect(of("qwen-image-edit/transformer", false, index("QwenImageEditPlusPipeline"))).toBe("edit_plus");
  expect(of("qwen_image_edit_2511_fp8mixed.safetensors")).toBe("edit_plus");
  expect(of("my-finetune.safetensors")).toBeUndefined();
  expect(of("qwen_image_edit_small.safetensors")).toBeUndefined();
  expect(of("qwen_image_edit_bf16.safetensors", false, "not json")).toBe("edit");
});
