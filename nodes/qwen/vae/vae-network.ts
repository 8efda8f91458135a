// The network of the Qwen-Image VAE, laid out by the tensors present: any width, depth and number of levels.
import { AppError } from "../../../engine/base/errors.ts";
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Value } from "../../../engine/ir/value.ts";
import { channelRmsNorm, conv2d, downsample, residualBlock, selfAttention, upsample, type VaeWeight } from "./vae-blocks.ts";

interface Block {
  readonly name: string;
  readonly kind: "residual" | "down" | "up";
  readonly hasShortcut: boolean;
}

/** One resolution level: its residual blocks and the resampler that ends it. */
interface Level {
  readonly scope: string;
  readonly blocks: readonly Block[];
}

export interface VaeLayout {
  readonly zDim: number;
  /** Pixels per latent cell on each axis. */
  readonly ratio: number;
  readonly encoder: readonly Level[];
  readonly decoder: readonly Level[];
}

/**
 * Reads the layout off the (diffusers) names.
 * @param names every tensor there is
 * @param inFile what the file calls a tensor, for messages
 * @param shapeOf shape of a tensor by diffusers name, undefined when absent
 * @throws AppError VAE_LAYOUT when encoder and decoder do not fit together
 */
export function vaeLayout(
  file: string,
  names: Iterable<string>,
  inFile: (name: string) => string,
  shapeOf: (name: string) => readonly number[] | undefined,
): VaeLayout {
  // A block exists when any of its tensors does; a missing one is reported by name later.
  const parts = new Set<string>();
  for (const name of names) {
    const match = /^(.*)\.(conv_shortcut|norm[12]|conv[12]|resample|time_conv)\./.exec(name);
    if (match) parts.add(`${match[1]}.${match[2]}`);
  }
  const block = (name: string): Block | undefined => {
    const has = (...some: readonly string[]): boolean => some.some((part) => parts.has(`${name}.${part}`));
    const hasShortcut = has("conv_shortcut");
    if (has("norm1", "conv1", "norm2", "conv2")) return { name, kind: "residual", hasShortcut };
    if (has("resample", "time_conv")) return { name, kind: name.startsWith("encoder") ? "down" : "up", hasShortcut };
    return undefined;
  };
  const encoder: Level[] = [];
  let open: Block[] = [];
  const close = (): void => {
    if (open.length) encoder.push({ scope: `encoder.level.${encoder.length}`, blocks: open });
    open = [];
  };
  for (let i = 0, next = block("encoder.down_blocks.0"); next; next = block(`encoder.down_blocks.${++i}`)) {
    open.push(next);
    if (next.kind === "down") close();
  }
  close();
  const decoder: Level[] = [];
  for (let i = 0; ; i++) {
    const scope = `decoder.up_blocks.${i}`;
    const blocks: Block[] = [];
    for (let j = 0, next = block(`${scope}.resnets.0`); next; next = block(`${scope}.resnets.${++j}`)) blocks.push(next);
    const up = block(`${scope}.upsamplers.0`);
    if (up) blocks.push(up);
    if (!blocks.length) break;
    decoder.push({ scope, blocks });
  }
  const count = (levels: readonly Level[], kind: Block["kind"]) => levels.flatMap((l) => l.blocks).filter((x) => x.kind === kind).length;
  const downs = count(encoder, "down");
  for (const name of ["post_quant_conv.weight", "quant_conv.weight"])
    if (!shapeOf(name))
      throw new AppError("VAE_TENSOR_MISSING", `${file} has no ${inFile(name)}`, { hint: "the file is incomplete: download it again" });
  const zDim = shapeOf("post_quant_conv.weight")?.[0];
  if (zDim === undefined || !encoder.length || downs !== count(decoder, "up") || shapeOf("quant_conv.weight")?.[0] !== 2 * zDim)
    throw new AppError("VAE_LAYOUT", `${file}: ${downs} downsamplers and ${count(decoder, "up")} upsamplers do not make an autoencoder`, {
      hint: "the file is incomplete: download it again",
    });
  return { zDim, ratio: 2 ** downs, encoder, decoder };
}

/** Image [B,3,H,W] in -1..1 → mean of the posterior (its mode) [B,z,H/ratio,W/ratio]. */
export function buildEncoder(b: Builder, layout: VaeLayout, weight: VaeWeight, image: Value): Value {
  let x = b.scope("encoder.conv_in", () => conv2d(b, weight, "encoder.conv_in", image, [1, 1, 1, 1]));
  for (const level of layout.encoder) x = b.scope(level.scope, () => runLevel(b, level, weight, x));
  x = b.scope("encoder.mid_block", () => middle(b, weight, "encoder", x));
  return b.scope("encoder.out", () => {
    const moments = conv2d(b, weight, "quant_conv", head(b, weight, "encoder", x), [0, 0, 0, 0]);
    return b.slice(moments, 1, 0, layout.zDim);
  });
}

/** Raw latent [B,z,h,w] → image [B,3,h·ratio,w·ratio], not clamped. */
export function buildDecoder(b: Builder, layout: VaeLayout, weight: VaeWeight, latent: Value): Value {
  let x = b.scope("decoder.conv_in", () =>
    conv2d(b, weight, "decoder.conv_in", conv2d(b, weight, "post_quant_conv", latent, [0, 0, 0, 0]), [1, 1, 1, 1]),
  );
  x = b.scope("decoder.mid_block", () => middle(b, weight, "decoder", x));
  for (const level of layout.decoder) x = b.scope(level.scope, () => runLevel(b, level, weight, x));
  return b.scope("decoder.out", () => head(b, weight, "decoder", x));
}

function runLevel(b: Builder, level: Level, weight: VaeWeight, input: Value): Value {
  let x = input;
  for (const { kind, name, hasShortcut } of level.blocks) {
    if (kind === "residual") x = residualBlock(b, weight, name, x, hasShortcut);
    else x = kind === "down" ? downsample(b, weight, name, x) : upsample(b, weight, name, x);
  }
  return x;
}

function middle(b: Builder, weight: VaeWeight, side: string, x: Value): Value {
  const first = residualBlock(b, weight, `${side}.mid_block.resnets.0`, x, false);
  const attended = selfAttention(b, weight, `${side}.mid_block.attentions.0`, first);
  return residualBlock(b, weight, `${side}.mid_block.resnets.1`, attended, false);
}

function head(b: Builder, weight: VaeWeight, side: string, x: Value): Value {
  return conv2d(b, weight, `${side}.conv_out`, b.silu(channelRmsNorm(b, weight, `${side}.norm_out`, x)), [1, 1, 1, 1]);
}
