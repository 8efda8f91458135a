// Token ids of vectors.json against a real vocabulary, where one lies in the directory.
import { z } from "zod";
import { createTokenizer, type TokenizerData } from "../../engine/formats/tokenizer.ts";
import { parseTokenizerJson, parseVocabAndMerges } from "../../engine/formats/tokenizer-files.ts";
import type { Family, Golden } from "./golden.ts";

const Vectors = z.object({ tokenizer: z.array(z.object({ text: z.string(), ids: z.array(z.int()) })).default([]) });

export const tokenIds: Family = async function* (golden) {
  const { tokenizer: cases } = Vectors.parse(golden.json("vectors.json") ?? {});
  const data = vocabulary(golden);
  if (!cases.length || !data) {
    if (cases.length)
      console.log(`skip  ${cases.length} token id cases: neither tokenizer.json nor vocab.json and merges.txt is in the directory`);
    return;
  }
  const { encode } = createTokenizer(data);
  for (const { text, ids } of cases) {
    const same = JSON.stringify(encode(text)) === JSON.stringify(ids);
    yield { name: `token ids of ${JSON.stringify(text)}`, error: same ? 0 : Infinity, limit: 0 };
  }
};

function vocabulary(golden: Golden): TokenizerData | undefined {
  const whole = golden.text("tokenizer.json");
  if (whole !== undefined) return parseTokenizerJson(whole);
  const [vocab, merges] = [golden.text("vocab.json"), golden.text("merges.txt")];
  return vocab === undefined || merges === undefined ? undefined : parseVocabAndMerges(vocab, merges, golden.text("tokenizer_config.json"));
}
