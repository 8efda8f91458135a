import { expect, test } from "vitest";
import { fillFileNames } from "./file-names.ts";

const now = new Date(2026, 2, 7, 9, 5, 4);
const fill = (filename_prefix: unknown) => {
  const { prompt, warnings } = fillFileNames(
    {
      "1": { class_type: "LoadImage", inputs: { image: "a/b:c.png" }, _meta: { title: "Left" } },
      "2": { class_type: "KSampler", inputs: { seed: 18446744073709551615n, steps: ["1", 0] }, _meta: { name: "mine" } },
      "3": { class_type: "KSampler", inputs: { seed: 5 }, _meta: { title: "Second" } },
      "9": { class_type: "SaveImage", inputs: { filename_prefix } },
    },
    now,
  );
  return [prompt["9"]?.inputs.filename_prefix, warnings.map((w) => w.code)];
};

test.each([
  ["%date:yyyy-MM-dd%/x_%date:yy.M.d h-m-s hhmmss%", "2026-03-07/x_26.3.7 9-5-4 090504"],
  ["%LoadImage.image%_%Left.image%_%1.image%", "a_b_c.png_a_b_c.png_a_b_c.png"],
  ["%mine.seed%_%KSampler.seed%_%Second.seed%", "18446744073709551615_5_5"],
  ["%width%x%height%_%year%_100%", "%width%x%height%_%year%_100%"],
  ["a\\b\\%width%", "a/b/%width%"],
  ["./a/././b", "a/b"],
])("%s", (prefix, expected) => {
  expect(fill(prefix)).toEqual([expected, []]);
});

test("what names no known widget stays, with a warning; a link stays a link", () => {
  expect(fill("%mine.steps%_%Nobody.seed%_%1.constructor%")).toEqual([
    "%mine.steps%_%Nobody.seed%_%1.constructor%",
    ["FILE_NAME", "FILE_NAME", "FILE_NAME"],
  ]);
  expect(fill(["1", 0])).toEqual([["1", 0], []]);
});
