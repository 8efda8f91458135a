// Saves one file over and over until it is killed. Each version is one byte value repeated; says which one is done.
import { OutputDirectory } from "../../engine/store/output-directory.ts";

const output = await OutputDirectory.open(process.argv[2] ?? "");
for (let version = 1; ; version++) {
  await output.saveAs("state.bin", new Uint8Array(1 << 20).fill(version % 256));
  process.send?.(version);
}
