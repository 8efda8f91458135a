import { afterEach, expect, test } from "vitest";
import { limitMemory, memoryLimit } from "./memory-limit.ts";

const before = process.env.WHOSWHO_MEMORY;
afterEach(() => {
  if (before === undefined) delete process.env.WHOSWHO_MEMORY;
  else process.env.WHOSWHO_MEMORY = before;
});

test("the limit is the smaller of what is asked for and what there is", () => {
  delete process.env.WHOSWHO_MEMORY;
  const available = memoryLimit();
  expect(available).toBeGreaterThan(256e6);
  expect(limitMemory("300MB")).toBeUndefined();
  expect(memoryLimit()).toBe(300e6);
  expect(limitMemory("1000TB")).toMatch(/^--memory 1000TB is more than there is: .* is the limit$/);
  expect(memoryLimit()).toBe(available);
});

test.each(["12XB", "lots", "12", "0GB"])("%s is refused, also from the environment", (text) => {
  expect(() => limitMemory(text)).toThrow(`${text} is no amount of memory to work with`);
  process.env.WHOSWHO_MEMORY = text;
  expect(() => memoryLimit()).toThrow(expect.objectContaining({ code: "USAGE_MEMORY" }));
});
