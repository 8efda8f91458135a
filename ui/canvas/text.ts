// Text on the canvas: measured once, cut with an ellipsis, broken into lines.
const cuts = new Map<string, string>();
const breaks = new Map<string, readonly string[]>();
const MAX_CACHED = 20_000;

/** The longest beginning that fits, with … where something is missing. The context's font counts. */
export function cut(ctx: CanvasRenderingContext2D, text: string, width: number): string {
  const key = `${ctx.font} ${Math.round(width)} ${text}`;
  const known = cuts.get(key);
  if (known !== undefined) return known;
  const line = text.replaceAll("\n", " ");
  let result = line;
  if (ctx.measureText(line).width > width) {
    let low = 0;
    let high = Math.min(line.length, Math.ceil(width));
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (ctx.measureText(`${line.slice(0, middle)}…`).width <= width) low = middle;
      else high = middle - 1;
    }
    result = low > 0 ? `${line.slice(0, low).trimEnd()}…` : "";
  }
  if (cuts.size > MAX_CACHED) cuts.clear();
  cuts.set(key, result);
  return result;
}

/** At most `max` lines, broken at spaces; … stands where something is missing. */
export function wrap(ctx: CanvasRenderingContext2D, text: string, width: number, max: number): readonly string[] {
  const key = `${ctx.font} ${Math.round(width)} ${max} ${text}`;
  const known = breaks.get(key);
  if (known) return known;
  const lines: string[] = [];
  // One more than there is room for tells whether something is missing.
  const enough = max + 1;
  for (const paragraph of text.slice(0, 4000).split("\n")) {
    let line = "";
    for (const word of paragraph.split(" ")) {
      const longer = line === "" ? word : `${line} ${word}`;
      if (line !== "" && ctx.measureText(longer).width > width) {
        lines.push(line);
        line = word;
      } else line = longer;
      if (lines.length >= enough) break;
    }
    lines.push(line);
    if (lines.length >= enough) break;
  }
  const isMore = lines.length > max;
  const shown = lines.slice(0, max).map((l, i) => cut(ctx, isMore && i === max - 1 ? `${l}…` : l, width));
  if (breaks.size > MAX_CACHED) breaks.clear();
  breaks.set(key, shown);
  return shown;
}
