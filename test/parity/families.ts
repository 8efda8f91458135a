import { endToEnd } from "./end-to-end.ts";
import { fp8 } from "./fp8.ts";
import type { Family } from "./golden.ts";
import { lora } from "./lora.ts";
import { rerefl } from "./rerefl.ts";
import { textEncoder } from "./text-encoder.ts";
import { transformer } from "./transformer.ts";
import { vae } from "./vae.ts";
import { vectors } from "./vectors.ts";

/** In the order of the table. */
export const FAMILIES: readonly Family[] = [vectors, textEncoder, transformer, fp8, lora, vae, endToEnd, rerefl];
