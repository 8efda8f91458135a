// Whatever a PNG's chunks hold: text, or a typed FILE_PNG error.
import { crc32, deflateSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { AppError } from "../../engine/base/errors.ts";
import { randomSource } from "../../engine/base/random.ts";
import { readPngText, writePngText } from "../../engine/formats/png-metadata.ts";
import { FUZZ_TIMEOUT_MS, fuzzRuns, mutateBytes } from "./mutations.ts";

const RUNS = fuzzRuns(20_000);

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), out.length - 4);
  return out;
}
const latin = (s: string): Buffer => Buffer.from(s, "latin1");
const head = Buffer.concat([latin("\x89PNG\r\n\x1a\n"), chunk("IHDR", Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]))]);
const tail = Buffer.concat([chunk("IDAT", deflateSync(Buffer.alloc(4))), chunk("IEND", Buffer.alloc(0))]);
const seeds = [
  [chunk("tEXt", latin('prompt\0{"1":{}}'))],
  [chunk("zTXt", Buffer.concat([latin("workflow\0\0"), deflateSync(Buffer.alloc(3000, "ab"))]))],
  [chunk("iTXt", latin("workflow\0\0\0en\0w\0{}")), chunk("iTXt", Buffer.concat([latin("x\0\x01\0\0\0"), deflateSync(latin("text"))]))],
  [chunk("tIME", Buffer.alloc(7)), chunk("tEXt", latin("a\0b"))],
].map((chunks) => Buffer.concat([head, ...chunks, tail]));

/** "text", or the code of the typed error. */
function read(png: Uint8Array): string {
  try {
    readPngText(png);
    writePngText(png, { prompt: { a: 1 } });
    return "text";
  } catch (error) {
    if (error instanceof AppError && error.code.startsWith("FILE_PNG_")) return error.code;
    throw error;
  }
}

/** Makes the checksums right again, so that damage inside chunks gets past them. */
function repair(png: Uint8Array): Uint8Array {
  const out = Buffer.from(png);
  for (let at = 8; at + 12 <= out.length; ) {
    const end = at + 12 + out.readUInt32BE(at);
    if (end > out.length) break;
    out.writeUInt32BE(crc32(out.subarray(at + 4, end - 4)), end - 4);
    at = end;
  }
  return out;
}

test(
  "mutated files, with checksums broken and repaired",
  () => {
    const random = randomSource(5);
    const outcomes = new Set<string>();
    for (let i = 0; i < RUNS; i++) {
      const seed = seeds[random.below(seeds.length)] ?? head;
      const png = mutateBytes(random, seed);
      outcomes.add(read(random.below(4) === 0 ? png : repair(png)));
    }
    expect([...outcomes]).toEqual(
      expect.arrayContaining(["text", "FILE_PNG_SIGNATURE", "FILE_PNG_TRUNCATED", "FILE_PNG_CHUNK", "FILE_PNG_CHECKSUM", "FILE_PNG_TEXT"]),
    );
  },
  FUZZ_TIMEOUT_MS,
);

test(
  "chunks of any content behind any text chunk's name",
  () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom("tEXt", "zTXt", "iTXt", "IEND", "prVt"), fc.uint8Array({ maxLength: 40 })), { maxLength: 4 }),
        (chunks) => {
          read(Buffer.concat([head, ...chunks.map(([type, data]) => chunk(type, data)), tail]));
        },
      ),
      { numRuns: Math.ceil(RUNS / 4), seed: 3 },
    );
  },
  FUZZ_TIMEOUT_MS,
);

test(
  "what is written is read back",
  () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (prompt, workflow) => {
        const texts = readPngText(writePngText(seeds[0] ?? head, { prompt, workflow }));
        expect(JSON.stringify(JSON.parse(texts.get("prompt") ?? ""))).toBe(JSON.stringify(prompt));
        expect(JSON.stringify(JSON.parse(texts.get("workflow") ?? ""))).toBe(JSON.stringify(workflow));
      }),
      { numRuns: Math.ceil(RUNS / 20), seed: 4 },
    );
  },
  FUZZ_TIMEOUT_MS,
);
