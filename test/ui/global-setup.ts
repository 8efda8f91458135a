import { buildUi } from "../../ui/build.ts";

/** The bundle is made once, before any server starts. */
export async function setup(): Promise<void> {
  await buildUi();
}
