// Synchronous and the same in browser and Node; Web Crypto's digest is asynchronous.
import { sha256 as digest } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/** SHA-256 (FIPS 180-4) of bytes, or of a string's UTF-8; 64 lower-case hexadecimal digits. */
export function sha256(message: Uint8Array | string): string {
  return bytesToHex(digest(typeof message === "string" ? utf8ToBytes(message) : message));
}
