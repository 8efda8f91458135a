// What every parity file works with: a directory of reference tensors, and how a comparison is reported.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Compute } from "../../engine/ir/compute.ts";
import type { WeightFile } from "../../engine/node/context.ts";
import { openWeightFile } from "../weight-file.ts";

/** A directory of reference tensors, and what computes ours. */
export interface Golden {
  readonly compute: Compute;
  /** Undefined when the file is not there: its cases are passed over. */
  open(name: string): Promise<WeightFile | undefined>;
  /** A JSON file; undefined when it is not there. */
  json(name: string): unknown;
  /** A text file; undefined when it is not there. */
  text(name: string): string | undefined;
}

/** One comparison with a reference. */
export interface ParityCase {
  readonly name: string;
  /** max |a − b| / max |b|. */
  readonly error: number;
  readonly limit: number;
}

/** The comparisons of one kind of file. */
export type Family = (golden: Golden) => AsyncIterable<ParityCase>;

/** One evaluation in float32. */
export const EXACT = 1e-4;
/** Several steps and a decoder, one after the other. */
export const END_TO_END = 1e-3;

export function goldenDirectory(directory: string, compute: Compute): Golden {
  const at = (name: string) => resolve(join(directory, name));
  return {
    compute,
    open: async (name) => (existsSync(at(name)) ? openWeightFile(at(name)) : undefined),
    text: (name) => (existsSync(at(name)) ? readFileSync(at(name), "utf8") : undefined),
    json: (name) => (existsSync(at(name)) ? JSON.parse(readFileSync(at(name), "utf8")) : undefined),
  };
}

/** The same file with a diffusers config.json beside it. */
export function withConfig(file: WeightFile, config: object): WeightFile {
  return { ...file, text: async (path) => (path === "config.json" ? JSON.stringify(config) : file.text(path)) };
}
