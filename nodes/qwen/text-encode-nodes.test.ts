import { afterAll, expect, test } from "vitest";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { fakeContext } from "../../test/fake-context.ts";
import type { Image, Latent } from "../shared/contracts/data.ts";
import type { TextEncoder } from "../shared/contracts/diffusion.ts";
import type { Vae } from "../shared/contracts/modules.ts";
import editNode from "./text-encode-qwen-image-edit.ts";
import editDiffusers from "./text-encode-qwen-image-edit-diffusers.ts";
import plusNode from "./text-encode-qwen-image-edit-plus.ts";

const compute = createRuntime({ device: "cpu", threads: 1 });
afterAll(() => compute.dispose());
const ctx = fakeContext(compute);

type Request = Parameters<TextEncoder["encode"]>[1];
function fakeClip(): TextEncoder & { readonly requests: Request[] } {
  const requests: Request[] = [];
  return {
    id: "clip",
    requests,
    encode: async (_, request) => {
      requests.push(request);
      return { embeds: f32([1, 1, 2], [1, 2]) };
    },
  };
}
/** Its latent is the picture, eight times smaller: [1,3,h/8,w/8]. */
const vae: Vae = {
  id: "vae",
  encode: {
    id: "e",
    build: (b, x) => {
      const [n = 1, c = 1, h = 0, w = 0] = x.shape;
      return b.one("Resize", [x], {
        sizes: [n, c, h / 8, w / 8],
        mode: "nearest",
        coordinate_transformation_mode: "asymmetric",
        nearest_mode: "floor",
      });
    },
  },
  decode: { id: "d", build: (_, z) => z },
  channels: 3,
  cell: 8,
  statistics: { mean: [0, 0, 0], std: [1, 1, 1] },
};
const grey = (width: number, height: number): Image => f32([1, height, width, 3], new Float32Array(width * height * 3).fill(128 / 255));
const sizes = (latents: readonly Latent[]) => latents.map(({ samples: t }) => [t.shape[3], t.shape[2]]);
const seen = (request: Request | undefined) => request?.images.map(({ image, slot }) => [slot, image.shape[2], image.shape[1]]);

test("Plus: pictures at 384² for the text, 1024² in steps of 8 for the VAE, numbered by slot", async () => {
  const clip = fakeClip();
  const inputs = { clip, prompt: "p", vae, image1: undefined, image2: grey(64, 48), image3: grey(33, 77) };
  const { CONDITIONING } = await plusNode.run(inputs, ctx, {});
  expect(clip.requests[0]).toMatchObject({ template: "plus", prompt: "p", resample: "comfyui" });
  expect(seen(clip.requests[0])).toEqual([
    [2, 443, 333],
    [3, 251, 587],
  ]);
  expect(sizes(CONDITIONING.referenceLatents)).toEqual([
    [1184 / 8, 888 / 8],
    [672 / 8, 1568 / 8],
  ]);
  expect(CONDITIONING.referenceLatents[0]?.samples.data[0]).toBeCloseTo((2 * 128) / 255 - 1, 5);
});

test("Plus without pictures or without a VAE", async () => {
  const clip = fakeClip();
  const none = { clip, prompt: "p", vae: undefined, image1: undefined, image2: undefined, image3: undefined };
  const bare = await plusNode.run(none, ctx, {});
  expect(clip.requests[0]).toMatchObject({ template: "plus", images: [] });
  expect(bare.CONDITIONING.referenceLatents).toEqual([]);
  const seenOnly = await plusNode.run({ ...none, image1: grey(32, 32) }, ctx, {});
  expect(seenOnly.CONDITIONING.referenceLatents).toEqual([]);
  expect(seen(clip.requests[1])).toEqual([[1, 384, 384]]);
});

test("Edit: one picture at 1024² for both; the text-to-image template without one", async () => {
  const clip = fakeClip();
  const { CONDITIONING } = await editNode.run({ clip, prompt: "p", vae, image: grey(64, 48) }, ctx, {});
  expect(clip.requests[0]?.template).toBe("edit");
  expect(seen(clip.requests[0])).toEqual([[1, 1182, 887]]);
  // 1182×887 is cropped to multiples of 8.
  expect(sizes(CONDITIONING.referenceLatents)).toEqual([[147, 110]]);
  await editNode.run({ clip, prompt: "p", vae, image: undefined }, ctx, {});
  expect(clip.requests[1]).toMatchObject({ template: "t2i", images: [] });
});

test("diffusers: multiples of 32 by area, numbered by order, the last picture gives the size", async () => {
  const clip = fakeClip();
  const images = { image1: undefined, image2: grey(64, 36), image3: grey(40, 30), image4: undefined };
  const inputs = { clip, prompt: "p", vae, pipeline: "edit_plus" as const, vision_size: 384, reference_size: 1024, ...images };
  const plus = await editDiffusers.run(inputs, ctx, {});
  expect(clip.requests[0]).toMatchObject({ template: "plus", resample: "diffusers" });
  expect(seen(clip.requests[0])).toEqual([
    [1, 512, 288],
    [2, 448, 320],
  ]);
  expect(sizes(plus.CONDITIONING.referenceLatents)).toEqual([
    [1376 / 8, 768 / 8],
    [1184 / 8, 896 / 8],
  ]);
  expect([plus.width, plus.height]).toEqual([1184, 896]);
  const small = await editDiffusers.run({ ...inputs, pipeline: "edit", reference_size: 128, image3: undefined }, ctx, {});
  expect(seen(clip.requests[1])).toEqual([[1, 160, 96]]);
  expect([small.width, small.height]).toEqual([160, 96]);
  await expect(editDiffusers.run({ ...inputs, pipeline: "edit" }, ctx, {})).rejects.toMatchObject({ code: "TEXT_IMAGES" });
});
