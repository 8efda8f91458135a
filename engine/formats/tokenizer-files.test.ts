import { expect, test } from "vitest";
import { byteCharacters, QWEN2_SPLIT } from "./tokenizer.ts";
import { parseMerges, parseTokenizerJson, parseVocabAndMerges } from "./tokenizer-files.ts";

const bytes = byteCharacters();
const vocab = Object.fromEntries([...bytes, "ab", "abc"].map((token, i) => [token, i]));
const whole = {
  added_tokens: [{ id: 300, content: "<|x|>" }],
  normalizer: { type: "NFC" },
  pre_tokenizer: {
    type: "Sequence",
    pretokenizers: [
      { type: "Split", pattern: { Regex: QWEN2_SPLIT }, behavior: "Isolated" },
      { type: "ByteLevel", add_prefix_space: false, use_regex: false },
    ],
  },
  model: { type: "BPE", vocab, merges: ["a b", ["ab", "c"]] },
};
const read = (changes: object = {}, model: object = {}) =>
  parseTokenizerJson(JSON.stringify({ ...whole, ...changes, model: { ...whole.model, ...model } }));
const refusal = (code: string, message: RegExp) => expect.objectContaining({ code, message: expect.stringMatching(message) });

test("tokenizer.json: vocabulary, merges in both spellings, special tokens", () => {
  const data = read();
  expect([data.vocab.size, data.vocab.get("abc")]).toEqual([258, 257]);
  expect(data.merges).toEqual([
    ["a", "b"],
    ["ab", "c"],
  ]);
  expect([...data.specials]).toEqual([["<|x|>", 300]]);
  const { added_tokens: _, ...bare } = whole;
  expect([...parseTokenizerJson(JSON.stringify(bare)).specials]).toEqual([]);
});

test("another kind of tokenizer is refused by the place where it differs", () => {
  const pretokenizers = whole.pre_tokenizer.pretokenizers;
  for (const [changes, place] of [
    [{ normalizer: { type: "NFKC" } }, /^tokenizer\.json: normalizer\.type/],
    [{ pre_tokenizer: { type: "ByteLevel" } }, /pre_tokenizer\.type/],
    [
      { pre_tokenizer: { type: "Sequence", pretokenizers: [pretokenizers[0], { ...pretokenizers[1], add_prefix_space: true }] } },
      /add_prefix_space/,
    ],
    [{ pre_tokenizer: { type: "Sequence", pretokenizers: [pretokenizers[0], { ...pretokenizers[1], use_regex: true }] } }, /use_regex/],
    [{ added_tokens: [{ id: 1, content: "x", lstrip: true }] }, /added_tokens\.0\.lstrip/],
    [{ added_tokens: [{ id: 1, content: "x", rstrip: true }] }, /rstrip/],
    [{ added_tokens: [{ id: 1, content: "x", single_word: true }] }, /single_word/],
    [{ added_tokens: [{ id: -1, content: "x" }] }, /added_tokens\.0\.id/],
    [{ added_tokens: [{ id: 2 ** 21, content: "x" }] }, /added_tokens\.0\.id/],
    [{ added_tokens: [{ id: 1, content: "" }] }, /content/],
  ] as const)
    expect(() => read(changes), String(place)).toThrow(refusal("TOKENIZER_KIND", place));
  expect(
    read({
      added_tokens: [
        { id: 0, content: "x".repeat(1000) },
        { id: 2 ** 21 - 1, content: "y" },
      ],
    }).specials.size,
  ).toBe(2);
  expect(() => read({ added_tokens: [{ id: 0, content: "x".repeat(1001) }] })).toThrow(refusal("TOKENIZER_KIND", /content/));
  expect(() => parseTokenizerJson("{")).toThrow(refusal("TOKENIZER_JSON", /^tokenizer\.json is not JSON/));
  expect(() => parseTokenizerJson("1")).toThrow(refusal("TOKENIZER_KIND", /the whole/));
});

test("each token has an id of its own from 0 to 2^21 − 1", () => {
  for (const entry of [-1, 1.5, "1", null, 2 ** 21, 0]) {
    const own = { ...vocab, extra: entry };
    expect(() => read({}, { vocab: own }), String(entry)).toThrow(
      refusal("TOKENIZER_ID", /token "extra" has no id of its own from 0 to 2097151/),
    );
  }
  expect(read({}, { vocab: { ...vocab, extra: 2 ** 21 - 1 } }).vocab.get("extra")).toBe(2 ** 21 - 1);
  for (const wrong of [[1], null, "x", 5])
    expect(() => read({}, { vocab: wrong })).toThrow(refusal("TOKENIZER_KIND", /vocabulary is not an object/));
  // JSON.parse makes `__proto__` a key of its own; it stays a token.
  const named = parseVocabAndMerges('{"__proto__":0,"b":1}', "");
  expect([...named.vocab]).toEqual([
    ["__proto__", 0],
    ["b", 1],
  ]);
});

test("a merge is two tokens with one space between", () => {
  for (const merge of ["ab", "a b c", " b", "a ", ""])
    expect(() => read({}, { merges: [merge] }), merge).toThrow(refusal("TOKENIZER_MERGE", /is not a pair/));
  expect(() => parseVocabAndMerges("{}", "a b\nab")).toThrow(refusal("TOKENIZER_MERGE", /^merges\.txt: "ab" is not a pair/));
});

test("merges.txt: either line ending, a version only in the first line, empty lines left out", () => {
  const { merges } = parseVocabAndMerges(JSON.stringify(vocab), "#version: 0.2\r\na b\r\n\nab c\n");
  expect(merges).toEqual([
    ["a", "b"],
    ["ab", "c"],
  ]);
  expect(parseVocabAndMerges("{}", "# x\n#version y").merges).toEqual([
    ["#", "x"],
    ["#version", "y"],
  ]);
});

test("special tokens: of the configuration by their ids, else Qwen2.5-VL's behind the largest id", () => {
  const config = (decoder: object) => parseVocabAndMerges('{"a":7}', "", JSON.stringify({ added_tokens_decoder: decoder })).specials;
  expect([...config({ "9": { content: "<s>" }, "12": { content: "<e>" } })]).toEqual([
    ["<s>", 9],
    ["<e>", 12],
  ]);
  expect([...config({ "9": { content: "<s>" } })]).toEqual([["<s>", 9]]);
  for (const specials of [
    parseVocabAndMerges('{"a":7,"b":3}', "").specials,
    parseVocabAndMerges('{"a":7}', "", "{}").specials,
    config({}),
  ]) {
    expect(specials.size).toBe(22);
    expect([specials.get("<|endoftext|>"), specials.get("<|im_start|>"), specials.get("<|file_sep|>")]).toEqual([8, 9, 29]);
  }
  expect(parseVocabAndMerges("{}", "").specials.get("<|endoftext|>")).toBe(0);
  // Number("") is 0, and Number(" 9") is 9.
  for (const key of ["x", "", " 9", "1e1", "-1"])
    expect(() => config({ [key]: { content: "a" } }), key).toThrow(refusal("TOKENIZER_KIND", /^tokenizer_config\.json/));
  expect(() => parseVocabAndMerges("{}", "", "[")).toThrow(refusal("TOKENIZER_JSON", /tokenizer_config\.json/));
  expect(() => parseVocabAndMerges("[]", "")).toThrow(refusal("TOKENIZER_KIND", /^vocab\.json/));
});

test("merges alone: bytes in GPT-2's order, then the result of each merge", () => {
  const data = parseMerges("a b\nab c");
  expect(data.vocab.size).toBe(258);
  // GPT-2's vocabulary begins with the printable bytes: "!" is 0, "a" 64; the first that is not printable, 0, is 188.
  expect(["!", "a", "~", "Ā", "ab", "abc"].map((token) => data.vocab.get(token))).toEqual([0, 64, 93, 188, 256, 257]);
  expect(data.specials.get("<|endoftext|>")).toBe(258);
});

test("texts beyond 32 Mi characters are refused before they are parsed", () => {
  const long = " ".repeat(32 * 2 ** 20 + 1);
  expect(() => parseTokenizerJson(long)).toThrow(refusal("TOKENIZER_TOO_LARGE", /^tokenizer\.json has more than 33554432/));
  expect(() => parseVocabAndMerges("{}", long)).toThrow(refusal("TOKENIZER_TOO_LARGE", /^merges\.txt/));
  // One less is looked at.
  expect(() => parseTokenizerJson(long.slice(1))).toThrow(refusal("TOKENIZER_JSON", /not JSON/));
  const lines = "a b\n".repeat(2 ** 20);
  // As many lines and characters as there may be: 32 to a line. (A vocabulary of 2^20 tokens would take ten seconds.)
  expect(parseVocabAndMerges("{}", `${"a".repeat(29)} b\n`.repeat(2 ** 20)).merges).toHaveLength(2 ** 20);
  expect(() => parseVocabAndMerges("{}", `${lines}a b`)).toThrow(refusal("TOKENIZER_TOO_LARGE", /1048576 lines/));
});
