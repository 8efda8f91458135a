import { byteCharacters, QWEN2_SPLIT } from "../engine/formats/tokenizer.ts";
import { promptText } from "../nodes/qwen/text/prompt-template.ts";

/** Special tokens of Qwen2.5-VL that a prompt can hold; they take the last ids. */
const SPECIALS = [
  "<|endoftext|>",
  "<|im_start|>",
  "<|im_end|>",
  "<|vision_start|>",
  "<|vision_end|>",
  "<|vision_pad|>",
  "<|image_pad|>",
  "<|video_pad|>",
];

/**
 * A byte-level BPE tokenizer of `vocab` tokens learned from the templates and `corpus`, as the text of a tokenizer.json.
 * The same corpus gives the same tokenizer. Any text can be encoded: every byte is a token.
 */
export function tinyTokenizer(vocab: number, corpus: readonly string[] = []): string {
  const characters = byteCharacters();
  const words = new Map<string, number>();
  const pattern = new RegExp(QWEN2_SPLIT, "gu");
  for (const text of [promptText("edit", "", []), promptText("t2i", "", []), promptText("plus", "", [1, 2, 3]), ...corpus])
    for (const piece of text.split(/<\|\w+\|>/)) for (const [word] of piece.matchAll(pattern)) words.set(word, (words.get(word) ?? 0) + 1);
  const spelled = [...words].map(([word, count]) => ({
    parts: [...new TextEncoder().encode(word)].map((x) => characters[x] ?? ""),
    count,
  }));

  const tokens = [...characters];
  const merges: [string, string][] = [];
  while (tokens.length < vocab - SPECIALS.length) {
    const pairs = new Map<string, number>();
    for (const { parts, count } of spelled)
      for (let i = 1; i < parts.length; i++) {
        const pair = `${parts[i - 1]} ${parts[i]}`;
        pairs.set(pair, (pairs.get(pair) ?? 0) + count);
      }
    // The most frequent pair; the first in code-unit order where several are.
    const [best] = [...pairs].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    if (!best || best[1] < 2) break;
    const [left = "", right = ""] = best[0].split(" ");
    merges.push([left, right]);
    tokens.push(left + right);
    for (const word of spelled) word.parts = merged(word.parts, left, right);
  }
  const first = vocab - SPECIALS.length;
  return JSON.stringify({
    version: "1.0",
    added_tokens: SPECIALS.map((content, i) => ({
      id: first + i,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: { type: "NFC" },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: QWEN2_SPLIT }, behavior: "Isolated", invert: false },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
      ],
    },
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
    model: { type: "BPE", vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges },
  });
}

function merged(parts: readonly string[], left: string, right: string): string[] {
  const out: string[] = [];
  for (let i = 0; i < parts.length; i++)
    if (parts[i] === left && parts[i + 1] === right) {
      out.push(left + right);
      i++;
    } else out.push(parts[i] ?? "");
  return out;
}
