import { z } from "zod";

/** A torch seed, 0..2^64 − 1. Beyond 2^53 JSON numbers are not exact, so such seeds come as bigint. */
export const seedSchema = z
  .union([
    z.int().min(0),
    z
      .bigint()
      .min(0n)
      .max(2n ** 64n - 1n),
  ])
  .default(0);
