// How two sets of embeddings compare: one definition, on the host for measuring and in the graph for rewards.
import { AppError } from "../../../engine/base/errors.ts";
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Value } from "../../../engine/ir/value.ts";
import { f32, type Tensor, tensor } from "../../../engine/tensor/tensor.ts";
import type { Comparison, Embeddings, Similarity } from "../contracts/data.ts";

/** Rows [N, D] minus `mean`, each divided by its length; a row of zeros stays zeros. */
export function unitRows(vectors: Tensor<"float32">, mean: Float32Array | undefined): Float64Array {
  const [n = 0, d = 0] = vectors.shape;
  if (mean && mean.length !== d) throw new AppError("MATCH_MEAN", `the encoder's mean has ${mean.length} numbers, its vectors ${d}`);
  const out = new Float64Array(n * d);
  for (let i = 0; i < n; i++) {
    let norm = 0;
    for (let k = i * d; k < (i + 1) * d; k++) {
      const x = (vectors.data[k] ?? 0) - (mean?.[k - i * d] ?? 0);
      out[k] = x;
      norm += x * x;
    }
    if (norm > 0) for (let k = i * d; k < (i + 1) * d; k++) out[k] = (out[k] ?? 0) / Math.sqrt(norm);
  }
  return out;
}

/**
 * Rows = references, columns = generated faces: cosine after subtracting the encoder's mean (where it has one), in −1..1.
 * For encoders compared by L2 the distances of the raw vectors come along.
 * @throws AppError MATCH_ENCODERS when the two sets come from different encoders.
 */
export function similarityOf(references: Embeddings, generated: Embeddings): Similarity {
  const [m = 0, d = 0] = references.vectors.shape;
  const [n = 0, e = 0] = generated.vectors.shape;
  if (references.encoder !== generated.encoder || (m > 0 && n > 0 && d !== e))
    throw new AppError("MATCH_ENCODERS", `vectors of ${references.encoder} and of ${generated.encoder} cannot be compared`, {
      hint: "embed the references and the generated faces with the same face encoder",
    });
  const { comparison } = references;
  const a = unitRows(references.vectors, comparison.mean);
  const b = unitRows(generated.vectors, comparison.mean);
  const values = table(m, n, (i, j) => {
    let dot = 0;
    for (let k = 0; k < d; k++) dot += (a[i * d + k] ?? 0) * (b[j * d + k] ?? 0);
    return Math.min(1, Math.max(-1, dot));
  });
  if (comparison.kind === "cosine") return { values, references, generated, comparison };
  const distances = table(m, n, (i, j) => {
    let sum = 0;
    for (let k = 0; k < d; k++) sum += ((references.vectors.data[i * d + k] ?? 0) - (generated.vectors.data[j * d + k] ?? 0)) ** 2;
    return Math.sqrt(sum);
  });
  return { values, references, generated, comparison, distances };
}

/** Whether cell (reference, generated) passes as the same person: a distance below, or a cosine above, the threshold. */
export function accepts(similarity: Similarity, reference: number, generated: number, threshold: number): boolean {
  const at = reference * (similarity.values.shape[1] ?? 0) + generated;
  return similarity.distances
    ? (similarity.distances.data[at] ?? Number.POSITIVE_INFINITY) <= threshold
    : (similarity.values.data[at] ?? Number.NEGATIVE_INFINITY) >= threshold;
}

/**
 * The differentiable form: cosines [M, N] of unit reference rows [M, D] with encoder outputs [N, D], centred as the
 * comparison asks. The lengths have 1e-12 under the root, so a vector equal to the mean gives 0 instead of NaN.
 */
export function buildSimilarity(b: Builder, references: Value, vectors: Value, comparison: Comparison): Value {
  const centred = comparison.mean ? b.sub(vectors, b.constant(f32([1, comparison.mean.length], comparison.mean))) : vectors;
  const length = b.sqrt(b.add(b.sum(b.mul(centred, centred), [1]), 1e-12));
  return b.matmul(references, b.transpose(b.div(centred, length), [1, 0]));
}

function table(m: number, n: number, cell: (i: number, j: number) => number): Tensor<"float64"> {
  const data = new Float64Array(m * n);
  for (let at = 0; at < data.length; at++) data[at] = cell(Math.floor(at / n), at % n);
  return tensor("float64", [m, n], data);
}
