// The colours of the page's tokens, for drawing on a canvas.
export interface Theme {
  readonly s0: string;
  readonly s1: string;
  readonly s2: string;
  readonly s3: string;
  readonly line: string;
  readonly t1: string;
  readonly t2: string;
  readonly t3: string;
  readonly accent: string;
  readonly good: string;
  readonly warn: string;
  readonly bad: string;
  readonly dot: string;
  readonly hues: readonly string[];
}

export const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';
export const MONO = 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace';
export const HUES = 9;

/** Reads the custom properties as they stand now; call again when the theme changes. */
export function readTheme(element: Element): Theme {
  const style = getComputedStyle(element);
  const get = (name: string): string => style.getPropertyValue(`--${name}`).trim() || "#888";
  return {
    s0: get("s0"),
    s1: get("s1"),
    s2: get("s2"),
    s3: get("s3"),
    line: get("line"),
    t1: get("t1"),
    t2: get("t2"),
    t3: get("t3"),
    accent: get("accent"),
    good: get("good"),
    warn: get("warn"),
    bad: get("bad"),
    dot: get("dot"),
    hues: Array.from({ length: HUES }, (_, i) => get(`hue-${i}`)),
  };
}
