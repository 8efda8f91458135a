// Against diffusers: test/parity.
import { afterAll, expect, test } from "vitest";
import { AppError } from "../../../engine/base/errors.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { createRuntime } from "../../../engine/ort/runtime.ts";
import { f32, type Tensor, tensor } from "../../../engine/tensor/tensor.ts";
import { memoryWeights } from "../../../test/memory-weights.ts";
import { tinyVae } from "../../../tools/tiny-vae.ts";
import { decodeLatents } from "../../diffusion/vae/decode-latents.ts";
import { encodeImages } from "../../shared/diffusion/encode-images.ts";
import { loadVae } from "./load-vae.ts";

const compute = createRuntime({ device: "cpu", threads: 1 });
afterAll(() => compute.dispose());

test("pictures are cropped to multiples of 8, centred, and come back clamped", async () => {
  const vae = await loadVae(memoryWeights(tinyVae(3)));
  const rng = new Float32Array(2 * 21 * 17 * 3).map((_, i) => ((i * 37) % 101) / 100);
  const images = f32([2, 21, 17, 3], rng);
  const cropped = new Float32Array(2 * 16 * 16 * 3);
  for (let n = 0; n < 2; n++)
    for (let y = 0; y < 16; y++)
      for (let x = 0; x < 48; x++) cropped[(n * 16 + y) * 48 + x] = rng[((n * 21 + y + 2) * 17 + 0) * 3 + x] ?? 0;
  const { samples: latents } = await encodeImages(compute, vae, images);
  expect(latents.shape).toEqual([2, 16, 2, 2]);
  expect(latents.data).toEqual((await encodeImages(compute, vae, f32([2, 16, 16, 3], cropped))).samples.data);
  const loud = f32(
    latents.shape,
    latents.data.map((x) => 40 * x),
  );
  const back = await decodeLatents(compute, vae, { samples: loud });
  expect(back.shape).toEqual([2, 16, 16, 3]);
  expect([Math.min(...back.data), Math.max(...back.data)]).toEqual([0, 1]);
});

test("other depths and widths are read off the tensors", async () => {
  const sizes = { baseDim: 4, zDim: 3, dimMult: [1, 3, 2], resBlocks: 1 };
  const texts = { "config.json": JSON.stringify({ latents_mean: [1, 2, 3], latents_std: [1, 1, 2] }) };
  const vae = await loadVae(memoryWeights(tinyVae(1, sizes), { texts }));
  expect(vae.statistics).toEqual({ mean: [1, 2, 3], std: [1, 1, 2] });
  const b = newBuilder();
  expect(vae.encode.build(b, b.input("x", "float32", [1, 3, 8, 12])).shape).toEqual([1, 3, 2, 3]);
  expect(vae.decode.build(b, b.input("z", "float32", [2, 3, 2, 3])).shape).toEqual([2, 3, 8, 12]);
  expect(() => vae.encode.build(b, b.input("odd", "float32", [1, 3, 9, 12]))).toThrow(expect.objectContaining({ code: "VAE_SIZE" }));
  expect(() => vae.decode.build(b, b.input("wide", "float32", [1, 16, 2, 2]))).toThrow(expect.objectContaining({ code: "VAE_SIZE" }));
  await expect(loadVae(memoryWeights(tinyVae(1, sizes)))).rejects.toMatchObject({ code: "VAE_CONFIG" });
});

test("a tensor of another size is refused, never stretched", async () => {
  const tensors = tinyVae(1);
  const taken: string[] = [];
  // One more than it was, and one alone, which would be repeated.
  for (const [name, { shape }] of tensors)
    for (const other of [[(shape[0] ?? 0) + 1, ...shape.slice(1)], shape.map(() => 1)]) {
      if (name.includes(".time_conv.")) continue;
      const changed = new Map(tensors).set(name, f32(other, new Float32Array(other.reduce((a, n) => a * n, 1))));
      const code = await loadVae(memoryWeights(changed)).then(
        () => "taken",
        (error: unknown) => (error instanceof AppError ? error.code : String(error)),
      );
      if (!/^(VAE|MODEL)_/.test(code)) taken.push(`${name} [${other}]: ${code}`);
    }
  expect(taken).toEqual([]);
});

test("NaN in a weight is refused with the file's and the tensor's name", async () => {
  const tensors = tinyVae(1);
  const bias = tensors.get("decoder.conv1.bias");
  bias?.data.fill(Number.NaN, 3, 4);
  await expect(loadVae(memoryWeights(tensors))).rejects.toMatchObject({
    code: "MODEL_NOT_FINITE",
    message: expect.stringMatching(/memory\.safetensors.*decoder\.conv1\.bias/),
  });
});

test("a file that lacks any one tensor is refused by the tensor's name", async () => {
  const sizes = { baseDim: 4, zDim: 3, dimMult: [1, 3, 2], resBlocks: 1 };
  const texts = { "config.json": JSON.stringify({ latents_mean: [1, 2, 3], latents_std: [1, 1, 2] }) };
  const whole = tinyVae(1, sizes);
  for (const name of whole.keys()) {
    if (name.includes(".time_conv.")) continue;
    const tensors = new Map(whole);
    tensors.delete(name);
    await expect(loadVae(memoryWeights(tensors, { texts })), name).rejects.toMatchObject({
      code: "VAE_TENSOR_MISSING",
      message: expect.stringContaining(`has no ${name}`),
    });
  }
  const bent = tinyVae(1);
  bent.set("decoder.head.2.weight", f32([3, 9, 3, 3, 3], new Float32Array(729)));
  await expect(loadVae(memoryWeights(bent))).rejects.toMatchObject({ code: "VAE_LAYOUT" });
});

test("the VAEs of other models are refused by name", async () => {
  const one = (name: string, ...shape: number[]): [string, Tensor] => [
    name,
    tensor("bfloat16", shape, new Uint16Array(shape.reduce((a, d) => a * d, 1))),
  ];
  const sd = (z: number) => [one("decoder.conv_in.weight", 8, z, 3, 3)];
  const wan = one("decoder.middle.0.residual.0.gamma", 4, 1, 1, 1);
  const cases: [string, [string, Tensor][]][] = [
    ["Stable Diffusion 1.x", sd(4)],
    ["FLUX or Stable Diffusion 3", sd(16)],
    ["FLUX.2", sd(32)],
    ["Wan 2.2", [wan, one("decoder.upsamples.0.upsamples.0.residual.2.weight", 1, 1, 3, 3, 3)]],
    ["Layered", [wan, one("encoder.conv1.weight", 8, 4, 3, 3, 3)]],
    ["a text encoder", [one("model.embed_tokens.weight", 2, 2)]],
    ["transformer", [one("model.diffusion_model.txt_norm.weight", 2)]],
    ["not an autoencoder", [one("something", 2)]],
  ];
  for (const [what, tensors] of cases)
    await expect(loadVae(memoryWeights(new Map(tensors)))).rejects.toMatchObject({
      code: "VAE_FAMILY",
      message: expect.stringContaining(what),
    });
});

test("a latent or a picture with NaN is an error of its own", async () => {
  const vae = await loadVae(memoryWeights(tinyVae(3)));
  const latent = f32([1, 16, 2, 2], new Float32Array(64).fill(Number.NaN, 5, 6));
  await expect(decodeLatents(compute, vae, { samples: latent })).rejects.toMatchObject({
    code: "VAE_NOT_FINITE",
    message: expect.stringContaining("latent that comes in"),
  });
  const picture = f32([1, 16, 16, 3], new Float32Array(768).fill(Number.NaN, 5, 6));
  await expect(encodeImages(compute, vae, picture)).rejects.toMatchObject({
    code: "VAE_NOT_FINITE",
    message: expect.stringContaining("picture that comes in"),
  });
});
