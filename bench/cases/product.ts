// Matrix products alone: how far apart the two sides' matrix libraries are on this machine.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { randomSource } from "../../engine/base/random.ts";
import { readSafetensors, writeSafetensors } from "../../engine/formats/safetensors.ts";
import type { Compute } from "../../engine/ir/compute.ts";
import { globalNorm } from "../../engine/nn/adamw.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import { expectDType, f32 } from "../../engine/tensor/tensor.ts";
import type { ProductTask, Work } from "../task.ts";

/** Each product's input is the last one's result. The peer has the same number. */
const CHAIN = 16;

/** Writes a random input [rows, width] and a weight [width, width] that keeps its size. */
export function writeProduct({ rows, width }: ProductTask, seed: number, write: (name: string, bytes: Uint8Array) => void): void {
  const rng = randomSource(seed);
  const normals = (n: number) => rng.normals(new Float32Array(n));
  const w = f32(
    [width, width],
    normals(width * width).map((x) => x / Math.sqrt(width)),
  );
  write("weights.safetensors", writeSafetensors(new Map([["w", w]])));
  write("inputs.safetensors", writeSafetensors(new Map([["x", f32([rows, width], normals(rows * width))]])));
}

export async function productWork(compute: Compute, task: ProductTask): Promise<Work> {
  const read = (name: string) => {
    const [t] = readSafetensors(readFileSync(join(task.folder, `${name}.safetensors`))).tensors.values();
    if (!t) throw new RangeError(`${name} are empty`);
    return f32(t.shape, expectDType(t, "float32", name));
  };
  const [x, w] = [read("inputs"), read("weights")];
  const b = newBuilder();
  const weight = b.weight("w", "float32", w.shape, { kind: "host", tensor: w });
  let y = b.input("x", "float32", x.shape);
  for (let i = 0; i < CHAIN; i++) y = b.gemm(y, weight, null, { transB: true });
  const executable = await compute.compile(b.graph({ y }));
  const run = async () => expectDType((await executable.run({ x })).y ?? f32([], []), "float32", "y");
  return { run, check: async () => [globalNorm(new Map([["y", await run()]]))] };
}
