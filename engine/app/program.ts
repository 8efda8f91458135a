import type { AnyDeclaration } from "../node/define-node.ts";

/** What only the composition root can tell. */
export interface Program {
  /** Folder of the package. */
  readonly root: string;
  /** Module of the compute child. */
  readonly worker: URL;
  nodes(): Promise<readonly AnyDeclaration[]>;
  /** Loads the native library, so call it only where that is needed. */
  runtimeInfo(): Promise<{ readonly version: string; readonly backends: readonly { readonly name: string; readonly bundled: boolean }[] }>;
}
