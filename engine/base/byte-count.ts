/** `17 B`, `3.4 MB`: powers of 1000. */
export function byteCount(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let n = bytes;
  let unit = 0;
  for (; n >= 999.5 && unit < units.length - 1; unit++) n /= 1000;
  return `${unit === 0 ? n : n.toPrecision(3)} ${units[unit] ?? ""}`;
}
