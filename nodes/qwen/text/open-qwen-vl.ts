// An opened Qwen2.5-VL: pictures to vision tokens, a sequence to states.
import { AppError } from "../../../engine/base/errors.ts";
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Compute, Feeds } from "../../../engine/ir/compute.ts";
import type { TypeInfo, Value } from "../../../engine/ir/value.ts";
import type { WeightFile } from "../../../engine/node/context.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { toFloat32 } from "../../../engine/tensor/convert.ts";
import { expectDType, f32, type Tensor, tensor } from "../../../engine/tensor/tensor.ts";
import { findNotFinite } from "../../shared/finite.ts";
import { buildLanguageModel, type LanguageInputs } from "./language-model.ts";
import { causalMask, mropePositions, mropeRotary, type Run } from "./mrope-positions.ts";
import { type HfConfig, type TextEncoderConfig, textEncoderConfig } from "./text-encoder-config.ts";
import { textNames } from "./text-names.ts";
import { type TextWeights, textWeights } from "./text-weights.ts";
import { buildVisionTower, type VisionInputs } from "./vision/vision-tower.ts";
import { type PatchGrid, visionRotary, windowBatch } from "./vision/windows.ts";

/** Part of a sequence: text by ids, or the vision tokens of a picture. */
export type Part =
  | { readonly kind: "text"; readonly ids: readonly number[] }
  | { readonly kind: "image"; readonly grid: PatchGrid; readonly tokens: Tensor<"float32"> };

export interface QwenVl {
  readonly config: TextEncoderConfig;
  /** Patches of one picture (vision-patches.ts) → [gh·gw/merge², hidden], raster order. */
  vision(compute: Compute, patches: Tensor<"float32">, grid: PatchGrid): Promise<Tensor<"float32">>;
  /** States after the final norm, [1, M, hidden]. */
  hidden(compute: Compute, parts: readonly Part[]): Promise<Tensor<"float32">>;
  /** Reads every weight for NaN and Inf and says where the first is: file and tensor. */
  findNotFinite(): Promise<string | undefined>;
  /** Sequences as one batch, for graphs that differentiate their states with respect to the language model's weights. */
  batch(sequences: readonly (readonly Part[])[]): StatesBatch;
}

export interface StatesBatch {
  /** L: every sequence is padded to it at its end. Equal numbers of sequences and equal L give equal graphs. */
  readonly length: number;
  readonly lengths: readonly number[];
  readonly feeds: Feeds;
  /** States after the final norm, [B, L, hidden]; those of padding are meaningless. Adds the inputs that {@link feeds} has. */
  build(b: Builder): Value;
}

/** Sequences are padded to a multiple of this, so that prompts of similar length share a session; causality keeps the result the same. */
const LENGTH_STEP = 32;

/**
 * Opens a Qwen2.5-VL. Nothing but the header is read: weights stay in the file, and of the embedding table only the rows of a
 * prompt are copied.
 * @param config stands in for `config.json`
 * @throws AppError TEXT_FAMILY, TEXT_CONFIG, TEXT_TENSOR_MISSING, TEXT_DTYPE, TEXT_LAYOUT
 */
export async function openQwenVl(file: WeightFile, config?: HfConfig): Promise<QwenVl> {
  const names = textNames(file);
  const weights = textWeights(file, names);
  const sizes = await textEncoderConfig(file, names, config);
  const { vision, language } = sizes;

  const embedRows = async (ids: readonly number[]): Promise<Float32Array> => {
    const wrong = ids.find((id) => !(id >= 0 && id < language.vocab));
    if (wrong !== undefined)
      throw new AppError("TEXT_TOKEN", `token ${wrong} is outside the ${language.vocab} entries of ${file.name}`, {
        hint: "the tokenizer belongs to another model",
      });
    return toFloat32(await file.readRows(names.get("model.embed_tokens.weight") ?? "", ids));
  };

  checkWhole(file, sizes, weights);
  return {
    config: sizes,
    async findNotFinite() {
      const tensor = await findNotFinite(file);
      return tensor && `${file.name}: ${tensor}`;
    },
    async vision(compute, patches, grid) {
      const headDim = vision.hidden / vision.heads;
      const { cos, sin } = visionRotary(grid, vision.merge, headDim);
      const windows = windowBatch(grid, vision);
      const count = grid.h * grid.w;
      const feeds = {
        patches,
        cos: f32([count, 1, headDim], cos),
        sin: f32([count, 1, headDim], sin),
        gather: tensor("int64", [windows.gather.length], windows.gather),
        scatter: tensor("int64", [count], windows.scatter),
        mask: f32([windows.count, 1, 1, windows.length], windows.mask),
      };
      const b = newBuilder();
      const graph = b.graph({ tokens: buildVisionTower(b, vision, weights, visionInputs(b, feeds)) });
      const { tokens } = await compute.run(graph, feeds);
      if (!tokens) throw new AppError("TEXT_RUN", "the vision tower gave no tokens");
      return f32(tokens.shape, expectDType(tokens, "float32", "the vision tokens"));
    },

    async hidden(compute, parts) {
      const { positions, length } = placed(parts);
      const padded = paddedLength(length);
      const embeds = new Float32Array(padded * language.hidden);
      let at = 0;
      for (const part of parts) {
        const rows = part.kind === "text" ? await embedRows(part.ids) : part.tokens.data;
        embeds.set(rows, at);
        at += rows.length;
      }
      const { cos, sin } = rotary(positions, padded);
      const feeds = {
        embeds: f32([padded, language.hidden], embeds),
        cos: f32([padded, language.headDim], cos),
        sin: f32([padded, language.headDim], sin),
        mask: f32([padded, padded], causalMask(padded)),
      };
      const b = newBuilder();
      const graph = b.graph({ hidden: buildLanguageModel(b, language, weights, languageInputs(b, feeds)) });
      const { hidden } = await compute.run(graph, feeds);
      if (!hidden) throw new AppError("TEXT_RUN", "the language model gave no states");
      const data = expectDType(hidden, "float32", "the states");
      return f32([1, length, language.hidden], data.slice(0, length * language.hidden));
    },

    batch(sequences) {
      const count = sequences.length;
      const places = sequences.map(placed);
      const lengths = places.map((p) => p.length);
      const length = paddedLength(Math.max(...lengths));
      const ids = new BigInt64Array(count * length);
      const isText = new Float32Array(count * length);
      const pictures = new Float32Array(count * length * language.hidden);
      const [cos, sin] = [new Float32Array(count * length * language.headDim), new Float32Array(count * length * language.headDim)];
      sequences.forEach((parts, row) => {
        let at = row * length;
        for (const part of parts) {
          if (part.kind === "image") pictures.set(part.tokens.data, at * language.hidden);
          else
            part.ids.forEach((id, k) => {
              ids[at + k] = BigInt(id);
              isText[at + k] = 1;
            });
          at += part.kind === "image" ? (part.tokens.shape[0] ?? 0) : part.ids.length;
        }
        const angles = rotary(places[row]?.positions ?? [], length);
        cos.set(angles.cos, row * length * language.headDim);
        sin.set(angles.sin, row * length * language.headDim);
      });
      const feeds = {
        text_ids: tensor("int64", [count, length], ids),
        text_is_text: f32([count, length, 1], isText),
        text_pictures: f32([count, length, language.hidden], pictures),
        text_cos: f32([count, 1, length, language.headDim], cos),
        text_sin: f32([count, 1, length, language.headDim], sin),
      };
      const build = (b: Builder): Value => {
        const input = (name: keyof typeof feeds) => b.input(name, feeds[name].dtype, feeds[name].shape);
        const rows = b.gather(weights.vector(b, "model.embed_tokens.weight"), input("text_ids"), 0);
        const embeds = b.add(b.mul(rows, input("text_is_text")), input("text_pictures"));
        const mask = b.constant(f32([length, length], causalMask(length)));
        return buildLanguageModel(b, language, weights, { embeds, cos: input("text_cos"), sin: input("text_sin"), mask });
      };
      return { length, lengths, feeds, build };
    },
  };

  function placed(parts: readonly Part[]) {
    const runs: Run[] = parts.map((p) => (p.kind === "text" ? { kind: "text", length: p.ids.length } : { kind: "image", grid: p.grid }));
    const positions = mropePositions(runs, vision.merge);
    return { positions, length: positions[0].length };
  }

  function rotary(positions: readonly (readonly number[])[], padded: number) {
    const whole = positions.map((axis) => [...axis, ...new Array<number>(padded - axis.length).fill(0)]);
    return mropeRotary(whole, language.headDim, language.mropeSection, language.theta);
  }
}

function paddedLength(length: number): number {
  return Math.ceil(length / LENGTH_STEP) * LENGTH_STEP;
}

type VisionFeeds = Readonly<Record<keyof VisionInputs, TypeInfo>>;
type LanguageFeeds = Readonly<Record<keyof LanguageInputs, TypeInfo>>;

function visionInputs(b: Builder, feeds: VisionFeeds): VisionInputs {
  const input = (name: keyof VisionInputs) => b.input(name, feeds[name].dtype, feeds[name].shape);
  return {
    patches: input("patches"),
    cos: input("cos"),
    sin: input("sin"),
    gather: input("gather"),
    scatter: input("scatter"),
    mask: input("mask"),
  };
}

function languageInputs(b: Builder, feeds: LanguageFeeds): LanguageInputs {
  const input = (name: keyof LanguageInputs) => b.input(name, feeds[name].dtype, feeds[name].shape);
  return { embeds: input("embeds"), cos: input("cos"), sin: input("sin"), mask: input("mask") };
}

/** Builds both graphs at the smallest size: every tensor must be there, of a readable type, and fit. */
function checkWhole(file: WeightFile, { vision, language }: TextEncoderConfig, weights: TextWeights): void {
  const f = (...shape: number[]): TypeInfo => ({ dtype: "float32", shape });
  const i = (...shape: number[]): TypeInfo => ({ dtype: "int64", shape });
  const b = newBuilder();
  const patches = vision.merge ** 2;
  const angles = f(patches, 1, vision.hidden / vision.heads);
  const row = f(1, language.headDim);
  try {
    const vectors = f(patches, 3 * 2 * vision.patch ** 2);
    const inputs = visionInputs(b, {
      patches: vectors,
      cos: angles,
      sin: angles,
      gather: i(patches),
      scatter: i(patches),
      mask: f(1, 1, 1, patches),
    });
    const tokens = buildVisionTower(b, vision, weights, inputs);
    const c = newBuilder();
    weights.vector(c, "model.embed_tokens.weight");
    buildLanguageModel(c, language, weights, languageInputs(c, { embeds: f(1, language.hidden), cos: row, sin: row, mask: f(1, 1) }));
    if (tokens.shape[1] !== language.hidden)
      throw new AppError("TEXT_LAYOUT", `vision tokens of width ${tokens.shape[1]} do not fit a language model of ${language.hidden}`);
  } catch (cause) {
    if (cause instanceof AppError && cause.code.startsWith("TEXT_")) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError("TEXT_LAYOUT", `${file.name}: ${reason}`, {
      cause,
      hint: "the file is incomplete or not this encoder: download it again",
    });
  }
}
