import type { Program } from "../app/program.ts";

/** Exit codes of `graph`. `partial`: what could run has run, but something in the workflow is wrong and some outputs were left out. */
export const EXIT = { ok: 0, usage: 1, invalid: 2, failed: 3, cancelled: 4, partial: 5 } as const;

export type Command = (args: readonly string[], program: Program) => Promise<number>;
