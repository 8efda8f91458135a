// JSON from strangers: bounded before it is parsed, and exact for the 64-bit seeds that JSON.parse would round.
import { AppError } from "./errors.ts";

// ES2026's "JSON.parse source text access"; TypeScript's library does not describe it yet.
declare global {
  interface JSON {
    parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown;
    rawJSON(text: string): object;
  }
}

export interface JsonLimits {
  readonly maxCharacters: number;
  readonly maxDepth: number;
}

/** Integers of more digits than this are kept as doubles: parsing them as bigint would take quadratic time. */
const MAX_EXACT_DIGITS = 40;

/** A number nobody writes, standing in for NaN, which JSON does not have. */
const NAN = "0e77777777";

/**
 * JSON.parse with limits. Integers beyond ±(2^53-1) come back as bigint; the bare NaN and Infinity that Python writes come back
 * as those numbers, so that a schema can refuse them.
 * @throws AppError JSON_TOO_LARGE, JSON_TOO_DEEP, JSON_SYNTAX, JSON_KEY (a key `__proto__`)
 */
export function parseJson(text: string, limits: JsonLimits): unknown {
  if (text.length > limits.maxCharacters)
    throw new AppError("JSON_TOO_LARGE", `the JSON has ${text.length} characters, the limit is ${limits.maxCharacters}`);
  const source = scan(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, limits.maxDepth);
  try {
    return JSON.parse(source, revive);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("JSON_SYNTAX", `not JSON: ${error instanceof Error ? error.message.slice(0, 300) : String(error)}`, {
      cause: error,
    });
  }
}

/** JSON.stringify that writes bigint as digits. @throws AppError JSON_UNWRITABLE for cycles and the like. */
export function stringifyJson(value: unknown, indent?: number): string {
  try {
    return JSON.stringify(value, (_key, v: unknown) => (typeof v === "bigint" ? JSON.rawJSON(v.toString()) : v), indent) ?? "null";
  } catch (error) {
    throw new AppError(
      "JSON_UNWRITABLE",
      `this value cannot be written as JSON: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  }
}

function revive(key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (key === "__proto__") throw new AppError("JSON_KEY", "the JSON has a key __proto__", { hint: "rename the key" });
  const digits = context?.source;
  if (digits === NAN) return Number.NaN;
  if (typeof value === "number" && digits !== undefined && !Number.isSafeInteger(value) && digits.length <= MAX_EXACT_DIGITS)
    return /^-?\d+$/.test(digits) ? BigInt(digits) : value;
  return value;
}

/** One pass over the text outside strings: counts nesting, and replaces NaN and Infinity by numbers that JSON can hold. */
function scan(text: string, maxDepth: number): string {
  const out: string[] = [];
  let copied = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: // "
        for (i++; i < text.length && text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5c) i++;
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > maxDepth) throw new AppError("JSON_TOO_DEEP", `the JSON is nested deeper than ${maxDepth} levels at character ${i}`);
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
      case 0x4e: // N
      case 0x49: {
        // I
        const word = text.startsWith("NaN", i) ? "NaN" : text.startsWith("Infinity", i) ? "Infinity" : "";
        if (word === "") break;
        out.push(text.slice(copied, i), word === "NaN" ? NAN : "1e999");
        i += word.length - 1;
        copied = i + 1;
      }
    }
  }
  return out.length === 0 ? text : out.join("") + text.slice(copied);
}

/** What a text says in JSON; undefined where it is none: a line that a killed process left unfinished, say. A schema then decides what fits. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
