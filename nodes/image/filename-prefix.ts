/** What the placeholders of a file name stand for. */
export interface PrefixValues {
  readonly width: number;
  readonly height: number;
  /** Index in the batch. */
  readonly batch: number;
  readonly date: Date;
}

/**
 * Fills ComfyUI's placeholders: %width% %height% %batch_num% and %year% %month% %day% %hour% %minute% %second% (local time, two
 * digits). Others are left as they are. Whoever writes the file checks that the path stays in its folder.
 */
export function fillPrefix(prefix: string, { width, height, batch, date }: PrefixValues): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const values: ReadonlyMap<string, string> = new Map([
    ["width", String(width)],
    ["height", String(height)],
    ["batch_num", String(batch)],
    ["year", String(date.getFullYear())],
    ["month", two(date.getMonth() + 1)],
    ["day", two(date.getDate())],
    ["hour", two(date.getHours())],
    ["minute", two(date.getMinutes())],
    ["second", two(date.getSeconds())],
  ]);
  return prefix.replace(/%(\w+)%/g, (whole, name: string) => values.get(name) ?? whole);
}
