import { expect, test } from "vitest";
import { crc32c, pictureRecord, scalarsRecord, tfRecord, versionRecord } from "./tfevents.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("CRC-32C gives RFC 3720's values (B.4)", () => {
  expect(crc32c(new Uint8Array(32)).toString(16)).toBe("8a9136aa");
  expect(crc32c(new Uint8Array(32).fill(0xff)).toString(16)).toBe("62a8ab43");
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)).toString(16)).toBe("46dd794e");
});

test("records are what TensorBoard's own writer makes", () => {
  // tensorboard 2.20.0: RecordWriter.write(Event(wall_time=1.5, file_version="brain.Event:2").SerializeToString()), and so on.
  expect(hex(versionRecord(1.5))).toBe(VERSION);
  expect(hex(scalarsRecord(2.5, 300, { loss: 0.25, "held_out.reward": -1 }))).toBe(SCALARS);
  const png = Uint8Array.from({ length: 30 }, (_, i) => i);
  png.set([0, 0, 0, 7, 0, 0, 0, 5], 16);
  expect(hex(pictureRecord(3.5, 20, "samples/0", png))).toBe(PICTURE);
});

test("an empty payload and a long one are framed", () => {
  expect(tfRecord(new Uint8Array()).length).toBe(16);
  const long = tfRecord(new Uint8Array(70_000));
  expect(new DataView(long.buffer).getBigUint64(0, true)).toBe(70_000n);
});

/** What an event says behind its wall time (nine bytes), without its frame. */
const said = (record: Uint8Array): string => hex(record.subarray(12 + 9, -4));

test("steps of any size: seven bits to a byte, the lowest first", () => {
  const of = (step: number) => said(scalarsRecord(0, step, {}));
  expect([0, 1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 35].map(of)).toEqual(
    ["00", "01", "7f", "8001", "ff7f", "808001", "8080808008", "808080808001"].map((varint) => `10${varint}2a00`),
  );
});

test("what is not finite, as float32, is written as NaN", () => {
  const last = (value: number) => said(scalarsRecord(0, 1, { a: value })).slice(-8);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e39, -1e39])
    expect(last(value), `${value}`).toBe("0000c07f");
  expect(last(-3.5e38)).toBe("0000c07f");
  expect(last(3.4e38)).toBe("9e c9 7f 7f".replaceAll(" ", ""));
  expect(last(-0.5)).toBe("000000bf");
});

test("a picture's size is its header's; of what is too short for one it is nothing", () => {
  const png = new Uint8Array(24);
  png.set([0, 0, 1, 2, 0, 0, 0, 3], 16);
  const sizeOf = (bytes: Uint8Array) => /22[0-9a-f]{2}(08[0-9a-f]+?)1803/.exec(said(pictureRecord(0, 1, "t", bytes)))?.[1];
  expect(sizeOf(png)).toBe("0803108202");
  expect(sizeOf(png.subarray(0, 23))).toBe("08001000");
});

const VERSION = "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c";
const SCALARS =
  "33000000000000000ca7205609000000000000044010ac022a250a0b0a046c6f7373150000803e0a160a0f68656c645f6f75742e72657761726415000080bf7c281036";
const PICTURE =
  "420000000000000079f36eaa090000000000000c4010142a350a330a0973616d706c65732f302226080510071803221e000102030405060708090a0b0c0d0e0f000000070000000518191a1b1c1d6de14ecb";
