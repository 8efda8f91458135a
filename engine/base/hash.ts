// SHA-256 in plain TypeScript: synchronous and the same in browser and Node (Web Crypto's digest is asynchronous).

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4 §4.2.2). */
const K = /* @__PURE__ */ roundConstants();
const HEX = /* @__PURE__ */ Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

/** SHA-256 (FIPS 180-4) of bytes, or of a string's UTF-8; 64 lower-case hexadecimal digits. */
export function sha256(message: Uint8Array | string): string {
  const bytes = typeof message === "string" ? new TextEncoder().encode(message) : message;
  const blocks = (bytes.length + 9 + 63) >> 6;
  const state = Int32Array.of(0x6a09e667, 0xbb67ae85 | 0, 0x3c6ef372, 0xa54ff53a | 0, 0x510e527f, 0x9b05688c | 0, 0x1f83d9ab, 0x5be0cd19);
  const tail = new Uint8Array(blocks * 64 - (bytes.length & ~63));
  tail.set(bytes.subarray(bytes.length & ~63));
  tail[bytes.length & 63] = 0x80;
  const lengthView = new DataView(tail.buffer);
  lengthView.setUint32(tail.length - 8, Math.floor(bytes.length / 0x20000000));
  lengthView.setUint32(tail.length - 4, (bytes.length << 3) >>> 0);
  const schedule = new Int32Array(64);
  const whole = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 64 <= bytes.length; at += 64) compress(state, schedule, whole, at);
  for (let at = 0; at < tail.length; at += 64) compress(state, schedule, lengthView, at);
  let out = "";
  for (const word of state)
    out += `${HEX[word >>> 24] ?? ""}${HEX[(word >>> 16) & 255] ?? ""}${HEX[(word >>> 8) & 255] ?? ""}${HEX[word & 255] ?? ""}`;
  return out;
}

function compress(state: Int32Array, w: Int32Array, block: DataView, at: number): void {
  for (let i = 0; i < 16; i++) w[i] = block.getInt32(at + i * 4);
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15] ?? 0;
    const y = w[i - 2] ?? 0;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16] ?? 0) + s0 + (w[i - 7] ?? 0) + s1;
  }
  // Read one by one: destructuring a typed array goes through its iterator and takes longer than the rounds.
  const s0 = state[0] ?? 0;
  const s1 = state[1] ?? 0;
  const s2 = state[2] ?? 0;
  const s3 = state[3] ?? 0;
  const s4 = state[4] ?? 0;
  const s5 = state[5] ?? 0;
  const s6 = state[6] ?? 0;
  const s7 = state[7] ?? 0;
  let a = s0;
  let b = s1;
  let c = s2;
  let d = s3;
  let e = s4;
  let f = s5;
  let g = s6;
  let h = s7;
  for (let i = 0; i < 64; i++) {
    const sum1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + sum1 + ((e & f) ^ (~e & g)) + (K[i] ?? 0) + (w[i] ?? 0)) | 0;
    const sum0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (sum0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] = s0 + a;
  state[1] = s1 + b;
  state[2] = s2 + c;
  state[3] = s3 + d;
  state[4] = s4 + e;
  state[5] = s5 + f;
  state[6] = s6 + g;
  state[7] = s7 + h;
}

function roundConstants(): Int32Array {
  const out = new Int32Array(64);
  for (let n = 2, found = 0; found < 64; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) prime &&= n % d !== 0;
    // A double's cube root has 52 - 3 fractional bits: enough for 32 of them.
    if (prime) out[found++] = Math.floor((Math.cbrt(n) % 1) * 0x100000000) | 0;
  }
  return out;
}
