import { expect, test } from "vitest";
import { didYouMean } from "./did-you-mean.ts";

test("finds what was meant, or nothing", () => {
  expect(didYouMean("ksampler", ["VAELoader", "KSampler"])).toBe("KSampler");
  expect(didYouMean("KSmapler", ["VAELoader", "KSampler"])).toBe("KSampler");
  expect(didYouMean("stesp", ["steps", "cfg", "seed"])).toBe("steps");
  expect(didYouMean("TextEncodeQwenImageEditPlsu", ["TextEncodeQwenImageEdit", "TextEncodeQwenImageEditPlus"])).toBe(
    "TextEncodeQwenImageEditPlus",
  );
  expect(didYouMean("Banana", ["VAELoader", "KSampler"])).toBeUndefined();
  expect(didYouMean("x", [])).toBeUndefined();
  expect(didYouMean("ab", ["ac"])).toBe("ac");
  expect(didYouMean("X", ["x"])).toBe("x");
  for (const word of ["", "x"]) expect(didYouMean(word, ["7", "y", ""])).toBeUndefined();
});
