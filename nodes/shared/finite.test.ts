import { expect, test } from "vitest";
import { f32, type Tensor, tensor } from "../../engine/tensor/tensor.ts";
import { memoryWeights } from "../../test/memory-weights.ts";
import { allFinite, findNotFinite, notFinite, weightsNotFinite } from "./finite.ts";

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("%s is found wherever it is", (bad) => {
  for (const at of [0, 1, 2]) {
    const data = Float32Array.of(1, -2, 0);
    data[at] = bad;
    expect(allFinite(data)).toBe(false);
    expect(notFinite(data)).toBe(`${bad} at ${at}`);
  }
});

test("numbers are finite, none too", () => {
  for (const data of [Float32Array.of(1, -2, 3e38), new Float32Array()]) {
    expect(allFinite(data)).toBe(true);
    expect(notFinite(data)).toBeUndefined();
  }
});

test("the first damaged tensor of a file, of any type of numbers that can be", async () => {
  const sound: [string, Tensor][] = [
    ["a", f32([2], [1, 2])],
    ["count", tensor("int64", [1], BigInt64Array.of(5n))],
  ];
  const file = (more: [string, Tensor][]) => memoryWeights(new Map([...sound, ...more]));
  expect(await findNotFinite(file([]))).toBeUndefined();
  expect(await findNotFinite(file([["b", f32([2], [1, Number.NaN])]]))).toBe("b");
  // An infinite bfloat16, and NaN of float8 e4m3.
  expect(await findNotFinite(file([["c", tensor("bfloat16", [1], Uint16Array.of(0x7f80))]]))).toBe("c");
  expect(await findNotFinite(file([["d", tensor("float8e4m3fn", [1], Uint8Array.of(0x7f))]]))).toBe("d");
});

test("the message names the file and the tensor", () => {
  expect(weightsNotFinite("model.safetensors", "conv.weight")).toMatchObject({
    code: "MODEL_NOT_FINITE",
    message: expect.stringMatching(/model\.safetensors.*conv\.weight/),
  });
});
