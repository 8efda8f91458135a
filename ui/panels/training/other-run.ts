import type { Curves, Samples } from "../../../engine/api/training.ts";

/** Another training, to hold one against. */
export interface OtherRun {
  readonly id: string;
  readonly name: string;
  readonly curves: Curves;
  readonly samples: Samples["samples"];
}
