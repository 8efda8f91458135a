/** `17 B`, `3.4 MB`: powers of 1000. */
export function byteCount(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let n = bytes;
  let unit = 0;
  for (; n >= 999.5 && unit < units.length - 1; unit++) n /= 1000;
  return `${unit === 0 ? n : n.toPrecision(3)} ${units[unit] ?? ""}`;
}

/** Bytes of `12GB`, `512 MB`, `1.5e9`, with the prefixes' powers of 1000; of `8GiB` with powers of 1024. Undefined for anything else. */
export function parseByteCount(text: string): number | undefined {
  const [, number = "", prefix = "", binary = ""] = /^\s*(\d+(?:\.\d+)?(?:e\d+)?)\s*(?:([kmgt])?(i)?b)?\s*$/i.exec(text) ?? [];
  if (number === "" || (binary !== "" && prefix === "")) return undefined;
  const bytes = Number(number) * (binary ? 1024 : 1000) ** " kmgt".indexOf(prefix.toLowerCase() || " ");
  return Number.isSafeInteger(Math.round(bytes)) ? Math.round(bytes) : undefined;
}
