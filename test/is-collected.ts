import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");

/** Whether nothing holds an object any more. */
export async function isCollected(ref: WeakRef<object>): Promise<boolean> {
  // An object that was looked at stays until the current task ends.
  await new Promise((resolve) => setImmediate(resolve));
  if (typeof collect !== "function") throw new Error("this Node collects no garbage on demand");
  collect();
  return ref.deref() === undefined;
}
