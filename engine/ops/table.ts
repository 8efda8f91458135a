// The op table: everything the engine knows about an op is its row here.
import { AppError } from "../base/errors.ts";
import { Builder, type OpTypes } from "../ir/builder.ts";
import { activations } from "./activation.ts";
import { arithmetic } from "./arithmetic.ts";
import { attentions } from "./attention.ts";
import { batchNorms } from "./batch-norm.ts";
import { casts } from "./cast.ts";
import { concats } from "./concat.ts";
import { convolutions } from "./conv.ts";
import type { OpRow } from "./define-op.ts";
import { gathers } from "./gather.ts";
import { gridSamples } from "./grid-sample.ts";
import { layerNorms } from "./layer-norm.ts";
import { logic } from "./logic.ts";
import { products } from "./matmul.ts";
import { orders } from "./order.ts";
import { pads } from "./pad.ts";
import { pools } from "./pool.ts";
import { quantizers } from "./quantize.ts";
import { reductions } from "./reduce.ts";
import { reshapes } from "./reshape.ts";
import { resizes } from "./resize.ts";
import { rotaryEmbeddings } from "./rotary-embedding.ts";
import { scatters } from "./scatter.ts";
import { slices } from "./slice.ts";
import { softmaxes } from "./softmax.ts";
import { unaries } from "./unary.ts";

const FAMILIES: readonly (readonly OpRow[])[] = [
  arithmetic,
  unaries,
  activations,
  logic,
  casts,
  reshapes,
  concats,
  slices,
  pads,
  gathers,
  scatters,
  reductions,
  orders,
  products,
  convolutions,
  pools,
  softmaxes,
  attentions,
  rotaryEmbeddings,
  layerNorms,
  batchNorms,
  resizes,
  gridSamples,
  quantizers,
];

/** Every op by name. */
export const OPS: ReadonlyMap<string, OpRow> = new Map(FAMILIES.flat().map((row) => [row.name, row]));

/** The row of an op. @throws AppError OP_UNKNOWN */
export function opRow(name: string): OpRow {
  const row = OPS.get(name);
  if (!row) throw new AppError("OP_UNKNOWN", `there is no op ${name}`, { hint: "engine/ops/table.ts lists the ops" });
  return row;
}

/** The table as the type rules of builders and verifiers. */
export const OP_TYPES: OpTypes = { infer: (op, inputs, attrs) => opRow(op).infer(inputs, attrs) };

/** A builder that infers types from the op table. */
export function newBuilder(): Builder {
  return new Builder(OP_TYPES);
}
