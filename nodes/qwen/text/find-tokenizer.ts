// Finds the tokenizer of a text encoder: weight files do not hold it.
import { AppError } from "../../../engine/base/errors.ts";
import { sha256 } from "../../../engine/base/hash.ts";
import { createTokenizer, type Tokenizer } from "../../../engine/formats/tokenizer.ts";
import { parseMerges, parseTokenizerJson, parseVocabAndMerges } from "../../../engine/formats/tokenizer-files.ts";
import type { Models, WeightFile } from "../../../engine/node/context.ts";

const FOLDER = "text_encoders";
/** Qwen2.5's tokenizer, which comes with the program: ComfyUI's model folders have none. */
const EMBEDDED = "qwen2.5/merges.txt";
/** Number of tokens, special ones included. An encoder with fewer has another tokenizer. */
const QWEN_TOKENS = 151_665;

export interface FoundTokenizer {
  readonly tokenizer: Tokenizer;
  /** Hash of the tokenizer's files. */
  readonly fingerprint: string;
}

/** Reads a text file of one place; undefined when it is not there. */
type Reader = (name: string) => Promise<string | undefined>;

/**
 * Looks beside the weights, then in the folders a user would put it: `<name without ending>/`, `tokenizer/` next to it or one level
 * up (a diffusers repository), `tokenizer/` of the text_encoders folder. Last comes the tokenizer of Qwen2.5 that is part of the program.
 * @param name the encoder's name inside the text_encoders folder
 * @throws AppError TEXT_TOKENIZER_MISSING with the places, TOKENIZER_* when a file is not a Qwen2 tokenizer
 */
export async function findTokenizer(models: Models, file: WeightFile, name: string): Promise<FoundTokenizer> {
  const folders = tokenizerFolders(name);
  const places: Reader[] = [
    (wanted) => file.text(wanted),
    ...folders.map(
      (folder): Reader =>
        (wanted) =>
          readText(models, `${folder}/${wanted}`),
    ),
  ];
  for (const read of places) {
    const found = await readTokenizer(read);
    if (found) return found;
  }
  const size = vocabularySize(file);
  const merges = size >= QWEN_TOKENS ? await readText(models, EMBEDDED) : undefined;
  if (merges !== undefined) return { tokenizer: createTokenizer(parseMerges(merges)), fingerprint: sha256(merges) };
  const why = size >= QWEN_TOKENS ? "" : `, and Qwen2.5's, which comes with the program, has more tokens than its ${size}`;
  throw new AppError("TEXT_TOKENIZER_MISSING", `no tokenizer for ${name}: a single-file checkpoint does not contain one${why}`, {
    hint: `put tokenizer.json (or vocab.json and merges.txt) of Qwen2.5-VL-7B-Instruct into ${FOLDER}/tokenizer`,
    details: { folders: folders.map((folder) => `${FOLDER}/${folder}`) },
  });
}

function vocabularySize({ tensors }: WeightFile): number {
  const table = tensors.get("model.embed_tokens.weight") ?? tensors.get("model.language_model.embed_tokens.weight");
  return table?.shape[0] ?? 0;
}

/** Folders below text_encoders where an encoder's tokenizer may be, nearest first. */
function tokenizerFolders(name: string): string[] {
  const parts = name.replace(/\.(safetensors|safetensors\.index\.json)$/, "").split("/");
  const above = (levels: number) => [...parts.slice(0, Math.max(0, parts.length - levels)), "tokenizer"].join("/");
  return [...new Set([parts.join("/"), above(0), above(1), above(2), "tokenizer"])];
}

async function readTokenizer(read: Reader): Promise<FoundTokenizer | undefined> {
  const whole = await read("tokenizer.json");
  if (whole !== undefined) return { tokenizer: createTokenizer(parseTokenizerJson(whole)), fingerprint: sha256(whole) };
  const [vocab, merges] = [await read("vocab.json"), await read("merges.txt")];
  if (vocab === undefined || merges === undefined) return undefined;
  const config = await read("tokenizer_config.json");
  return {
    tokenizer: createTokenizer(parseVocabAndMerges(vocab, merges, config)),
    fingerprint: sha256([vocab, merges, config ?? ""].join("\0")),
  };
}

async function readText(models: Models, path: string): Promise<string | undefined> {
  try {
    return new TextDecoder().decode((await models.bytes(FOLDER, path)).bytes);
  } catch (error) {
    if (error instanceof AppError && error.code === "MODEL_NOT_FOUND") return undefined;
    throw error;
  }
}
