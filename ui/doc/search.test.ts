import { expect, test } from "vitest";
import { search } from "./search.ts";

const nodes = [
  "KSampler",
  "QwenImageEditSampler",
  "LoadImage",
  "SaveImage",
  "ImageScale",
  "ImageScaleToTotalPixels",
  "VAEDecode",
  "FaceDetect",
];
const find = (query: string): string[] => search(query, nodes, (text) => ({ text }));

test("the beginning of a name comes first, then the beginning of a word in it", () => {
  expect(find("image").slice(0, 2)).toEqual(["ImageScale", "ImageScaleToTotalPixels"]);
  expect(find("sampler")).toEqual(["KSampler", "QwenImageEditSampler"]);
});

test("initials and several words find a node", () => {
  expect(find("qies")).toEqual(["QwenImageEditSampler"]);
  expect(find("scale pixels")).toEqual(["ImageScaleToTotalPixels"]);
  expect(find("vd")).toEqual(["VAEDecode"]);
});

test("nothing matches nonsense, everything an empty query", () => {
  expect(find("zzz")).toEqual([]);
  expect(find("")).toEqual(nodes);
});

test("a category or summary finds it too, after names", () => {
  const found = search(
    "face",
    [
      { t: "Blend", m: "faces/eval" },
      { t: "FaceCrop", m: "" },
    ],
    (x) => ({ text: x.t, more: x.m }),
  );
  expect(found.map((x) => x.t)).toEqual(["FaceCrop", "Blend"]);
});
