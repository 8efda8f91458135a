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
