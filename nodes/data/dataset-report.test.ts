import { expect, it } from "vitest";
import { fakeContext } from "../../test/fake-context.ts";
import { fakeDataset, fakeExample } from "../../test/fake-diffusion.ts";
import { fakeEncoder } from "../../test/fake-face-models.ts";
import { interpreterCompute } from "../../test/interpreter-compute.ts";
import type { Dataset } from "../shared/contracts/data.ts";
import report from "./dataset-report.ts";

it("sheet, similarities, duplicates across splits, copies, and what is left out", async () => {
  const [a, b] = [fakeExample(1), fakeExample(2)];
  const copy = { ...a, id: "copy", references: [a.target], referenceFaces: a.targetFaces };
  const dataset: Dataset = {
    ...fakeDataset(2, 2),
    example: async (split, index) => (split === "train" ? [a, b] : [copy, fakeExample(9)])[index] ?? a,
    leftOut: [{ id: "x.jpg", why: "no face found" }],
  };
  const ctx = fakeContext(interpreterCompute());
  const { sheet, METRICS } = await report.run(
    { dataset, encoder: fakeEncoder({ comparison: { kind: "cosine", threshold: -1 } }), examples: 8, duplicates: 3, prefix: "report" },
    ctx,
    {},
  );
  expect(METRICS.values).toMatchObject({ examples: 4, people: 4, faces: 4, left_out: 1, similarity_max: expect.closeTo(1, 5) });
  expect(ctx.logs.join("\n")).toMatch(/copy: reference 1 is a copy of its face in the target \(similarity 1.00\)/);
  expect(ctx.logs.join("\n")).toMatch(/copy: its target is nearly that of fake:1, which is in the other split/);
  expect(ctx.logs).toContain("warn: x.jpg is left out: no face found");
  expect([...ctx.saved.keys()].sort()).toEqual(["report/report.json", "report/sheet.png"]);
  const [, height = 0, width = 0] = sheet.shape;
  expect([height, width]).toEqual([2 * 132 + 4, 3 * (2 * 132 + 8)]);
  // The first target is framed in green, the copy's in red.
  const at = (x: number, y: number) =>
    [...sheet.data.slice((y * width + x) * 3, (y * width + x) * 3 + 3)].map((v) => Math.round(v * 10) / 10);
  expect(at(4 + 132, 4)).toEqual([0.1, 0.7, 0.2]);
  expect(at(2 * (2 * 132 + 8) + 4 + 132, 4)).toEqual([0.9, 0.1, 0.1]);
});

it("a dataset without examples", async () => {
  await expect(
    report.run({ dataset: fakeDataset(0, 0), encoder: undefined, examples: 8, duplicates: 3, prefix: "r" }, fakeContext(), {}),
  ).rejects.toMatchObject({ code: "DATASET_EMPTY" });
});

it("what was not looked at or could not be measured is told", async () => {
  const faceless = { ...fakeExample(1), referenceFaces: [] };
  const ctx = fakeContext(interpreterCompute());
  const dataset: Dataset = { ...fakeDataset(5, 0), example: async () => faceless };
  await report.run({ dataset, encoder: fakeEncoder(), examples: 1, duplicates: 0, prefix: "r" }, ctx, {});
  expect(ctx.logs).toEqual([
    "warn: 1 of 5 examples are looked at: raise examples to see all",
    "warn: how like 1 references are to the target is not measured: the dataset knows no face of them, or none in their place",
  ]);
});
