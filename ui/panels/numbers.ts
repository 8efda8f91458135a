// Numbers as people read them.

/** `0.41`, `−0.05`. */
export function twoDigits(x: number): string {
  return minus(x.toFixed(2));
}

/** About four digits, whatever the size: `0.0123`, `1.5e−6`, `12,340`. */
export function short(x: number): string {
  if (!Number.isFinite(x)) return String(x);
  const size = Math.abs(x);
  if (size !== 0 && (size < 1e-3 || size >= 1e6))
    return minus(
      x
        .toExponential(2)
        .replace(/\.?0+e/, "e")
        .replace("e+", "e"),
    );
  if (size >= 1000) return minus(Math.round(x).toLocaleString("en-US"));
  return minus(String(Number(x.toPrecision(4))));
}

/** `2 min 10 s`, `41 s`, `3 h 5 min`: two units at most. */
export function duration(seconds: number): string {
  if (seconds < 1) return seconds <= 0 ? "0 s" : `${Math.max(1, Math.round(seconds * 1000))} ms`;
  const s = Math.round(seconds);
  if (s < 60) return seconds < 10 ? `${Number(seconds.toFixed(1))} s` : `${s} s`;
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(s / 86_400), "d"],
    [Math.floor((s % 86_400) / 3600), "h"],
    [Math.floor((s % 3600) / 60), "min"],
    [s % 60, "s"],
  ];
  const first = parts.findIndex(([n]) => n > 0);
  return parts
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(" ");
}

/** `1.3 GB`, in powers of 1000. */
export function bytes(count: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let [x, i] = [count, 0];
  for (; x >= 999.5 && i < units.length - 1; i++) x /= 1000;
  return `${i === 0 || x >= 100 ? Math.round(x) : Number(x.toFixed(1))} ${units[i]}`;
}

function minus(text: string): string {
  return text.replace(/^-/, "−").replace("e-", "e−");
}
