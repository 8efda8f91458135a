import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { portableSha256, sha256 } from "./hash.ts";

test("FIPS 180-4 vectors", () => {
  expect(sha256("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect(sha256("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).toBe(
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  );
});

test("agrees with node:crypto for every length around the block borders, and for views into a buffer", () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 131 + 7) & 255);
  for (let n = 0; n < 300; n++) {
    const part = bytes.subarray(n % 13, (n % 13) + n);
    expect(sha256(part)).toBe(createHash("sha256").update(part).digest("hex"));
  }
  expect(sha256("Wer ist wer? 谁是谁 🙂")).toBe(createHash("sha256").update("Wer ist wer? 谁是谁 🙂").digest("hex"));
});

test("the browser's and Node's give the same digits: every length around a block, and text that is no UTF-16", () => {
  for (let length = 0; length < 200; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) % 256);
    expect(portableSha256(bytes)).toBe(sha256(bytes));
  }
  for (const text of ["", "é", "人物", "😀", "\ud800", "a\udc00b", "\0"]) expect(portableSha256(text)).toBe(sha256(text));
});
