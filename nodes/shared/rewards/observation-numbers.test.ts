import { expect, test } from "vitest";
import { observationNumbers } from "./observation-numbers.ts";

test("counts of faces, and which parts were skipped, each behind the names of the parts they are in", () => {
  const info = {
    faces: 2,
    people: 3,
    pairs: [[0, 1]],
    note: "text",
    nothing: null,
    mimr: { faces: 1, people: 2, similarity: new Float64Array(4) },
    realism: { skip: "no face", inner: { faces: 0 } },
  };
  expect(observationNumbers(info, "reward.")).toEqual({
    "reward.faces_found": 2,
    "reward.faces_asked": 3,
    "reward.mimr.skipped": 0,
    "reward.mimr.faces_found": 1,
    "reward.mimr.faces_asked": 2,
    "reward.realism.skipped": 1,
    "reward.realism.inner.skipped": 0,
    "reward.realism.inner.faces_found": 0,
  });
});

test("what is not a number is not one", () => {
  expect(observationNumbers({ faces: "2", people: null }, "")).toEqual({});
});
