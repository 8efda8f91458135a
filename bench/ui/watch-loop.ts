// Preloaded into the server that is measured: tells how long its event loop was held, when asked.
import { monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 1;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
process.on("message", (message) => {
  if (message === "held") process.send?.(delay.max / 1e6);
  delay.reset();
});
process.channel?.unref();
