// The parity command's comparisons, over the reference tensors kept in this repository.
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { FAMILIES } from "./families.ts";
import { type Family, goldenDirectory } from "./golden.ts";
import { report } from "./report.ts";

const compute = createRuntime({ device: "cpu", threads: 1 });
afterAll(() => compute.dispose());
const golden = goldenDirectory(join(import.meta.dirname, "../golden"), compute);

test.each(FAMILIES.map((family) => [family.name, family] as const))("%s", async (_, family) => {
  let compared = 0;
  for await (const { name, error, limit } of family(golden)) {
    compared++;
    expect(error, name).toBeLessThanOrEqual(limit);
  }
  expect(compared).toBeGreaterThan(0);
});

test("files that are not there are passed over", async () => {
  const empty = goldenDirectory(join(import.meta.dirname, "nothing"), compute);
  for (const family of FAMILIES) for await (const { name } of family(empty)) expect.unreachable(name);
});

test("the command fails on an error above its limit, on NaN, and on nothing to compare", async () => {
  const of = (...errors: number[]): Family =>
    async function* () {
      for (const error of errors) yield { name: String(error), error, limit: 1e-4 };
    };
  const lines: string[] = [];
  const good = (...families: Family[]) => report(families, golden, (line) => lines.push(line));
  expect(await good(of(0, 1e-4), of(1e-5))).toBe(true);
  expect(await good(of(0), of(2e-4))).toBe(false);
  expect(lines.filter((line) => line.startsWith("FAIL"))).toHaveLength(1);
  expect(await good(of(Number.NaN))).toBe(false);
  expect(await good()).toBe(false);
});
