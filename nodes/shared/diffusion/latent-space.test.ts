import { expect, test } from "vitest";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { cropLatent, denormaliseLatent, latentTokens, normaliseLatent, padToPatch, tokensLatent, withStatistics } from "./latent-space.ts";

const count = (n: number) => Array.from({ length: n }, (_, i) => i);
const space = { channels: 2, cell: 8, patch: 2, statistics: { mean: [1, -2], std: [2, 0.5] } };
const own = { mean: [10, 20], std: [4, 8] };
const latent = f32([1, 2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]);

test("odd sizes wrap around to whole patches and are cut off again", () => {
  const odd = f32([1, 2, 3, 3], count(18));
  const even = padToPatch(odd, 2);
  expect(even.shape).toEqual([1, 2, 4, 4]);
  expect([...even.data.subarray(0, 16)]).toEqual([0, 1, 2, 0, 3, 4, 5, 3, 6, 7, 8, 6, 0, 1, 2, 0]);
  expect(cropLatent(even, 3, 3)).toEqual(odd);
  expect(padToPatch(even, 2)).toBe(even);
  expect(padToPatch(odd, 1)).toBe(odd);
});

test("normalising is per channel, by the model's statistics or the latent's own, and undone by its inverse", () => {
  expect([...normaliseLatent(space, { samples: latent }).data]).toEqual([0, 0.5, 1, 1.5, 14, 16, 18, 20]);
  const tagged = { samples: latent, statistics: own };
  expect([...normaliseLatent(space, tagged).data]).toEqual([-2.25, -2, -1.75, -1.5, -1.875, -1.75, -1.625, -1.5]);
  expect(denormaliseLatent(space, normaliseLatent(space, tagged), own)).toEqual(tagged);
  expect(denormaliseLatent(space, normaliseLatent(space, { samples: latent })).statistics).toBe(space.statistics);
  expect(() => normaliseLatent(space, { samples: f32([1, 4, 1, 1], [0, 0, 0, 0]) })).toThrow(
    expect.objectContaining({ code: "LATENT_CHANNELS" }),
  );
});

test("raw numbers of other statistics mean the same normalised latent", () => {
  const tagged = { samples: latent, statistics: own };
  const moved = { samples: withStatistics(tagged, space.statistics), statistics: space.statistics };
  expect([...normaliseLatent(space, moved).data]).toEqual([...normaliseLatent(space, tagged).data]);
  expect(withStatistics({ samples: latent }, own)).toBe(latent);
  expect(withStatistics(tagged, { mean: [10, 20], std: [4, 8] })).toBe(latent);
});

test("tokens carry channel, then row, then column of a patch", () => {
  const wide = { samples: f32([1, 2, 2, 4], count(16)), statistics: { mean: [0, 0], std: [1, 1] } };
  const { tokens, grid } = latentTokens(space, wide);
  expect(grid).toEqual({ h: 1, w: 2 });
  expect([...tokens.data]).toEqual([0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15]);
  expect(tokensLatent(space, tokens, grid, wide.statistics)).toEqual(wide);
  const flat = latentTokens({ ...space, patch: 1 }, wide);
  expect(flat.grid).toEqual({ h: 2, w: 4 });
  expect([...flat.tokens.data.subarray(0, 4)]).toEqual([0, 8, 1, 9]);
});
