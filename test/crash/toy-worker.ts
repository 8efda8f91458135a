// A compute child with toy nodes and no runtime. TOY_FAULT makes it fail where a node can't.
import { flushCompileCache } from "node:module";
import { isMainThread } from "node:worker_threads";
import { AppError } from "../../engine/base/errors.ts";
import { serveCompute } from "../../engine/host/compute-process.ts";
import { fakeContext } from "../fake-context.ts";
import { toyNodes } from "./toy-nodes.ts";

const fault = process.env.TOY_FAULT ?? "";
const hang = (): never => {
  for (;;);
};
if (isMainThread) {
  if (fault === "exit at start") process.exit(0);
  if (fault === "throw at start") throw new Error("this worker is broken");
  if (fault === "hang at start") hang();
  if (fault === "nonsense at start") process.send?.({ kind: "nonsense" });
  process.on("message", (message) => {
    if (typeof message !== "object" || message === null || !("kind" in message) || message.kind !== "run") return;
    if (fault === "exit at run") process.exit(0);
    if (fault === "hang at run") hang();
  });
}
await serveCompute(import.meta.url, {
  nodes: async () => {
    if (fault === "throw in thread") throw new Error("this thread is broken");
    if (fault === "hang in thread") hang();
    return toyNodes;
  },
  runtime: async ({ onComputing }) => {
    const { compute } = fakeContext();
    // A device that takes work and never answers.
    const stuck = (): Promise<never> => {
      onComputing(true);
      return new Promise(() => undefined);
    };
    return {
      ...compute,
      checkedBy: () => ({ ...compute, run: stuck }),
      async tryDevice() {
        if (fault === "no device") throw new AppError("ORT_DEVICE", "this machine has no usable toy", { hint: "buy one" });
      },
    };
  },
});
flushCompileCache();
