import type { WidgetFace } from "../doc/node-face.ts";

/** What a person typed as the value of a number widget. Sums and products may be written out: `512*2`. */
export function parseNumber(
  text: string,
  face: Pick<WidgetFace, "name" | "type" | "min" | "max">,
): { readonly ok: true; readonly value: number | bigint } | { readonly ok: false; readonly message: string } {
  const source = text.trim().replace(",", ".");
  if (face.type === "INT" && /^[+-]?\d{16,40}$/.test(source)) {
    const exact = BigInt(source);
    return within(exact, face) ?? { ok: true, value: Number.isSafeInteger(Number(exact)) ? Number(exact) : exact };
  }
  const value = evaluate(source);
  if (value === undefined || !Number.isFinite(value))
    return { ok: false, message: `${face.name}: ${text === "" ? "nothing" : text} is not a number.` };
  const whole = face.type === "INT" ? Math.round(value) : value;
  return within(whole, face) ?? { ok: true, value: whole };
}

function within(
  value: number | bigint,
  { name, min, max }: Pick<WidgetFace, "name" | "min" | "max">,
): { readonly ok: false; readonly message: string } | undefined {
  if (min !== undefined && value < min) return { ok: false, message: `${name}: ${value} is below the minimum of ${min}.` };
  if (max !== undefined && value > max) return { ok: false, message: `${name}: ${value} is above the maximum of ${max}.` };
  return undefined;
}

/** + - * / and brackets, by recursive descent. undefined when it is anything else. */
function evaluate(text: string): number | undefined {
  const tokens = text.match(/\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|[-+*/()]/gi) ?? [];
  if (tokens.join("") !== text.replaceAll(" ", "") || tokens.length === 0 || tokens.length > 100) return undefined;
  let at = 0;
  const factor = (): number => {
    const token = tokens[at++];
    if (token === "-") return -factor();
    if (token === "+") return factor();
    if (token === "(") {
      const inner = sum();
      return tokens[at++] === ")" ? inner : Number.NaN;
    }
    return token === undefined ? Number.NaN : Number(token);
  };
  const product = (): number => {
    let value = factor();
    for (let op = tokens[at]; op === "*" || op === "/"; op = tokens[at]) {
      at++;
      value = op === "*" ? value * factor() : value / factor();
    }
    return value;
  };
  const sum = (): number => {
    let value = product();
    for (let op = tokens[at]; op === "+" || op === "-"; op = tokens[at]) {
      at++;
      value = op === "+" ? value + product() : value - product();
    }
    return value;
  };
  const value = sum();
  return at === tokens.length ? value : undefined;
}
