// node bench/gpu/prune-fatbin.ts IN OUT SM: zeroes the CUDA code of other architectures in a shared library, which then packs small.
// Offsets stay. Layout: an ELF section .nv_fatbin of containers, each a header and entries with a header of their own.
import { readFileSync, writeFileSync } from "node:fs";

const MAGIC = 0xba55ed50;
/** Kinds of entries. */
const KINDS: Readonly<Record<number, string>> = { 1: "PTX", 2: "SASS" };

interface Section {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** Sections of a little-endian ELF64 file. @throws RangeError */
function sectionsOf(bytes: Buffer): Section[] {
  if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1)
    throw new RangeError("not a little-endian ELF64 file");
  const table = Number(bytes.readBigUInt64LE(40));
  const [entry, count, names] = [bytes.readUInt16LE(58), bytes.readUInt16LE(60), bytes.readUInt16LE(62)];
  const header = (i: number) => {
    const at = table + i * entry;
    return {
      name: bytes.readUInt32LE(at),
      offset: Number(bytes.readBigUInt64LE(at + 24)),
      size: Number(bytes.readBigUInt64LE(at + 32)),
    };
  };
  const strings = header(names).offset;
  return Array.from({ length: count }, (_, i) => {
    const { name, offset, size } = header(i);
    return { name: bytes.toString("latin1", strings + name, bytes.indexOf(0, strings + name)), offset, size };
  });
}

/** Zeroes in place whatever is not for `sm`. @returns bytes kept and zeroed, by kind and architecture */
export function pruneFatbin(bytes: Buffer, sm: number): Map<string, { kept: number; zeroed: number }> {
  const totals = new Map<string, { kept: number; zeroed: number }>();
  for (const { offset, size } of sectionsOf(bytes).filter((s) => s.name === ".nv_fatbin")) {
    const end = offset + size;
    for (let at = offset; at + 16 <= end; ) {
      if (bytes.readUInt32LE(at) !== MAGIC) {
        at += 8;
        continue;
      }
      const body = at + bytes.readUInt16LE(at + 6);
      const stop = body + Number(bytes.readBigUInt64LE(at + 8));
      if (stop > end) throw new RangeError(`the container at ${at} is longer than its section`);
      for (let e = body; e < stop; ) {
        const [kind, header, length, arch] = [
          bytes.readUInt16LE(e),
          bytes.readUInt32LE(e + 4),
          Number(bytes.readBigUInt64LE(e + 8)),
          bytes.readUInt32LE(e + 28),
        ];
        if (header + length === 0 || e + header + length > stop) throw new RangeError(`the entry at ${e} leaves its container`);
        const key = `${KINDS[kind] ?? kind} sm_${arch}`;
        const total = totals.get(key) ?? { kept: 0, zeroed: 0 };
        totals.set(key, total);
        if (arch === sm) total.kept += length;
        else {
          total.zeroed += length;
          bytes.fill(0, e + header, e + header + length);
        }
        e += header + length;
      }
      at = stop;
    }
  }
  return totals;
}

if (import.meta.main) {
  const [from, to, sm] = process.argv.slice(2);
  if (!from || !to || !Number(sm)) {
    console.error("usage: node bench/gpu/prune-fatbin.ts IN OUT SM");
    process.exit(2);
  }
  const bytes = readFileSync(from);
  for (const [key, { kept, zeroed }] of pruneFatbin(bytes, Number(sm)))
    console.log(`${key}: ${(kept / 1e6).toFixed(1)} MB kept, ${(zeroed / 1e6).toFixed(1)} MB zeroed`);
  writeFileSync(to, bytes);
}
