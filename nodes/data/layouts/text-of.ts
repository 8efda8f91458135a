import { AppError } from "../../../engine/base/errors.ts";

/** Encodings that a file names in its first bytes. */
const MARKS: readonly (readonly [bytes: readonly number[], encoding: string])[] = [
  [[0xef, 0xbb, 0xbf], "utf-8"],
  [[0xff, 0xfe], "utf-16le"],
  [[0xfe, 0xff], "utf-16be"],
];

/**
 * A text file in UTF-8, or in UTF-16 with a byte order mark, without the mark.
 * @param name for messages @throws AppError DATASET_TEXT: half-read text would be trained on
 */
export function textOf(bytes: Uint8Array, name: string): string {
  const [mark = [], encoding = "utf-8"] = MARKS.find(([start]) => start.every((byte, k) => bytes[k] === byte)) ?? [];
  try {
    const text = new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes.subarray(mark.length));
    if (!text.includes("\0")) return text;
  } catch {
    // Said below.
  }
  throw new AppError("DATASET_TEXT", `${name} is text neither in UTF-8 nor in UTF-16 with a byte order mark`, { hint: "save it as UTF-8" });
}
