import type { AnyDeclaration } from "../node/define-node.ts";

/** Exit codes of `graph`. `partial`: what could run has run, but something in the workflow is wrong and some outputs were left out. */
export const EXIT = { ok: 0, usage: 1, invalid: 2, failed: 3, cancelled: 4, partial: 5 } as const;

/** What the composition root knows and the commands don't. */
export interface Program {
  /** Folder of the package. */
  readonly root: string;
  /** Module of the compute child. */
  readonly worker: URL;
  nodes(): Promise<readonly AnyDeclaration[]>;
  /** Loads the native library: only where that is the point. */
  runtimeInfo(): Promise<{ readonly version: string; readonly backends: readonly { readonly name: string; readonly bundled: boolean }[] }>;
}

export type Command = (args: readonly string[], program: Program) => Promise<number>;
