/** `12 kB`, `3.4 MB`, `1.2 GB`. */
export function bytes(n: number): string {
  if (n < 1e6) return `${Math.max(n > 0 ? 1 : 0, Math.round(n / 1e3))}\u2009kB`;
  if (n < 1e9) return `${(n / 1e6).toFixed(n < 1e7 ? 1 : 0)}\u2009MB`;
  return `${(n / 1e9).toFixed(1)}\u2009GB`;
}
