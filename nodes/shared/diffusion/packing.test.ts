import { expect, test } from "vitest";
import { interpret, toReference } from "../../../engine/ops/interpret.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { packLatent, unpackLatent, unpackTokens } from "./packing.ts";

const [batch, channels, h, w] = [2, 3, 4, 6];
const latent = f32(
  [batch, channels, h, w],
  Array.from({ length: batch * channels * h * w }, (_, i) => i),
);

test("each number goes to token (y/p, x/p), channel c·p² + (y mod p)·p + x mod p, of its own picture", () => {
  for (const p of [1, 2]) {
    const tokens = packLatent(latent, p);
    const [rows, columns] = [h / p, w / p];
    expect(tokens.shape).toEqual([batch, rows * columns, channels * p * p]);
    for (let b = 0; b < batch; b++)
      for (let c = 0; c < channels; c++)
        for (let y = 0; y < h; y++)
          for (let x = 0; x < w; x++) {
            const token = (b * rows + Math.floor(y / p)) * columns + Math.floor(x / p);
            const channel = c * p * p + (y % p) * p + (x % p);
            expect(tokens.data[token * channels * p * p + channel]).toBe(latent.data[((b * channels + c) * h + y) * w + x]);
          }
  }
});

test("unpacking is the inverse, on the host and in a graph", () => {
  for (const p of [1, 2]) {
    const grid = { h: h / p, w: w / p };
    const tokens = packLatent(latent, p);
    expect(unpackLatent(tokens, grid, p)).toEqual(latent);
    const b = newBuilder();
    const unpacked = unpackTokens(b, b.input("tokens", "float32", tokens.shape), grid, p);
    const { result } = interpret(b.graph({ result: unpacked }), { tokens: toReference(tokens) });
    expect([result?.shape, [...(result?.data ?? [])]]).toEqual([latent.shape, [...latent.data]]);
  }
});

test("sides that are no multiples of the patch, and tokens that do not fill the grid, are refused", () => {
  const refused = expect.objectContaining({ code: "LATENT_SIZE" });
  for (const shape of [
    [1, 1, 3, 4],
    [1, 1, 4, 3],
    [1, 4, 4],
  ])
    expect(() => packLatent(f32(shape, new Float32Array(shape.reduce((a, d) => a * d, 1))), 2), `[${shape}]`).toThrow(refused);
  const tokens = packLatent(latent, 2);
  expect(() => unpackLatent(tokens, { h: 2, w: 2 }, 2)).toThrow(refused);
  expect(() => unpackLatent(tokens, { h: 2, w: 3 }, 3)).toThrow(refused);
});
