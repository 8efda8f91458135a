import { expect, test } from "vitest";
import { randomSource } from "../../../engine/base/random.ts";
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Value } from "../../../engine/ir/value.ts";
import { createRuntime } from "../../../engine/ort/runtime.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import type { Vae } from "../../shared/contracts/modules.ts";
import { decoderFor } from "./decode-latents.ts";
import { tiledDecode } from "./tiled-decode.ts";

const RATIO = 8;

/** A VAE whose decoder is `build` on its first three latent channels, enlarged. */
function fakeVae(build: (b: Builder, z: Value) => Value): Vae {
  const decode = (b: Builder, z: Value): Value => {
    const [n = 1, c = 1, h = 1, w = 1] = z.shape;
    return b.one("Resize", [build(b, z)], {
      sizes: [n, c, h * RATIO, w * RATIO],
      mode: "nearest",
      coordinate_transformation_mode: "asymmetric",
      nearest_mode: "floor",
    });
  };
  return {
    id: "fake",
    encode: { id: "e", build: decode },
    decode: { id: "d", build: decode },
    channels: 3,
    cell: 1,
    statistics: { mean: [], std: [] },
  };
}

test("a decoder that looks at one cell only gives the same picture in tiles of any size", async () => {
  const compute = createRuntime({ device: "cpu", threads: 1 });
  const vae = fakeVae((b, z) => b.mul(z, 2));
  const shape = [3, 7, 10];
  const latent = randomSource(1).normals(new Float32Array(210));
  const whole = await (await decoderFor(compute, vae, shape))(latent);
  for (const tiling of [
    { size: 4, stride: 3 },
    { size: 4, stride: 4 },
    { size: 5, stride: 2 },
    { size: 16, stride: 12 },
  ]) {
    const tiled = await tiledDecode(compute, vae, shape, tiling)(latent);
    expect(tiled.shape).toEqual([1, 3, 56, 80]);
    tiled.data.forEach((x, i) => {
      expect(Math.abs(x - (whole.data[i] ?? 0))).toBeLessThan(1e-5);
    });
  }
  await compute.dispose();
});

test("neighbouring tiles fade into each other over the overlap", async () => {
  const compute = createRuntime({ device: "cpu", threads: 1 });
  // Each tile comes out flat, at the mean of its cells.
  const vae = fakeVae((b, z) => b.add(b.mul(z, 0), b.mean(z, [2, 3])));
  const cells = [0, 0, 4, 4, 4];
  const latent = f32([3, 1, 5], [...cells, ...cells, ...cells]).data;
  const { data } = await tiledDecode(compute, vae, [3, 1, 5], { size: 3, stride: 2 })(latent);
  // Tiles [0,0,4], [4,4,4], [4]: 4/3 up to cell 2, where 8 pixels lead over to 4.
  const row = [...data.subarray(0, 40)];
  row.forEach((x, i) => {
    const t = (i - 16) / 8;
    expect(x).toBeCloseTo(i < 16 ? 4 / 3 : i < 24 ? (4 / 3) * (1 - t) + 4 * t : 4, 4);
  });
  await compute.dispose();
});
