// The parity command's comparisons, over the reference tensors kept in this repository.
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { FAMILIES } from "./families.ts";
import { goldenDirectory } from "./golden.ts";

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
