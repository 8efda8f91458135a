import type { Builder } from "../ir/builder.ts";
import type { Attrs, TypeInfo, Value } from "../ir/value.ts";
import { sizeOf } from "../tensor/shape.ts";
import { tensor } from "../tensor/tensor.ts";
import { floatType, num, oneDType, ref, typeError } from "./check.ts";
import { defineOp, type OpRow, type RefTensor } from "./define-op.ts";
import { integers, uniform } from "./draw.ts";
import { indexType, scatterAdd } from "./gather.ts";
import { dyOf, inputOf } from "./gradient.ts";
import { at, build } from "./reference.ts";

const NAME = "RotaryEmbedding";

const isInterleaved = (attrs: Attrs): boolean => num(attrs, "interleaved", 0) !== 0;

/** Where channel `c` of a head of `width` stands: its pair, and whether it is the pair's second half. */
function pairOf(c: number, width: number, interleaved: boolean): { pair: number; second: boolean } {
  return interleaved ? { pair: c >> 1, second: c % 2 === 1 } : { pair: c % (width / 2), second: c >= width / 2 };
}

/** x [B,S,H·D] as its pairs' first and second components, each [B,S,H,D/2]. */
function components(b: Builder, x: Value, pairs: number, interleaved: boolean): [first: Value, second: Value] {
  const [batch = 1, tokens = 1, width = 0] = x.shape;
  const lead = [batch, tokens, width / (2 * pairs)];
  const parts = b.split(b.reshape(x, [...lead, ...(interleaved ? [pairs, 2] : [2, pairs])]), [1, 1], interleaved ? 4 : 3);
  const [first = x, second = x] = parts.map((v) => b.reshape(v, [...lead, pairs]));
  return [first, second];
}

/** Rows of the tables that are read, [B·S, 1]. One position stands for itself and its successors. */
function rowsRead(b: Builder, positions: Value, [batch = 1, tokens = 1]: readonly number[]): Value {
  const counted = tensor(
    "int64",
    [tokens],
    BigInt64Array.from({ length: tokens }, (_, i) => BigInt(i)),
  );
  const rows = positions.shape.length === 1 ? b.expand(b.add(b.constant(counted), positions), [batch, tokens]) : positions;
  return b.reshape(rows, [batch * tokens, 1]);
}

/** Reference of one channel: y₁ = x₁·cos − x₂·sin, y₂ = x₁·sin + x₂·cos. */
function rotated(inputs: readonly (RefTensor | null)[], attrs: Attrs): RefTensor {
  const [x, positions, cos, sin] = [ref(inputs, 0), ref(inputs, 1), ref(inputs, 2), ref(inputs, 3)];
  const width = 2 * (cos.shape[1] ?? 1);
  const interleaved = isInterleaved(attrs);
  return build(x.shape, ([n = 0, s = 0, channel = 0]) => {
    const { pair, second } = pairOf(channel % width, width, interleaved);
    const partner = channel + (interleaved ? 1 : width / 2) * (second ? -1 : 1);
    const row = positions.shape.length === 1 ? at(positions, [0]) + s : at(positions, [n, s]);
    const turn = at(sin, [row, pair]) * at(x, [n, s, partner]);
    return at(cos, [row, pair]) * at(x, [n, s, channel]) + (second ? turn : -turn);
  });
}

/**
 * Turns channel pairs by the angle of their token: x [B,S,H·D], position_ids int64 [1] (of the first token) or [B,S], tables cos
 * and sin [P, D/2] → [B,S,H·D]. Pairs are (2k, 2k+1) when `interleaved`, else (k, k + D/2). Positions must be below P.
 */
const RotaryEmbedding = defineOp({
  name: NAME,
  domain: "com.microsoft",
  infer: (inputs): TypeInfo[] => {
    const x = floatType(NAME, inputs, 0);
    const positions = indexType(NAME, inputs, 1);
    const [cos, sin] = [floatType(NAME, inputs, 2), floatType(NAME, inputs, 3)];
    const [batch = 0, tokens = 0, width = 0] = x.shape;
    const [rows = 0, pairs = 0] = cos.shape;
    if (x.shape.length !== 3 || positions.dtype !== "int64") throw typeError(NAME, inputs, "needs x [B,S,H·D] and int64 positions");
    if (cos.shape.length !== 2 || cos.shape.join() !== sin.shape.join() || pairs === 0 || width % (2 * pairs) !== 0 || rows < tokens)
      throw typeError(NAME, inputs, "cos and sin must be [P, D/2], P at least S");
    if (positions.shape.join() !== "1" && positions.shape.join() !== `${batch},${tokens}`)
      throw typeError(NAME, inputs, "positions must be [1] or [B,S]");
    return [{ dtype: oneDType(NAME, [x, cos, sin]), shape: x.shape }];
  },
  reference: (inputs, attrs) => [rotated(inputs, attrs)],
  vjp: (c) => {
    const { b } = c;
    const [x, positions, cos, sin] = [inputOf(c, 0), inputOf(c, 1), inputOf(c, 2), inputOf(c, 3)];
    const dy = dyOf(c);
    const pairs = cos.shape[1] ?? 1;
    const onTables = () => {
      const [[x1, x2], [dy1, dy2]] = [components(b, x, pairs, isInterleaved(c.attrs)), components(b, dy, pairs, isInterleaved(c.attrs))];
      const rows = rowsRead(b, positions, x.shape);
      const gather = (v: Value) => scatterAdd(b, cos.shape, rows, b.reshape(b.sum(v, [2], false), [sizeOf(rows.shape), pairs]));
      return [gather(b.add(b.mul(dy1, x1), b.mul(dy2, x2))), gather(b.sub(b.mul(dy2, x1), b.mul(dy1, x2)))];
    };
    const [dCos = null, dSin = null] = c.needs[2] || c.needs[3] ? onTables() : [];
    return [c.needs[0] ? b.one(NAME, [dy, positions, cos, b.neg(sin)], c.attrs) : null, null, dCos, dSin];
  },
  samples: (rng) => [
    { inputs: [uniform(rng, [2, 3, 12]), integers(rng, [1], 0, 2), uniform(rng, [5, 3]), uniform(rng, [5, 3])], attrs: { interleaved: 1 } },
    {
      inputs: [uniform(rng, [2, 3, 8]), integers(rng, [2, 3], 0, 4), uniform(rng, [4, 2]), uniform(rng, [4, 2])],
      attrs: { interleaved: 0 },
    },
    { inputs: [uniform(rng, [1, 1, 2]), integers(rng, [1], 0, 1), uniform(rng, [1, 1]), uniform(rng, [1, 1])], attrs: { interleaved: 1 } },
  ],
});

export const rotaryEmbeddings: readonly OpRow[] = [RotaryEmbedding];
