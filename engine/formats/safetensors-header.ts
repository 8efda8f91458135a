// The header of a safetensors file: a length, then JSON of one fixed grammar. A parser for exactly that grammar (instead of
// JSON.parse) sees repeated names, never builds an object from a hostile key, and cannot nest.
import { AppError } from "../base/errors.ts";

/** One tensor as the header states it; nothing about it has been checked against the file yet. */
export interface RawEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Begin and end, relative to the end of the header. */
  readonly begin: number;
  readonly end: number;
}

export interface RawHeader {
  readonly metadata: Readonly<Record<string, string>>;
  readonly entries: ReadonlyMap<string, RawEntry>;
}

const MAX_RANK = 32;

/** A name as it is shown in a message: quoted and cut. */
export function shown(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 117)}...` : name);
}

/**
 * Parses the header's text.
 * @throws AppError FILE_SAFETENSORS_JSON (syntax), _METADATA (not text to text), _DUPLICATE (a name twice), _ENTRY (a field
 * missing, unknown or twice), _SHAPE (too many dimensions), _NUMBER (not an integer of at most 2^53).
 */
export function parseSafetensorsHeader(text: string): RawHeader {
  let at = 0;
  const fail = (code: string, message: string): never => {
    throw new AppError(`FILE_SAFETENSORS_${code}`, message, { hint: "the file is damaged or not a safetensors file: get it again" });
  };
  const skipSpace = (): void => {
    for (;;) {
      const c = text.charCodeAt(at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      at++;
    }
  };
  /** True (and passed over) when the next character is `c`. */
  const take = (c: string): boolean => {
    skipSpace();
    if (text[at] !== c) return false;
    at++;
    return true;
  };
  const expect = (c: string): void => {
    if (!take(c))
      fail("JSON", `the header has ${at < text.length ? shown(text[at] ?? "") : "its end"} at character ${at}, where ${c} belongs`);
  };
  const string = (): string => {
    expect('"');
    const start = at;
    let plain = true;
    for (; at < text.length; at++) {
      const c = text.charCodeAt(at);
      if (c === 0x22) {
        at++;
        if (plain) return text.slice(start, at - 1);
        try {
          return String(JSON.parse(text.slice(start - 1, at)));
        } catch {
          return fail("JSON", `the header has a malformed string at character ${start}`);
        }
      }
      if (c === 0x5c) {
        plain = false;
        at++;
      } else plain &&= c > 0x1f;
    }
    return fail("JSON", `a string that starts at character ${start} of the header does not end`);
  };
  const integer = (where: string): number => {
    skipSpace();
    const start = at;
    let value = 0;
    for (; at < text.length; at++) {
      const digit = text.charCodeAt(at) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const next = text[at] ?? "";
    if (at === start || (at - start > 1 && text[start] === "0") || next === "." || next === "e" || next === "E")
      fail("NUMBER", `${where} must be a non-negative integer (character ${start} of the header)`);
    if (!Number.isSafeInteger(value)) fail("NUMBER", `${where} is larger than 2^53`);
    return value;
  };
  const integers = (where: string, max: number, code: string): number[] => {
    expect("[");
    const out: number[] = [];
    if (take("]")) return out;
    do {
      if (out.length === max) fail(code, `${where} has more than ${max} numbers`);
      out.push(integer(where));
    } while (take(","));
    expect("]");
    return out;
  };
  const entry = (name: string): RawEntry => {
    let dtype: string | undefined;
    let shape: number[] | undefined;
    let offsets: number[] | undefined;
    expect("{");
    if (!take("}")) {
      do {
        const field = string();
        expect(":");
        if (field === "dtype" && dtype === undefined) dtype = string();
        else if (field === "shape" && shape === undefined) shape = integers(`the shape of tensor ${shown(name)}`, MAX_RANK, "SHAPE");
        else if (field === "data_offsets" && offsets === undefined) offsets = integers(`data_offsets of tensor ${shown(name)}`, 2, "ENTRY");
        else fail("ENTRY", `tensor ${shown(name)} has the unknown or repeated field ${shown(field)}`);
      } while (take(","));
      expect("}");
    }
    const [begin, end] = offsets ?? [];
    if (dtype === undefined || shape === undefined || begin === undefined || end === undefined)
      return fail("ENTRY", `tensor ${shown(name)} needs dtype, shape and two data_offsets`);
    return { dtype, shape, begin, end };
  };
  const pairs = new Map<string, string>();
  const metadataObject = (): void => {
    expect("{");
    if (take("}")) return;
    do {
      const key = string();
      expect(":");
      skipSpace();
      if (text[at] !== '"') fail("METADATA", `__metadata__ holds a value for ${shown(key)} that is not text`);
      if (pairs.has(key)) fail("DUPLICATE", `__metadata__ has ${shown(key)} twice`);
      pairs.set(key, string());
    } while (take(","));
    expect("}");
  };

  const entries = new Map<string, RawEntry>();
  let hasMetadata = false;
  expect("{");
  if (!take("}")) {
    do {
      const name = string();
      expect(":");
      if (name === "__metadata__") {
        if (hasMetadata) fail("DUPLICATE", "the header has __metadata__ twice");
        hasMetadata = true;
        metadataObject();
      } else {
        if (entries.has(name)) fail("DUPLICATE", `tensor ${shown(name)} is in the header twice`);
        entries.set(name, entry(name));
      }
    } while (take(","));
    expect("}");
  }
  skipSpace();
  if (at !== text.length) fail("JSON", `the header continues after the end of its JSON, at character ${at}`);
  // Object.fromEntries defines own properties, so that a key `__proto__` stays a plain key.
  return { metadata: Object.fromEntries(pairs), entries };
}
