import { crc32, deflateSync } from "node:zlib";
import sharp from "sharp";
import { expect, test } from "vitest";
import { parseJson } from "../base/json.ts";
import { readPngText, writePngText } from "./png-metadata.ts";

const picture = await sharp({ create: { width: 3, height: 2, channels: 3, background: "#102030" } })
  .png()
  .toBuffer();

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), out.length - 4);
  return out;
}
const AFTER_IHDR = 33;
const withChunks = (...chunks: Uint8Array[]): Buffer =>
  Buffer.concat([picture.subarray(0, AFTER_IHDR), ...chunks, picture.subarray(AFTER_IHDR)]);
const latin = (s: string): Buffer => Buffer.from(s, "latin1");
const codeOf = (png: Uint8Array): unknown => {
  try {
    readPngText(png);
    return "ok";
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
};

test("what is written is read back exactly, by us and by another reader, and the pixels stay", async () => {
  const prompt = { "1": { class_type: "Söurce", inputs: { seed: 18446744073709551615n, text: "谁是谁 🙂 \u0000\n" } } };
  const png = writePngText(picture, { prompt, workflow: { nodes: [], version: 0.4 } });
  const texts = readPngText(png);
  expect([...texts.keys()]).toEqual(["prompt", "workflow"]);
  expect(parseJson(texts.get("prompt") ?? "", { maxCharacters: 10_000, maxDepth: 20 })).toEqual(prompt);
  const { comments } = await sharp(png).metadata();
  expect(comments?.map((c) => c.keyword)).toEqual(["prompt", "workflow"]);
  expect(comments?.[1]?.text).toBe('{"nodes":[],"version":0.4}');
  expect((await sharp(png).raw().toBuffer()).equals(await sharp(picture).raw().toBuffer())).toBe(true);
  const again = writePngText(png, { prompt: 1 });
  expect([...readPngText(again)].map(([k]) => k)).toEqual(["prompt", "workflow"]);
  expect(readPngText(again).get("prompt")).toBe("1");
  expect(writePngText(picture, {}).length).toBe(picture.length);
});

test("tEXt is Latin-1, iTXt is UTF-8, zTXt and iTXt may be compressed; the first of a name counts", () => {
  const png = withChunks(
    chunk("tEXt", latin("a\0caf\xe9 \x80")),
    chunk("tEXt", latin("a\0second")),
    chunk("zTXt", Buffer.concat([latin("b\0\0"), deflateSync(latin("packed"))])),
    chunk("iTXt", Buffer.concat([latin("c\0\0\0en\0title\0"), Buffer.from("谁")])),
    chunk("iTXt", Buffer.concat([latin("d\0\x01\0\0\0"), deflateSync(Buffer.from("谁是谁"))])),
  );
  expect([...readPngText(png)]).toEqual([
    ["a", "café \x80"],
    ["b", "packed"],
    ["c", "谁"],
    ["d", "谁是谁"],
  ]);
});

test("damaged and hostile files are typed errors", () => {
  const damaged = Buffer.from(withChunks(chunk("tEXt", latin("a\0text"))));
  damaged[AFTER_IHDR + 10] = 0x41;
  const huge = Buffer.from(picture);
  huge.writeUInt32BE(0xffffffff, AFTER_IHDR);
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(0), "FILE_PNG_SIGNATURE"],
    [latin("GIF89a"), "FILE_PNG_SIGNATURE"],
    [picture.subarray(0, 8), "FILE_PNG_TRUNCATED"],
    [picture.subarray(0, picture.length - 1), "FILE_PNG_TRUNCATED"],
    [huge, "FILE_PNG_TRUNCATED"],
    [withChunks(chunk("te t", latin(""))), "FILE_PNG_CHUNK"],
    [withChunks(picture.subarray(8, AFTER_IHDR)), "FILE_PNG_CHUNK"],
    [Buffer.concat([picture.subarray(0, 8), picture.subarray(AFTER_IHDR)]), "FILE_PNG_CHUNK"],
    [damaged, "FILE_PNG_CHECKSUM"],
    [withChunks(chunk("tEXt", latin("no end"))), "FILE_PNG_TEXT"],
    [withChunks(chunk("tEXt", latin("\0empty"))), "FILE_PNG_TEXT"],
    [withChunks(chunk("zTXt", latin("b\0\x05x"))), "FILE_PNG_TEXT"],
    [withChunks(chunk("zTXt", latin("b\0\0not zlib"))), "FILE_PNG_TEXT"],
    [withChunks(chunk("iTXt", latin("c\0\0\0en"))), "FILE_PNG_TEXT"],
    [withChunks(chunk("iTXt", latin("c\0\0\0\0\0\xff"))), "FILE_PNG_TEXT"],
    [withChunks(...Array.from({ length: 300 }, () => chunk("tEXt", latin("a\0b")))), "FILE_PNG_TOO_LARGE"],
    // 40 MiB of zeros in 40 KiB: refused without being inflated whole.
    [withChunks(chunk("zTXt", Buffer.concat([latin("b\0\0"), deflateSync(Buffer.alloc(40 << 20))]))), "FILE_PNG_TOO_LARGE"],
  ];
  expect(cases.map(([png]) => codeOf(png))).toEqual(cases.map(([, code]) => code));
});

const refuses = (png: Uint8Array, code: string, message?: RegExp) =>
  expect(() => readPngText(png)).toThrow(expect.objectContaining({ code, ...(message && { message: expect.stringMatching(message) }) }));
const typesOf = (png: Buffer): string[] => {
  const types: string[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) types.push(png.toString("latin1", at + 4, at + 8));
  return types;
};

test("writing takes older texts of these names out, of every kind, and leaves all else where it was", () => {
  const old = withChunks(
    chunk("tEXt", latin("prompt\0old")),
    chunk("zTXt", Buffer.concat([latin("prompt\0\0"), deflateSync(latin("old"))])),
    chunk("iTXt", latin("prompt\0\0\0\0\0old")),
    chunk("tEXt", latin("Author\0me")),
    chunk("tEXt", latin("workflow\0{}")),
    chunk("prVt", latin("prompt\0not a text")),
  );
  const png = Buffer.from(writePngText(old, { prompt: 1, workflow: undefined }));
  const [head, ...pixels] = typesOf(picture);
  expect(typesOf(png)).toEqual([head, "tEXt", "tEXt", "tEXt", "prVt", ...pixels]);
  expect([...readPngText(png)]).toEqual([
    ["prompt", "1"],
    ["Author", "me"],
    ["workflow", "{}"],
  ]);
  // In front of the pixels, right behind the header; the same again is the same file.
  expect(png.toString("latin1", AFTER_IHDR + 4, AFTER_IHDR + 14)).toBe("tEXtprompt");
  expect(Buffer.from(writePngText(png, { prompt: 1 })).equals(png)).toBe(true);
});

test("every byte of the signature counts, and the header comes first, once, with its thirteen bytes", () => {
  for (let k = 0; k < 8; k++) {
    const other = Buffer.from(picture);
    other[k] = (other[k] ?? 0) ^ 1;
    refuses(other, "FILE_PNG_SIGNATURE");
  }
  const body = picture.subarray(AFTER_IHDR);
  for (const length of [0, 12, 14])
    refuses(
      Buffer.concat([picture.subarray(0, 8), chunk("IHDR", Buffer.alloc(length)), body]),
      "FILE_PNG_CHUNK",
      /does not begin with a header/,
    );
  refuses(Buffer.concat([picture.subarray(0, 8), chunk("IDAT", Buffer.alloc(13)), body]), "FILE_PNG_CHUNK", /does not begin with a header/);
  refuses(withChunks(chunk("IHDR", Buffer.alloc(13))), "FILE_PNG_CHUNK", /has a second header/);
  // What stands behind the end is not looked at, and neither are checksums of what is no text.
  const pixels = Buffer.from(picture);
  pixels[pixels.length - 1] = (pixels.at(-1) ?? 0) ^ 1;
  expect(readPngText(Buffer.concat([pixels, latin("more")])).size).toBe(0);
});

test("a keyword has 1 to 79 characters", () => {
  for (const length of [1, 79])
    expect([...readPngText(withChunks(chunk("tEXt", latin(`${"k".repeat(length)}\0v`)))).values()]).toEqual(["v"]);
  for (const length of [0, 80]) refuses(withChunks(chunk("tEXt", latin(`${"k".repeat(length)}\0v`))), "FILE_PNG_TEXT", /1 to 79/);
  // An empty text is one.
  expect([...readPngText(withChunks(chunk("tEXt", latin("k\0"))))]).toEqual([["k", ""]]);
});

test("compression: the flag of iTXt is 0 or 1, the method 0 where it counts", () => {
  const packed = deflateSync(latin("packed"));
  const international = (flag: number, method: number, text: Uint8Array) =>
    withChunks(chunk("iTXt", Buffer.concat([latin("k\0"), Buffer.of(flag, method), latin("en\0title\0"), text])));
  expect(readPngText(international(1, 0, packed)).get("k")).toBe("packed");
  // Nobody asks how a text that is not compressed is compressed.
  expect(readPngText(international(0, 5, latin("plain"))).get("k")).toBe("plain");
  for (const [flag, method] of [
    [1, 1],
    [2, 0],
    [255, 0],
  ] as const)
    refuses(international(flag, method, packed), "FILE_PNG_TEXT", /compression is unknown/);
  for (const method of [1, 255])
    refuses(withChunks(chunk("zTXt", Buffer.concat([latin("k\0"), Buffer.of(method), packed]))), "FILE_PNG_TEXT", /compression is unknown/);
  refuses(withChunks(chunk("zTXt", latin("k\0"))), "FILE_PNG_TEXT", /compression is unknown/);
  refuses(withChunks(chunk("iTXt", latin("k\0\0"))), "FILE_PNG_TEXT", /ends before its text/);
  refuses(withChunks(chunk("iTXt", latin("k\0\0\0en\0title"))), "FILE_PNG_TEXT", /ends before its text/);
  refuses(withChunks(chunk("iTXt", Buffer.concat([latin("k\0\x01\0\0\0"), packed.subarray(0, -3)]))), "FILE_PNG_TEXT", /damaged/);
});

test("at most 256 texts, of 32 MiB in all, compressed or not", () => {
  const many = (count: number) => withChunks(...Array.from({ length: count }, (_, i) => chunk("tEXt", latin(`${i}\0b`))));
  expect(readPngText(many(256)).size).toBe(256);
  refuses(many(257), "FILE_PNG_TOO_LARGE", /more than 256 text chunks/);
  const MiB = 2 ** 20;
  const plain = (length: number) => chunk("tEXt", Buffer.concat([latin("k\0"), Buffer.alloc(length, "x")]));
  const packed = (length: number) => chunk("zTXt", Buffer.concat([latin("k\0\0"), deflateSync(Buffer.alloc(length, "x"), { level: 1 })]));
  const [most, little] = [plain(20 * MiB), packed(12 * MiB)];
  expect(readPngText(withChunks(most, little, plain(0), packed(0))).size).toBe(1);
  for (const more of [plain(12 * MiB + 1), packed(12 * MiB + 1)]) refuses(withChunks(most, more), "FILE_PNG_TOO_LARGE", /more than 32 MiB/);
  for (const more of [plain(1), packed(1)]) refuses(withChunks(most, little, more), "FILE_PNG_TOO_LARGE", /more than 32 MiB/);
});
