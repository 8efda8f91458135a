// Contrast of every pair of colours that the style sheet puts together: text 4.5:1, marks and sockets 3:1.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const css = readFileSync(join(import.meta.dirname, "../../ui/style/tokens.css"), "utf8");

function tokens(theme: string): ReadonlyMap<string, string> {
  const block = new RegExp(`:root\\[data-theme="${theme}"\\] \\{([^}]*)\\}`).exec(css)?.[1] ?? "";
  return new Map([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map((m) => [m[1] ?? "", m[2] ?? ""]));
}

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => {
    const v = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** WCAG 2's contrast ratio. */
function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

test.each(["dark", "light"])("%s: text is at least 4.5:1 on every surface it stands on, marks and sockets 3:1", (theme) => {
  const t = tokens(theme);
  const get = (name: string): string => t.get(name) ?? expect.fail(`no --${name}`);
  const low: string[] = [];
  const check = (front: string, back: string, least: number): void => {
    const ratio = contrast(get(front), get(back));
    if (ratio < least) low.push(`${front} on ${back}: ${ratio.toFixed(2)}, wanted ${least}`);
  };
  for (const back of ["s0", "s1", "s2"]) {
    for (const front of ["t1", "t2", "t3", "accent", "good", "warn", "bad"]) check(front, back, 4.5);
    for (let hue = 0; hue < 9; hue++) check(`hue-${hue}`, back, 3);
    check("focus", back, 3);
  }
  check("t1", "s3", 4.5);
  check("t2", "s3", 4.5);
  check("t1", "accent-soft", 4.5);
  check("on-accent", "accent", 4.5);
  expect(low).toEqual([]);
});
