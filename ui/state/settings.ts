// What the server keeps for every browser: read, change one part, write, one after the other.
import type { Settings } from "../../engine/api/system.ts";
import { call } from "../net/client.ts";

let last: Promise<unknown> = Promise.resolve();

/** Changes made at the same moment do not undo each other. @throws ApiFailure */
export function changeSettings(change: (settings: Settings) => Settings): Promise<Settings> {
  const next = last.then(async () => call("saveSettings", { body: change(await call("settings", {})) }));
  last = next.catch(() => undefined);
  return next;
}
