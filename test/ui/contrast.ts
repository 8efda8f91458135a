// Contrast of all text on a page as it is drawn: colours of the text, and of everything that lies behind it. Runs in the page.

/** Text below 4.5:1 (WCAG 2, 1.4.3), each with its ratio. Disabled controls and text over pictures are left out. */
export function lowContrast(): string[] {
  // The page's own types are not those of Node.
  // biome-ignore lint/suspicious/noExplicitAny: the DOM, inside the page
  const { document, getComputedStyle, NodeFilter } = globalThis as any;
  type Color = readonly [number, number, number, number];
  const parse = (text: string): Color => {
    const n = (text.match(/[\d.]+/g) ?? []).map(Number);
    if (text.startsWith("color(srgb")) return [(n[0] ?? 0) * 255, (n[1] ?? 0) * 255, (n[2] ?? 0) * 255, n[3] ?? 1];
    return [n[0] ?? 0, n[1] ?? 0, n[2] ?? 0, n[3] ?? 1];
  };
  const over = ([r, g, b, a]: Color, [R, G, B]: Color): Color => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const luminance = ([r, g, b]: Color): number => {
    const [x = 0, y = 0, z = 0] = [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const found = new Set<string>();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent.trim();
    const element = node.parentElement;
    if (text === "" || !element || element.closest("script, style, .hidden-text, :disabled, svg, .viewer-picture, option")) continue;
    const style = getComputedStyle(element);
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const layers: Color[] = [];
    let alpha = 1;
    for (let e = element; e; e = e.parentElement) {
      const s = getComputedStyle(e);
      alpha *= Number(s.opacity);
      const color = parse(s.backgroundColor);
      if (color[3] > 0) layers.push(color);
      if (color[3] === 1) break;
    }
    const back = layers.reduceRight((below: Color, layer) => over(layer, below), [255, 255, 255, 1]);
    const [r, g, b, a] = parse(style.color);
    const front = over([r, g, b, a * alpha], back);
    const [x, y] = [luminance(front), luminance(back)];
    const ratio = (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
    if (ratio < 4.5) found.add(`${ratio.toFixed(2)} ${style.color} "${text.slice(0, 40)}" in ${element.className || element.tagName}`);
  }
  return [...found];
}
