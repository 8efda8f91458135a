// Curves as a picture for the docs: readable in text form, no browser needed.

export interface Curve {
  readonly title: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const WIDTH = 720;
const HEIGHT = 360;
const [LEFT, RIGHT, TOP, BOTTOM] = [56, 16, 16, 40] as const;
/** Okabe and Ito's, told apart by colour-blind people too; the dashes tell them apart in grey. */
const STYLES = [
  { colour: "#0072b2", dash: "" },
  { colour: "#d55e00", dash: "8 3" },
  { colour: "#009e73", dash: "2 3" },
  { colour: "#cc79a7", dash: "10 3 2 3" },
  { colour: "#000000", dash: "4 4" },
] as const;

/** Every curve on its own scale of values from its least to its greatest: rewards of different kinds have no common one. */
export function curvesSvg(curves: readonly Curve[]): string {
  const last = Math.max(1, ...curves.flatMap((c) => c.points.map((p) => p.x)));
  const x = (at: number) => LEFT + (at / last) * (WIDTH - LEFT - RIGHT);
  const y = (share: number) => HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
  const lines = curves.map((curve, k) => {
    const { colour, dash } = STYLES[k % STYLES.length] ?? STYLES[0];
    const values = curve.points.map((p) => p.y);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const path = curve.points.map((p) => `${x(p.x).toFixed(1)},${y(high > low ? (p.y - low) / (high - low) : 0.5).toFixed(1)}`).join(" ");
    const label = `${curve.title}: ${low.toFixed(3)} to ${high.toFixed(3)}`;
    const row = TOP + 16 + k * 18;
    return [
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.8" stroke-dasharray="${dash}"/>`,
      `<line x1="${LEFT + 10}" x2="${LEFT + 44}" y1="${row - 4}" y2="${row - 4}" stroke="${colour}" stroke-width="1.8" stroke-dasharray="${dash}"/>`,
      `<text x="${LEFT + 50}" y="${row}">${escaped(label)}</text>`,
    ].join("\n");
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#222">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<path d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}" fill="none" stroke="#888"/>`,
    `<text x="${(WIDTH + LEFT) / 2}" y="${HEIGHT - 10}" text-anchor="middle">updates, 0 to ${last}</text>`,
    `<text transform="translate(18 ${HEIGHT / 2}) rotate(-90)" text-anchor="middle">reward, each from its least to its greatest</text>`,
    ...lines,
    "</svg>\n",
  ].join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
