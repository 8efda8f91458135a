import type { AnyDeclaration } from "../node/define-node.ts";

/** What only the composition root knows. */
export interface Program {
  /** Folder of the package. */
  readonly root: string;
  /** Module of the compute child. */
  readonly worker: URL;
  nodes(): Promise<readonly AnyDeclaration[]>;
  /** Loads the native library: only where that is the point. */
  runtimeInfo(): Promise<{ readonly version: string; readonly backends: readonly { readonly name: string; readonly bundled: boolean }[] }>;
}
