// npm run parity -- DIR: every reference in DIR that this project knows how to compare with, in one table.
import { createRuntime } from "../../engine/ort/runtime.ts";
import { FAMILIES } from "./families.ts";
import { goldenDirectory } from "./golden.ts";
import { report } from "./report.ts";

const [directory] = process.argv.slice(2);
if (!directory) {
  console.error("usage: npm run parity -- DIR");
  process.exit(2);
}
const compute = createRuntime({ device: "cpu" });
process.exitCode = (await report(FAMILIES, goldenDirectory(directory, compute), console.log)) ? 0 : 1;
await compute.dispose();
