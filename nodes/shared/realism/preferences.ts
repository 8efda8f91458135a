import type { Face, Image } from "../contracts/data.ts";

export interface JudgedPicture {
  /** [1, H, W, 3], never resized. */
  readonly image: Image;
  /** Where its faces are, when that is known; else they are looked for. */
  readonly faces?: readonly Face[];
}

/** One comparison. */
export interface PreferencePair {
  readonly id: string;
  /** The better one. */
  readonly win: JudgedPicture;
  /** Null where only the better one is known: it is then compared with worse versions of itself. */
  readonly lose: JudgedPicture | null;
  readonly prompt?: string;
  /** Weight of this comparison in the loss, above 0. */
  readonly weight: number;
  /** True when `win` is known to be real and `lose` to be generated; a mere preference says which is better, not that either is real. */
  readonly labelled: boolean;
}

/** What the PREFERENCES socket carries. Train and held-out pairs share no source. */
export interface Preferences {
  /** Changes whenever a pair would. */
  readonly id: string;
  readonly train: number;
  readonly heldOut: number;
  pair(split: "train" | "heldOut", index: number): Promise<PreferencePair>;
}
