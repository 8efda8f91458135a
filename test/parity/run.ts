// npm run parity -- DIR: every reference in DIR that this project knows how to compare with, in one table.
import { createRuntime } from "../../engine/ort/runtime.ts";
import { FAMILIES } from "./families.ts";
import { goldenDirectory } from "./golden.ts";

const [directory] = process.argv.slice(2);
if (!directory) {
  console.error("usage: npm run parity -- DIR");
  process.exit(2);
}
const compute = createRuntime({ device: "cpu" });
let compared = 0;
let wrong = 0;
for (const family of FAMILIES)
  for await (const { name, error, limit } of family(goldenDirectory(directory, compute))) {
    const good = error <= limit;
    compared++;
    if (!good) wrong++;
    console.log(`${good ? "ok  " : "FAIL"}  ${error.toExponential(1).padStart(9)}  limit ${limit.toExponential(0)}  ${name}`);
  }
console.log(`${compared} comparisons, ${wrong} above their limit`);
await compute.dispose();
// A directory with nothing to compare is a mistake, not a success.
process.exitCode = wrong || !compared ? 1 : 0;
