// npm run bench [-- section...]: ratios first; milliseconds are this machine's, at this moment.
import { engineOverhead } from "./engine-overhead.ts";
import { realSize } from "./real-size/run.ts";
import { realism } from "./realism.ts";
import { realismStage } from "./realism-stage.ts";
import { findPeer } from "./side.ts";
import { uiSpeed } from "./ui/run.ts";
import { versus } from "./versus.ts";

const SECTIONS = ["engine", "product", "forward", "step", "reward", "ui", "real-size", "realism", "realism-stage"] as const;
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !SECTIONS.some((s) => s === name));
if (unknown.length) {
  console.error(`unknown section ${unknown.join(", ")}; there are: ${SECTIONS.join(", ")}`);
  process.exit(1);
}
// What needs a checkpoint of 29 GB, or an hour, runs only when it is asked for.
const wanted = SECTIONS.filter((s) => (asked.length === 0 ? s !== "real-size" && s !== "realism-stage" : asked.includes(s)));
const races = wanted.filter((s) => s !== "engine" && s !== "realism" && s !== "realism-stage" && s !== "ui" && s !== "real-size");
const peer = races.length > 0 ? findPeer() : undefined;
console.log(`Node ${process.version}`);
if (races.length > 0) {
  console.log(`PyTorch ${peer ? peer.version : "not installed (set PYTHON to a Python that has it)"}`);
  console.log("Minima of interleaved runs. Goals: time / PyTorch ≤ 0.80, memory / PyTorch ≤ 1.00.");
}
for (const section of wanted)
  if (section === "engine") await engineOverhead();
  else if (section === "ui") await uiSpeed();
  else if (section === "real-size") await realSize();
  else if (section === "realism") await realism();
  else if (section === "realism-stage") await realismStage();
  else await versus(section, [1, 2], peer);
