import type { Builder } from "../../../engine/ir/builder.ts";
import type { Value } from "../../../engine/ir/value.ts";
import { attention } from "../../../engine/nn/attention.ts";
import { modulatedLayerNorm } from "../../../engine/nn/modulated-layer-norm.ts";
import { rmsNorm } from "../../../engine/nn/rms-norm.ts";
import { rotatePairs } from "../../../engine/nn/rotary.ts";
import type { DitConfig } from "./dit-config.ts";

export const EPS = 1e-6;

/** What every block of one evaluation shares. All values are made outside the blocks' scopes, so equal blocks stay equal. */
export interface BlockInputs {
  readonly config: DitConfig;
  /** The Linear at a path, with whatever adapters are on it. */
  readonly linear: (path: string, x: Value) => Value;
  readonly weight: (name: string) => Value;
  /** SiLU of the time embeddings, one row per token group and sample: [G·B, D]. Group 0 (σ) is the target's, and the text's. */
  readonly conditioning: Value;
  /** Image tokens per group, target first: [N + R], or [N, R] when references are modulated at t = 0. */
  readonly groups: readonly number[];
  /** N: only these rows of the image stream leave the last block. */
  readonly targetTokens: number;
  /** [S, headDim/2] over text, target, references. */
  readonly cos: Value;
  readonly sin: Value;
  /** Added to the scores, [B, 1, 1, S]; null when every text token is real. */
  readonly mask: Value | null;
}

export interface Streams {
  /** [B, N + R, D]. */
  readonly image: Value;
  /** [B, M, D]. */
  readonly text: Value;
}

/** shift, scale, gate, each one [B, D] per token group. */
type Modulation = readonly (readonly [shift: Value, scale: Value, gate: Value])[];

/**
 * One dual-stream block (diffusers `QwenImageTransformerBlock`). Scores are over text, target and references together, text first.
 * The last block gives the target's rows only: nothing reads the text or the references after it.
 */
export function ditBlock(b: Builder, inputs: BlockInputs, path: string, { image, text }: Streams, last: boolean): Streams {
  const { linear, groups, targetTokens: n } = inputs;
  const [attentionImage, mlpImage] = modulations(b, linear(`${path}.img_mod.1`, inputs.conditioning), image, groups.length);
  const batch = image.shape[0] ?? 1;
  const textConditioning = groups.length > 1 ? b.slice(inputs.conditioning, 0, 0, batch) : inputs.conditioning;
  const [attentionText, mlpText] = modulations(b, linear(`${path}.txt_mod.1`, textConditioning), text, 1);
  const textLength = text.shape[1] ?? 0;

  const [fromText, fromImage] = jointAttention(b, inputs, `${path}.attn`, last, {
    image: normed(b, image, attentionImage, groups),
    text: normed(b, text, attentionText, [textLength]),
  });
  const rest = last ? [n] : groups;
  const kept = last && n < (image.shape[1] ?? 0) ? b.slice(image, 1, 0, n) : image;
  const mlp = (name: string, x: Value) => linear(`${path}.${name}.net.2`, b.gelu(linear(`${path}.${name}.net.0.proj`, x), "tanh"));

  let x = b.add(kept, gated(b, linear(`${path}.attn.to_out.0`, fromImage), attentionImage, rest));
  x = b.add(x, gated(b, mlp("img_mlp", normed(b, x, mlpImage, rest)), mlpImage, rest));
  if (last) return { image: x, text };
  let t = b.add(text, gated(b, linear(`${path}.attn.to_add_out`, fromText), attentionText, [textLength]));
  t = b.add(t, gated(b, mlp("txt_mlp", normed(b, t, mlpText, [textLength])), mlpText, [textLength]));
  return { image: x, text: t };
}

function jointAttention(
  b: Builder,
  inputs: BlockInputs,
  path: string,
  last: boolean,
  { image, text }: Streams,
): [text: Value, image: Value] {
  const { linear, weight, config, targetTokens } = inputs;
  const { num_attention_heads: heads, attention_head_dim: dim } = config;
  const split = (x: Value) => b.reshape(x, [x.shape[0] ?? 1, x.shape[1] ?? 0, heads, dim]);
  const headsFirst = (x: Value) => b.transpose(x, [0, 2, 1, 3]);
  const normalised = (layer: string, norm: string, x: Value) =>
    rmsNorm(b, split(linear(`${path}.${layer}`, x)), weight(`${path}.${norm}.weight`), EPS);
  const [batch = 1, textLength = 0] = text.shape;
  // Nothing reads the references after the last block, so they have no queries there. The text's queries stay, though their results
  // are dropped too: adapters on them are then parameters like all others, with a gradient of zero, as in PyTorch.
  const asking = last && targetTokens < (image.shape[1] ?? 0) ? b.slice(image, 1, 0, targetTokens) : image;
  const rows = textLength + (asking.shape[1] ?? 0);
  const turning = (table: Value) => (rows < (table.shape[0] ?? 0) ? b.slice(table, 0, 0, rows) : table);

  const q = b.concat([normalised("add_q_proj", "norm_added_q", text), normalised("to_q", "norm_q", asking)], 1);
  const k = b.concat([normalised("add_k_proj", "norm_added_k", text), normalised("to_k", "norm_k", image)], 1);
  const v = b.concat([split(linear(`${path}.add_v_proj`, text)), split(linear(`${path}.to_v`, image))], 1);
  // Norm and rotation may be wider than the rest, where `linear` says so.
  const mixed = attention(
    b,
    headsFirst(b.cast(rotatePairs(b, q, turning(inputs.cos), turning(inputs.sin)), v.dtype)),
    headsFirst(b.cast(rotatePairs(b, k, inputs.cos, inputs.sin), v.dtype)),
    headsFirst(v),
    { mask: inputs.mask },
  );
  const joined = b.reshape(headsFirst(mixed), [batch, rows, heads * dim]);
  const [fromText = joined, fromImage = joined] = b.split(joined, [textLength, rows - textLength], 1);
  return [fromText, fromImage];
}

/** [G·B, 6D] → the modulation before attention and the one before the MLP. */
function modulations(b: Builder, mod: Value, x: Value, groups: number): readonly [Modulation, Modulation] {
  const [batch = 1, , width = 0] = x.shape;
  const perGroup = b.split(mod, new Array<number>(groups).fill(batch), 0);
  const half = (start: number): Modulation =>
    perGroup.map((m) => {
      const part = (i: number) => b.slice(m, 1, (start + i) * width, (start + i + 1) * width);
      return [part(0), part(1), part(2)];
    });
  return [half(0), half(3)];
}

function normed(b: Builder, x: Value, modulation: Modulation, groups: readonly number[]): Value {
  return perGroup(b, x, modulation, groups, (part, [shift, scale]) => modulatedLayerNorm(b, part, scale, shift, EPS));
}

function gated(b: Builder, y: Value, modulation: Modulation, groups: readonly number[]): Value {
  const [batch = 1, , width = 0] = y.shape;
  return perGroup(b, y, modulation, groups, (part, [, , gate]) => b.mul(part, b.reshape(gate, [batch, 1, width])));
}

/** Applies each group's modulation to its rows. */
function perGroup(
  b: Builder,
  x: Value,
  modulation: Modulation,
  groups: readonly number[],
  f: (part: Value, m: Modulation[number]) => Value,
): Value {
  const parts = b.split(x, groups, 1);
  return b.concat(
    parts.flatMap((part, i) => {
      const m = modulation[i];
      return m ? [f(part, m)] : [];
    }),
    1,
  );
}
