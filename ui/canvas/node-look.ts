// What a node shows besides its document: how its run stands, what it would cost, what is wrong with it.

export type NodeStatus = "idle" | "waiting" | "running" | "done" | "cached" | "skipped" | "error";

export interface NodeLook {
  readonly status: NodeStatus;
  /** Progress of a running node, 0..1. */
  readonly progress?: number;
  /** Beside the progress: `12 of 16 · 9 s left`. */
  readonly note?: string;
  readonly ms?: number;
  /** `≈ 41 s · 1.3 GB`, of a dry run. */
  readonly cost?: string;
  /** The first problem of the node, and the input it belongs to. */
  readonly problem?: { readonly message: string; readonly input: string | undefined; readonly level: "error" | "warn" };
  /** URLs of pictures. */
  readonly pictures: readonly string[];
  /** They are previews of what still runs; `before` stands in for one that is not loaded yet. */
  readonly rough?: { readonly before?: string };
  /** Faces on each of them: [x0, y0, x1, y1] in shares of the picture. */
  readonly faces?: readonly (readonly (readonly [number, number, number, number])[])[];
  readonly text: string | undefined;
  /** Values that links brought in the last run, by widget. */
  readonly linked?: Readonly<Record<string, unknown>>;
  /** Its result is kept as it is, whatever changes above it. */
  readonly isPinned?: boolean;
  /** Names that a file gives to the sockets: `pixel_values · float32 1×3×112×112`. */
  readonly inputLabels?: Readonly<Record<string, string>>;
  readonly outputLabels?: Readonly<Record<string, string>>;
}

export const PLAIN: NodeLook = { status: "idle", pictures: [], text: undefined };
