// The files a tokenizer comes in: tokenizer.json, or vocab.json with merges.txt. Sizes are checked before anything is built.
import { z } from "zod";
import { AppError } from "../base/errors.ts";
import { byteCharacters, QWEN2_SPLIT, type TokenizerData } from "./tokenizer.ts";

const MAX_TEXT = 32 * 2 ** 20;
const MAX_TOKENS = 2 ** 20;
const MAX_ID = 2 ** 21 - 1;

const HINT = { hint: "use tokenizer.json, or vocab.json and merges.txt, of Qwen2.5-VL" };

/** Special tokens of Qwen2.5-VL, ids 151643 to 151664: vocab.json and merges.txt alone do not name them. */
const QWEN_SPECIALS = [
  "<|endoftext|>",
  "<|im_start|>",
  "<|im_end|>",
  "<|object_ref_start|>",
  "<|object_ref_end|>",
  "<|box_start|>",
  "<|box_end|>",
  "<|quad_start|>",
  "<|quad_end|>",
  "<|vision_start|>",
  "<|vision_end|>",
  "<|vision_pad|>",
  "<|image_pad|>",
  "<|video_pad|>",
  "<tool_call>",
  "</tool_call>",
  "<|fim_prefix|>",
  "<|fim_middle|>",
  "<|fim_suffix|>",
  "<|fim_pad|>",
  "<|repo_name|>",
  "<|file_sep|>",
];

const id = z.int().min(0).max(MAX_ID);
const addedToken = z.object({
  content: z.string().min(1).max(1000),
  single_word: z.literal(false).optional(),
  lstrip: z.literal(false).optional(),
  rstrip: z.literal(false).optional(),
});
const tokenizerJson = z.object({
  added_tokens: z.array(addedToken.extend({ id })).max(MAX_TOKENS).default([]),
  normalizer: z.object({ type: z.literal("NFC") }),
  pre_tokenizer: z.object({
    type: z.literal("Sequence"),
    pretokenizers: z.tuple([
      z.object({ type: z.literal("Split"), pattern: z.object({ Regex: z.literal(QWEN2_SPLIT) }), behavior: z.literal("Isolated") }),
      z.object({ type: z.literal("ByteLevel"), add_prefix_space: z.literal(false), use_regex: z.literal(false) }),
    ]),
  }),
  model: z.object({
    type: z.literal("BPE").default("BPE"),
    vocab: z.unknown(),
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])).max(MAX_TOKENS),
  }),
});
const tokenizerConfig = z.object({ added_tokens_decoder: z.record(z.string().regex(/^\d+$/, "an id is wanted"), addedToken).optional() });

function json(text: string, file: string): unknown {
  if (text.length > MAX_TEXT) throw new AppError("TOKENIZER_TOO_LARGE", `${file} has more than ${MAX_TEXT} characters`, HINT);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError("TOKENIZER_JSON", `${file} is not JSON`, { ...HINT, cause });
  }
}

function checked<T>(schema: z.ZodType<T>, value: unknown, file: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new AppError("TOKENIZER_KIND", `${file}: ${issue?.path.join(".") || "the whole"}: ${issue?.message ?? "not understood"}`, HINT);
}

/** A vocabulary is read by its own entries, so that every token is just text, even `__proto__`. */
function vocabulary(value: unknown, file: string): Map<string, number> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new AppError("TOKENIZER_KIND", `${file}: the vocabulary is not an object of tokens and ids`, HINT);
  const out = new Map<string, number>();
  const used = new Set<number>();
  for (const [token, entry] of Object.entries(value)) {
    if (!Number.isInteger(entry) || entry < 0 || entry > MAX_ID || used.has(entry))
      throw new AppError(
        "TOKENIZER_ID",
        `${file}: token ${JSON.stringify(token.slice(0, 80))} has no id of its own from 0 to ${MAX_ID}`,
        HINT,
      );
    used.add(entry);
    out.set(token, entry);
    if (out.size > MAX_TOKENS) throw new AppError("TOKENIZER_TOO_LARGE", `${file} has more than ${MAX_TOKENS} tokens`, HINT);
  }
  return out;
}

function mergePair(line: string, file: string): readonly [string, string] {
  const [left, right, more] = line.split(" ");
  if (!left || !right || more !== undefined)
    throw new AppError("TOKENIZER_MERGE", `${file}: ${JSON.stringify(line.slice(0, 80))} is not a pair of tokens`, HINT);
  return [left, right];
}

/**
 * Reads a tokenizer.json of the Qwen2 kind.
 * @throws AppError TOKENIZER_JSON, TOKENIZER_TOO_LARGE, TOKENIZER_KIND (another tokenizer), TOKENIZER_ID, TOKENIZER_MERGE
 */
export function parseTokenizerJson(text: string): TokenizerData {
  const file = "tokenizer.json";
  const { added_tokens, model } = checked(tokenizerJson, json(text, file), file);
  return {
    vocab: vocabulary(model.vocab, file),
    merges: model.merges.map((m) => (typeof m === "string" ? mergePair(m, file) : m)),
    specials: new Map(added_tokens.map((t) => [t.content, t.id])),
  };
}

/**
 * Reads merges.txt alone: the vocabulary is the bytes, then the result of each merge, as in every tokenizer that was trained by merging
 * (Qwen2.5's vocab.json is exactly that). Qwen2.5-VL's special tokens follow.
 * @throws AppError as {@link parseTokenizerJson}
 */
export function parseMerges(mergesText: string): TokenizerData {
  const tokens = [...printableBytes(), ...mergeLines(mergesText).map(([left, right]) => left + right)];
  return parseVocabAndMerges(JSON.stringify(Object.fromEntries(tokens.map((token, i) => [token, i]))), mergesText);
}

/**
 * Reads vocab.json and merges.txt. Special tokens come from tokenizer_config.json (`added_tokens_decoder`); without it Qwen2.5-VL's
 * follow the vocabulary.
 * @throws AppError as {@link parseTokenizerJson}
 */
export function parseVocabAndMerges(vocabText: string, mergesText: string, configText?: string): TokenizerData {
  const vocab = vocabulary(json(vocabText, "vocab.json"), "vocab.json");
  const file = "tokenizer_config.json";
  const config = configText === undefined ? {} : checked(tokenizerConfig, json(configText, file), file);
  const named = Object.entries(config.added_tokens_decoder ?? {}).map(([key, t]) => [t.content, checked(id, Number(key), file)] as const);
  let end = 0;
  for (const used of vocab.values()) end = Math.max(end, used + 1);
  return {
    vocab,
    merges: mergeLines(mergesText),
    specials: new Map(named.length > 0 ? named : QWEN_SPECIALS.map((content, i) => [content, end + i])),
  };
}

function mergeLines(text: string): (readonly [string, string])[] {
  if (text.length > MAX_TEXT) throw new AppError("TOKENIZER_TOO_LARGE", `merges.txt has more than ${MAX_TEXT} characters`, HINT);
  const lines = text.split(/\r?\n/).filter((line, i) => line !== "" && !(i === 0 && line.startsWith("#version")));
  if (lines.length > MAX_TOKENS) throw new AppError("TOKENIZER_TOO_LARGE", `merges.txt has more than ${MAX_TOKENS} lines`, HINT);
  return lines.map((line) => mergePair(line, "merges.txt"));
}

/** The characters that stand for bytes, in the order in which GPT-2's vocabulary begins: printable ones first. */
function printableBytes(): string[] {
  const characters = byteCharacters();
  const isOwn = (character: string, byte: number): boolean => character === String.fromCharCode(byte);
  return [...characters.filter(isOwn), ...characters.filter((character, byte) => !isOwn(character, byte))];
}
