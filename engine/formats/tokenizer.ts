// Byte-level BPE as Qwen2 uses it: special tokens first, NFC, the pre-tokeniser's pieces, then merges by rank.
// Reference: huggingface/tokenizers, models/bpe and pre_tokenizers/byte_level.
import { AppError } from "../base/errors.ts";

/** What the files of a tokenizer hold; see tokenizer-files.ts. */
export interface TokenizerData {
  /** Token (in GPT-2's printable bytes) to id. */
  readonly vocab: ReadonlyMap<string, number>;
  /** In order of rank. */
  readonly merges: readonly (readonly [left: string, right: string])[];
  /** Text of a special token to id. */
  readonly specials: ReadonlyMap<string, number>;
}

export interface Tokenizer {
  /** Number of ids: one more than the largest. */
  readonly size: number;
  /** @throws AppError TOKENIZER_TEXT for more than a million characters. */
  encode(text: string): number[];
  /** Bytes that are not UTF-8 become U+FFFD. @throws AppError TOKENIZER_ID for an id without a token. */
  decode(ids: readonly number[]): string;
}

/** Qwen2's pre-tokeniser as tokenizer.json has it. */
export const QWEN2_SPLIT =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

// The same for JavaScript. Rust's \s is Unicode White_Space; JavaScript's has U+FEFF too and lacks U+0085. The caseless group
// is written out: not every engine has (?i:), and ſ (U+017F) is an s to it.
const SPLIT = new RegExp(
  QWEN2_SPLIT.replace("(?i:'s|'t|'re|'ve|'m|'ll|'d)", "'(?:[sSſtTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])")
    .replaceAll("\\s", "\\p{White_Space}")
    .replaceAll("\\S", "\\P{White_Space}"),
  "gu",
);

const MAX_TEXT = 2 ** 20;
/** Pieces up to this length (in bytes) are remembered; text repeats its words. */
const CACHED_LENGTH = 64;
const CACHED_PIECES = 50_000;

/** GPT-2's printable stand-in for each of the 256 bytes: itself where printable, else U+0100 upwards. */
export function byteCharacters(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, x) =>
    String.fromCharCode((x >= 33 && x <= 126) || (x >= 161 && x <= 172) || x >= 174 ? x : next++),
  );
}

/** Ids stay below 2^21 (tokenizer-files.ts), so two of them make an exact number. */
const PAIR = 2 ** 21;

/**
 * @throws AppError TOKENIZER_VOCAB when a byte has no token, TOKENIZER_MERGE when a merge names a token that does not exist.
 */
export function createTokenizer({ vocab, merges, specials }: TokenizerData): Tokenizer {
  const characters = byteCharacters();
  const byteIds = characters.map((character, byte) => {
    const id = vocab.get(character);
    if (id === undefined)
      throw new AppError("TOKENIZER_VOCAB", `the vocabulary has no token for byte ${byte}`, { hint: "a byte-level BPE (Qwen2) is needed" });
    return id;
  });
  const ranks = new Map<number, number>();
  const mergedIds = new Int32Array(merges.length);
  merges.forEach(([left, right], rank) => {
    const [a, b, ab] = [vocab.get(left), vocab.get(right), vocab.get(left + right)];
    if (a === undefined || b === undefined || ab === undefined)
      throw new AppError(
        "TOKENIZER_MERGE",
        `merge ${rank} (${JSON.stringify(`${left} ${right}`.slice(0, 80))}) names a token outside the vocabulary`,
      );
    if (!ranks.has(a * PAIR + b)) ranks.set(a * PAIR + b, rank);
    mergedIds[rank] = ab;
  });
  const bytesOf = new Map(characters.map((character, byte) => [character, byte]));
  const utf8 = new TextEncoder();
  const tokens = new Map<number, Uint8Array>();
  for (const [token, id] of vocab) {
    const spelled = Array.from(token, (c) => bytesOf.get(c) ?? -1);
    // A token that is not written in byte characters stands for itself.
    tokens.set(id, spelled.includes(-1) ? utf8.encode(token) : Uint8Array.from(spelled));
  }
  for (const [text, id] of specials) tokens.set(id, utf8.encode(text));
  const size = [...tokens.keys()].reduce((most, id) => Math.max(most, id)) + 1;

  const escaped = [...specials.keys()].sort((a, b) => b.length - a.length).map((s) => s.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
  const special = escaped.length > 0 ? new RegExp(escaped.join("|"), "gu") : undefined;
  const cache = new Map<string, readonly number[]>();

  const encodePiece = (piece: string): readonly number[] => {
    const known = cache.get(piece);
    if (known) return known;
    const ids = mergePiece(
      Int32Array.from(utf8.encode(piece), (byte) => byteIds[byte] ?? 0),
      ranks,
      mergedIds,
    );
    if (piece.length <= CACHED_LENGTH && cache.size < CACHED_PIECES) cache.set(piece, ids);
    return ids;
  };
  const encodePlain = (text: string, out: number[]): void => {
    for (const [piece] of text.normalize("NFC").matchAll(SPLIT)) for (const id of encodePiece(piece)) out.push(id);
  };
  return {
    size,
    encode(text) {
      if (text.length > MAX_TEXT)
        throw new AppError("TOKENIZER_TEXT", `a text of ${text.length} characters is too long: ${MAX_TEXT} is the limit`);
      const out: number[] = [];
      let at = 0;
      for (const match of special ? text.matchAll(special) : []) {
        encodePlain(text.slice(at, match.index), out);
        out.push(specials.get(match[0]) ?? 0);
        at = match.index + match[0].length;
      }
      encodePlain(text.slice(at), out);
      return out;
    },
    decode(ids) {
      const parts = ids.map((id) => {
        const bytes = tokens.get(id);
        if (!bytes) throw new AppError("TOKENIZER_ID", `${id} is not the id of a token (0 to ${size - 1})`);
        return bytes;
      });
      const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
      let at = 0;
      for (const part of parts) {
        all.set(part, at);
        at += part.length;
      }
      return new TextDecoder("utf-8", { ignoreBOM: true }).decode(all);
    },
  };
}

/**
 * Applies the merges to one piece: always the lowest rank, the leftmost among equals. A linked list and a heap of candidate
 * pairs make it O(n log n), so that a piece of 100,000 equal letters is no attack.
 */
function mergePiece(ids: Int32Array, ranks: ReadonlyMap<number, number>, mergedIds: Int32Array): number[] {
  const n = ids.length;
  const next = Int32Array.from(ids, (_, i) => i + 1);
  const previous = Int32Array.from(ids, (_, i) => i - 1);
  /**
   * rank · n + position, smallest first. Entries may be stale: they are checked when taken. None is there twice, since the pair at a
   * place only ever grows.
   */
  const heap: number[] = [];
  const rankAt = (i: number): number | undefined => {
    const j = next[i] ?? n;
    return j < n ? ranks.get((ids[i] ?? 0) * PAIR + (ids[j] ?? 0)) : undefined;
  };
  const offer = (i: number): void => {
    const rank = rankAt(i);
    if (rank !== undefined) pushHeap(heap, rank * n + i);
  };
  for (let i = 0; i < n; i++) offer(i);
  while (heap.length > 0) {
    const key = popHeap(heap);
    const i = key % n;
    const rank = (key - i) / n;
    // A place that was merged into the one before has the id −1, which is in no merge.
    if (rankAt(i) !== rank) continue;
    const j = next[i] ?? n;
    const after = next[j] ?? n;
    ids[i] = mergedIds[rank] ?? 0;
    ids[j] = -1;
    next[i] = after;
    // At the end there is no such place, and nothing is written.
    previous[after] = i;
    const before = previous[i] ?? -1;
    if (before >= 0) offer(before);
    offer(i);
  }
  return [...ids].filter((id) => id !== -1);
}

function pushHeap(heap: number[], key: number): void {
  let i = heap.push(key) - 1;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    const above = heap[parent] ?? 0;
    if (above <= key) break;
    heap[i] = above;
    i = parent;
  }
  heap[i] = key;
}

/** Takes the smallest. The heap is not empty. */
function popHeap(heap: number[]): number {
  const top = heap[0] ?? 0;
  const last = heap.pop() ?? 0;
  const n = heap.length;
  if (n === 0) return top;
  let i = 0;
  for (let child = 1; child < n; child = 2 * i + 1) {
    if (child + 1 < n && (heap[child + 1] ?? 0) < (heap[child] ?? 0)) child++;
    const below = heap[child] ?? 0;
    if (below >= last) break;
    heap[i] = below;
    i = child;
  }
  heap[i] = last;
  return top;
}
