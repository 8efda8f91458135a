import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { mutateBytes, mutateJson } from "../../test/fuzz/mutations.ts";
import { AppError } from "../base/errors.ts";
import { randomSource } from "../base/random.ts";
import { byteCharacters, createTokenizer, QWEN2_SPLIT } from "./tokenizer.ts";
import { parseTokenizerJson, parseVocabAndMerges } from "./tokenizer-files.ts";

const golden = z
  .object({ tokenizer: z.unknown(), cases: z.array(z.tuple([z.string(), z.array(z.number())])) })
  .parse(JSON.parse(readFileSync(new URL("../../test/golden/tokenizer-vectors.json", import.meta.url), "utf8")));
const file = JSON.stringify(golden.tokenizer);
const bytes = new TextEncoder().encode(file);
const data = parseTokenizerJson(file);
const tokenizer = createTokenizer(data);

test("the same ids as Hugging Face's tokenizers", () => {
  expect(golden.cases.length).toBeGreaterThan(200);
  for (const [text, ids] of golden.cases) expect([text, tokenizer.encode(text)]).toEqual([text, ids]);
});

test("decode(encode(x)) is x in NFC", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text.normalize("NFC"));
    }),
  );
});

/** BPE as the paper has it: find the best pair, merge every place, again. */
function bruteForce(symbols: string[], merges: readonly (readonly [string, string])[]): string[] {
  const rank = new Map(merges.map(([a, b], i) => [`${a} ${b}`, i]));
  for (;;) {
    let best = -1;
    for (let i = 0; i + 1 < symbols.length; i++) {
      const r = rank.get(`${symbols[i]} ${symbols[i + 1]}`);
      if (r !== undefined && (best < 0 || r < (rank.get(`${symbols[best]} ${symbols[best + 1]}`) ?? 0))) best = i;
    }
    if (best < 0) return symbols;
    symbols.splice(best, 2, `${symbols[best]}${symbols[best + 1]}`);
  }
}

test("merging by heap is merging by search", () => {
  const letters = ["a", "b", "c"];
  const word = fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: 4 }).map((l) => l.join(""));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(word, word), { maxLength: 20 }),
      fc.array(fc.constantFrom(...letters), { maxLength: 40 }),
      (pairs, text) => {
        const merges = [...new Map(pairs.map((p) => [p.join(" "), p])).values()];
        const tokens = new Set([...byteCharacters(), ...merges.flatMap(([a, b]) => [a, b, a + b])]);
        const vocab = new Map([...tokens].map((t, i) => [t, i]));
        const names = new Map([...vocab].map(([t, i]) => [i, t]));
        const ids = createTokenizer({ vocab, merges, specials: new Map() }).encode(text.join(""));
        expect(ids.map((id) => names.get(id))).toEqual(bruteForce([...text], merges));
      },
    ),
    { numRuns: 500 },
  );
});

test("many merges wait at once, of ranks in any order: the lowest is always next", () => {
  const letters = [..."abcdefgh"];
  const random = randomSource(5);
  const merges = letters.flatMap((a) => letters.map((c) => [a, c] as const));
  for (let i = merges.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const [a, c] = [merges[i], merges[j]];
    if (a && c) [merges[i], merges[j]] = [c, a];
  }
  const vocab = new Map([...new Set([...byteCharacters(), ...merges.map(([a, c]) => a + c)])].map((t, i) => [t, i]));
  const names = new Map([...vocab].map(([t, i]) => [i, t]));
  const own = createTokenizer({ vocab, merges, specials: new Map() });
  for (let i = 0; i < 300; i++) {
    const text = Array.from({ length: 2 + (i % 30) }, () => letters[random.below(letters.length)] ?? "");
    expect(own.encode(text.join("")).map((id) => names.get(id))).toEqual(bruteForce([...text], merges));
  }
});

test("a piece of any length ends: work that grew with its square would take hours here", () => {
  expect(tokenizer.encode("a".repeat(400_000)).length).toBeGreaterThan(1000);
  expect(tokenizer.encode(" ".repeat(400_000)).length).toBeGreaterThan(1000);
});

test("special tokens win over everything, the longest first", () => {
  const specials = new Map([
    ["<a>", 1000],
    ["<a><b>", 1001],
  ]);
  const t = createTokenizer({ ...data, specials });
  expect(t.encode("<a><b><a>")).toEqual([1001, 1000]);
  expect(t.decode([1001, 1000])).toBe("<a><b><a>");
  expect(t.size).toBe(1002);
});

test("vocab.json and merges.txt say the same as tokenizer.json", () => {
  const vocab = JSON.stringify(Object.fromEntries(data.vocab));
  const merges = `#version: 0.2\n${data.merges.map((m) => m.join(" ")).join("\r\n")}\n`;
  const config = JSON.stringify({
    added_tokens_decoder: Object.fromEntries([...data.specials].map(([content, id]) => [id, { content, special: true }])),
  });
  expect(parseVocabAndMerges(vocab, merges, config)).toEqual(data);
  const without = parseVocabAndMerges(vocab, merges).specials;
  expect(without.get("<|endoftext|>")).toBe(data.vocab.size);
  expect(without.get("<|image_pad|>")).toBe(data.vocab.size + 12);
});

test("a damaged file is a tokenizer or a typed error", () => {
  const random = randomSource(3);
  const outcomes = new Set<string>();
  for (let i = 0; i < 300; i++) {
    const text = i % 2 ? JSON.stringify(mutateJson(random, golden.tokenizer)) : new TextDecoder().decode(mutateBytes(random, bytes));
    try {
      createTokenizer(parseTokenizerJson(text)).encode("'S  aa1!\n");
      outcomes.add("works");
    } catch (error) {
      if (!(error instanceof AppError) || !error.code.startsWith("TOKENIZER_")) throw error;
      outcomes.add(error.code);
    }
  }
  expect(outcomes).toContain("works");
  expect(outcomes.size).toBeGreaterThan(3);
});

describe("files that are no tokenizer of this kind are refused", () => {
  const model = { type: "BPE", vocab: { a: 0 }, merges: [] };
  const whole = {
    added_tokens: [],
    normalizer: { type: "NFC" },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: QWEN2_SPLIT }, behavior: "Isolated" },
        { type: "ByteLevel", add_prefix_space: false, use_regex: false },
      ],
    },
    model,
  };
  test.each([
    ["no JSON", "{", "TOKENIZER_JSON"],
    ["WordPiece", JSON.stringify({ ...whole, model: { ...model, type: "WordPiece" } }), "TOKENIZER_KIND"],
    ["another normaliser", JSON.stringify({ ...whole, normalizer: { type: "NFKC" } }), "TOKENIZER_KIND"],
    ["another split", JSON.stringify(whole).replace("p{N}|", "p{N}{1,3}|"), "TOKENIZER_KIND"],
    ["a vocabulary that is a list", JSON.stringify({ ...whole, model: { ...model, vocab: ["a"] } }), "TOKENIZER_KIND"],
    ["an id twice", JSON.stringify({ ...whole, model: { ...model, vocab: { a: 0, b: 0 } } }), "TOKENIZER_ID"],
    ["a negative id", JSON.stringify({ ...whole, model: { ...model, vocab: { a: -1 } } }), "TOKENIZER_ID"],
    ["an id above 2^21", JSON.stringify({ ...whole, model: { ...model, vocab: { a: 2 ** 21 } } }), "TOKENIZER_ID"],
    ["a merge of three", JSON.stringify({ ...whole, model: { ...model, merges: ["a b c"] } }), "TOKENIZER_MERGE"],
    ["too long", " ".repeat(33 * 2 ** 20), "TOKENIZER_TOO_LARGE"],
  ])("%s", (_, text, code) => {
    expect(() => parseTokenizerJson(text)).toThrow(expect.objectContaining({ code }));
  });
  test("missing bytes and merges of unknown tokens", () => {
    const vocab = new Map([["a", 0]]);
    expect(() => createTokenizer({ vocab, merges: [], specials: new Map() })).toThrow(expect.objectContaining({ code: "TOKENIZER_VOCAB" }));
    const bytes = new Map(byteCharacters().map((c, i) => [c, i]));
    expect(() => createTokenizer({ vocab: bytes, merges: [["a", "b"]], specials: new Map() })).toThrow(
      expect.objectContaining({ code: "TOKENIZER_MERGE" }),
    );
  });
  test("texts beyond the limit and ids that are none", () => {
    expect(() => tokenizer.encode("a".repeat(2 ** 20 + 1))).toThrow(expect.objectContaining({ code: "TOKENIZER_TEXT" }));
    expect(() => tokenizer.decode([0, 1e9])).toThrow(expect.objectContaining({ code: "TOKENIZER_ID" }));
  });
  test("__proto__ is a token like any other", () => {
    const { vocab } = parseTokenizerJson(JSON.stringify(whole).replace('{"a":0}', '{"__proto__":7}'));
    expect([...vocab]).toEqual([["__proto__", 7]]);
  });
});

/** Ids by place, so that any token may be the first. */
const tokenizerOf = (
  tokens: readonly string[],
  merges: readonly (readonly [string, string])[],
  specials: readonly (readonly [string, number])[] = [],
) =>
  createTokenizer({
    vocab: new Map([...new Set([...tokens, ...byteCharacters()])].map((t, i) => [t, i])),
    merges,
    specials: new Map(specials),
  });

test("the token of id 0 is one like any other, at the end of a piece too", () => {
  const own = tokenizerOf(
    ["b", "a", "ab", "aa"],
    [
      ["a", "b"],
      ["a", "a"],
    ],
  );
  expect(own.encode("a")).toEqual([1]);
  expect(own.encode("ba")).toEqual([0, 1]);
  expect(own.encode("ab")).toEqual([2]);
  expect(own.encode("aab")).toEqual([1, 2]);
  expect(own.encode("aaa")).toEqual([3, 1]);
  expect(own.decode([0, 1, 2, 3])).toBe("baabaa");
});

test("of a merge that is named twice the first rank counts", () => {
  const merges = [
    ["a", "b"],
    ["b", "c"],
    ["a", "b"],
  ] as const;
  expect(tokenizerOf(["c", "b", "a", "ab", "bc"], merges).encode("abc")).toEqual([3, 0]);
});

test("what a merge gives is merged on, to the right, to the left and at either end", () => {
  const tokens = ["a", "b", "c", "d", "ab", "abc", "dabc", "cd", "bcd"];
  const own = tokenizerOf(tokens, [
    ["a", "b"],
    ["ab", "c"],
    ["d", "abc"],
    ["c", "d"],
    ["b", "cd"],
  ]);
  const spelled = (text: string) => own.encode(text).map((id) => tokens[id]);
  expect(spelled("abc")).toEqual(["abc"]);
  expect(spelled("dabc")).toEqual(["dabc"]);
  expect(spelled("dabcdabc")).toEqual(["dabc", "dabc"]);
  expect(spelled("bcdab")).toEqual(["bcd", "ab"]);
  expect(spelled("aabcc")).toEqual(["a", "abc", "c"]);
});

test("text between special tokens is encoded by itself, characters that mean something to a pattern included", () => {
  const own = tokenizerOf(
    ["a", "b", "ab"],
    [["a", "b"]],
    [
      ["<|x|>", 900],
      ["[a.b]", 901],
      ["*", 902],
    ],
  );
  expect(own.encode("<|x|>")).toEqual([900]);
  expect(own.encode("ab<|x|>a<|x|><|x|>b")).toEqual([2, 900, 0, 900, 900, 1]);
  expect(own.encode("a*b[a.b]ab")).toEqual([0, 902, 1, 901, 2]);
  expect(own.encode("[axb]")).not.toContain(901);
  expect(own.size).toBe(903);
  expect(own.decode([2, 902, 901])).toBe("ab*[a.b]");
  expect(() => own.decode([899])).toThrow(
    expect.objectContaining({ code: "TOKENIZER_ID", message: "899 is not the id of a token (0 to 902)" }),
  );
  expect(own.decode([])).toBe("");
});

test("a token that is not written in byte characters stands for itself; bytes that are no UTF-8 become U+FFFD; a mark at the start is kept", () => {
  const own = tokenizerOf(["谁", "a谁"], []);
  expect(own.decode([0, 1])).toBe("谁a谁");
  const byte = (x: number) => x + 2;
  expect(own.decode([byte(0x61), byte(0xff), byte(0x62)])).toBe("a\ufffdb");
  expect(own.decode([byte(0xef), byte(0xbb), byte(0xbf), byte(0x61)])).toBe("\ufeffa");
  expect(own.decode(own.encode("\ufeffa"))).toBe("\ufeffa");
  expect(byteCharacters().map((c) => c.codePointAt(0))).toEqual(expect.arrayContaining([33, 126, 161, 172, 174, 255, 256, 323]));
  expect(new Set(byteCharacters()).size).toBe(256);
  expect([0, 32, 127, 160, 173].map((x) => byteCharacters()[x])).toEqual(["Ā", "Ġ", "ġ", "ł", "Ń"]);
});

test("a text of 2^20 characters is taken", () => {
  expect(createTokenizer({ ...data, merges: [] }).encode("a".repeat(2 ** 20))).toHaveLength(2 ** 20);
});
