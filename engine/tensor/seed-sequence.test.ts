import { expect, test } from "vitest";
import { seedSequence } from "./seed-sequence.ts";

// numpy 2.4.6: SeedSequence(entropy, spawn_key=…, pool_size=…).generate_state(n).
test.each([
  [42n, [], 24, [387750627, 2536650517, 4078839648]],
  [2n ** 63n + 12345n, [5, 3], 24, [252101528, 3400829850, 3174493245, 2854082638]],
  [7n, [2 ** 33 + 1, 0], 4, [1852246182, 3977788393, 3872185317, 517145256, 584160976, 4110764244]],
] as const)("%s, %j", (entropy, spawnKey, pool, expected) => {
  expect([...seedSequence(entropy, spawnKey, pool, expected.length)]).toEqual(expected);
});
