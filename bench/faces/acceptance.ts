import type { Compute } from "../../engine/ir/compute.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { Face, Image } from "../../nodes/shared/contracts/data.ts";
import type { FaceEncoder } from "../../nodes/shared/contracts/modules.ts";
import { embedFaces } from "../../nodes/shared/faces/embed-faces.ts";
import { unitRows } from "../../nodes/shared/matching/similarity.ts";
import type { Photograph } from "./photographs.ts";

/** One face of a known person. */
export interface Vector {
  readonly person: string;
  readonly file: string;
  readonly raw: Float32Array;
}

/** The vectors of a picture's faces whose person is known. */
export async function vectorsOf(
  compute: Compute,
  encoder: FaceEncoder,
  images: Image,
  file: string,
  wanted: Photograph["faces"],
  kept: readonly (Face | undefined)[],
): Promise<Vector[]> {
  const known = wanted.flatMap(({ person }, i) => {
    const face = kept[i];
    return person !== undefined && face ? [{ person, face }] : [];
  });
  const { vectors } = await embedFaces(compute, encoder, { images, faces: [known.map((k) => k.face)] });
  return known.map(({ person }, i) => ({ person, file, raw: vectors.data.slice(i * encoder.dim, (i + 1) * encoder.dim) }));
}

/** Shares of pairs that pass at the encoder's own threshold and round it, and where 0.1 % and 1 % of different people pass. */
export function printAcceptance(encoder: FaceEncoder, vectors: readonly Vector[]): void {
  const { kind, threshold, mean } = encoder.comparison;
  // Nearness: the larger, the more alike.
  const rows = vectors.map(({ raw }) => (kind === "l2" ? raw : unitRows(f32([1, encoder.dim], raw), mean)));
  const nearness = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
    let sum = 0;
    for (let k = 0; k < encoder.dim; k++) sum += kind === "l2" ? -(((a[k] ?? 0) - (b[k] ?? 0)) ** 2) : (a[k] ?? 0) * (b[k] ?? 0);
    return kind === "l2" ? -Math.sqrt(-sum) : sum;
  };
  const same: number[] = [];
  const different: number[] = [];
  vectors.forEach((v, i) => {
    for (let j = i + 1; j < vectors.length; j++) {
      const w = vectors[j];
      const [a, b] = [rows[i], rows[j]];
      if (!w || !a || !b || w.file === v.file) continue;
      (v.person === w.person ? same : different).push(nearness(a, b));
    }
  });
  const people = new Set(vectors.map((v) => v.person)).size;
  console.log(
    `\n${encoder.id.split(":")[0]}: ${vectors.length} pictures of ${people} people, ${same.length} pairs of one person, ${different.length} of two`,
  );
  const sign = kind === "l2" ? -1 : 1;
  const share = (pairs: readonly number[], at: number): number => pairs.filter((x) => x >= sign * at).length / Math.max(1, pairs.length);
  const percent = (x: number): string => `${(100 * x).toFixed(2)} %`.padStart(9);
  const descending = [...different].sort((a, b) => b - a);
  const atRate = (rate: number): number => sign * (descending[Math.floor(rate * different.length)] ?? Number.NaN);
  const line = (name: string, at: number): void =>
    console.log(`  ${name.padEnd(34)} ${at.toFixed(3)}  same ${percent(share(same, at))}  different ${percent(share(different, at))}`);
  line("its threshold", threshold);
  line("0.1 % of different people pass at", atRate(0.001));
  line("1 % of different people pass at", atRate(0.01));
  for (let k = -3; k <= 3; k++) if (k !== 0) line("", threshold + 0.03 * k);
}
