import { expect, test } from "vitest";
import { isOlder, newerSummary } from "./newer-summary.ts";

const at = (state: "queued" | "running" | "finished" | "failed" | "interrupted") => ({ state });

test("an answer that comes after the events does not take a run back", () => {
  for (const [told, known] of [
    ["queued", "running"],
    ["queued", "finished"],
    ["running", "failed"],
    ["running", "interrupted"],
  ] as const) {
    expect(isOlder(at(told), at(known))).toBe(true);
    expect(newerSummary(at(told), at(known))).toEqual(at(known));
    expect(newerSummary(at(known), at(told))).toEqual(at(known));
  }
});

test("news of the same stage counts, and so does the first", () => {
  const [earlier, later] = [at("running"), at("running")];
  expect(newerSummary(later, earlier)).toBe(later);
  expect(newerSummary(later, undefined)).toBe(later);
  expect(isOlder(at("queued"), undefined)).toBe(false);
});
