import type { Family, Golden } from "./golden.ts";

/** Prints one line per comparison and a sum. True when there was something to compare and all of it within its limit. */
export async function report(families: readonly Family[], golden: Golden, print: (line: string) => void): Promise<boolean> {
  let compared = 0;
  let wrong = 0;
  for (const family of families)
    for await (const { name, error, limit } of family(golden)) {
      // Not `error > limit`: NaN must fail.
      const good = error <= limit;
      compared++;
      if (!good) wrong++;
      print(`${good ? "ok  " : "FAIL"}  ${error.toExponential(1).padStart(9)}  limit ${limit.toExponential(0)}  ${name}`);
    }
  print(`${compared} comparisons, ${wrong} above their limit`);
  return compared > 0 && wrong === 0;
}
