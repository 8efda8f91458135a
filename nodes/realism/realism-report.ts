import { stringifyJson } from "../../engine/base/json.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { Image } from "../shared/contracts/data.ts";
import { encodePng } from "../shared/pictures/codec.ts";
import { gradientMap } from "../shared/pictures/gradient-map.ts";
import { batchOf } from "../shared/pictures/picture.ts";
import { pictureBytes } from "../shared/pictures/picture-bytes.ts";
import { type FacePixels, facePixels, windowPixels } from "../shared/realism/face-pixels.ts";
import { readReward } from "../shared/rewards/read-reward.ts";
import { onePicture, rewardContext } from "../shared/rewards/reward-context.ts";
import { priorsReward } from "./realism-priors.ts";
import declaration from "./realism-report.node.ts";
import { bandRow, deviation, type RealismBands, realShareBeyond } from "./statistics/bands.ts";
import { measureWindow } from "./statistics/measure-window.ts";
import { STATISTIC_NAMES, STATISTICS, type Statistic } from "./statistics/names.ts";

interface Line {
  readonly value: number;
  readonly mu: number;
  readonly s: number;
  /** (value − µ)/s. */
  readonly z: number;
  /** More than one spread out, on a side that counts. */
  readonly outside: boolean;
  /** Share of the faces the band was measured on that are at least as far out. */
  readonly real_share_beyond: number;
}

interface FaceReport {
  readonly box: readonly number[];
  readonly side: number;
  /** The window side that the bands were measured at: the nearest there is. */
  readonly bands_side: number;
  readonly statistics: Readonly<Record<string, Line>>;
  readonly outside: readonly string[];
}

export default implementNode(declaration, {
  async run({ image, face_detector, bands, scorer, min_size, prefix }, ctx) {
    if (batchOf(image) > 1) ctx.log("warn", `the first of ${batchOf(image)} pictures is reported on`);
    const picture = onePicture(image, 0);
    const [, height = 1, width = 1] = picture.shape;
    const context = rewardContext(ctx.compute, undefined, undefined);
    const found = await face_detector.detect(ctx.compute, picture, {});
    const pixels = facePixels(picture, found, min_size);
    if (pixels.length < found.length)
      ctx.log("warn", `${found.length - pixels.length} of ${found.length} faces are too small to judge (min_size)`);
    if (pixels.length === 0) ctx.log("warn", `no face of at least ${min_size} pixels was found: there is nothing to report on`);
    const faces: FaceReport[] = [];
    for (const one of pixels) faces.push(await reportFace(one));

    const options = { sigmaMax: 1, minSize: min_size, maxFaces: pixels.length, facesFrom: "detected", band: 1 } as const;
    const judged = { id: face_detector.id, detect: async () => pixels.map((p) => p.face) };
    const priors = priorsReward(judged, bands, { ...options, statistics: new Map(STATISTIC_NAMES.map((name) => [name, 1])) });
    const readings = [await readReward(ctx.compute, priors, picture, context, { gradient: true })];
    if (scorer) readings.push(await readReward(ctx.compute, scorer, picture, context, { gradient: true }));
    const [seen, scored] = readings;
    if (scored?.skip !== undefined) ctx.log("warn", `${scorer?.name} has nothing to say about this picture: ${scored.skip}`);

    const report = {
      faces,
      priors: seen?.reward ?? null,
      scorer: scored ? { name: scorer?.name ?? "", value: scored.reward ?? null, parts: scored.parts } : null,
      bands: { about: bands.about, sizes: bands.sizes.map(({ side, faces: n }) => ({ side, faces: n })) },
    };
    await ctx.saveAs(`${prefix}.json`, new TextEncoder().encode(`${stringifyJson(report, 2)}\n`));
    const strip = sideBySide([boxed(picture, pixels), ...readings.map(({ gradient }) => heated(picture, gradient))], height, width);
    const { rgb } = pictureBytes(strip, 0);
    const png = await encodePng(rgb, strip.shape[2] ?? 1, height);
    await ctx.saveAs(`${prefix}.png`, png);
    ctx.show({ images: [await ctx.save("realism-report", "png", png, "temp")], text: [table(faces, report.priors, report.scorer)] });
    const values: Record<string, number> = { faces: faces.length, outside: faces.reduce((n, f) => n + f.outside.length, 0) };
    if (seen?.reward !== undefined) values.priors = seen.reward;
    if (scored?.reward !== undefined) values.scorer = scored.reward;
    for (const name of faces.length > 0 ? STATISTIC_NAMES : [])
      values[`${name}.z`] = faces.reduce((s, f) => s + (f.statistics[name]?.z ?? 0), 0) / faces.length;
    ctx.score("realism", values);
    return { report: strip, METRICS: { values, details: report } };

    async function reportFace({ face, window, mask }: FacePixels): Promise<FaceReport> {
      const row = bandRow(bands, window.side);
      const measured = await measureWindow(ctx.compute, windowPixels(picture, window), mask, row.gradient_cdf);
      const lines = STATISTIC_NAMES.map(
        (name) => [name, lineOf(bands, window.side, name, measured.values.get(name) ?? Number.NaN)] as const,
      );
      return {
        box: face.box,
        side: window.side,
        bands_side: row.side,
        statistics: Object.fromEntries(lines),
        outside: lines.flatMap(([name, { outside }]) => (outside ? [name] : [])),
      };
    }
  },
});

function lineOf(bands: RealismBands, side: number, name: Statistic, value: number): Line {
  const about = bandRow(bands, side).statistics[name];
  const z = (value - about.mu) / about.s;
  return {
    value,
    mu: about.mu,
    s: about.s,
    z,
    outside: deviation(STATISTICS[name].side, z) > 1,
    real_share_beyond: realShareBeyond(name, about, value),
  };
}

function table(
  faces: readonly FaceReport[],
  priors: number | null,
  scorer: { readonly name: string; readonly value: number | null } | null,
): string {
  const lines = faces.flatMap((face, i) => [
    `face ${i + 1} (${face.side} pixels, ${face.outside.length} of ${STATISTIC_NAMES.length} statistics outside their band)`,
    ...STATISTIC_NAMES.map((name) => {
      const line = face.statistics[name];
      if (!line) return "";
      const cells = [line.value.toPrecision(3), `${line.mu.toPrecision(3)} ± ${line.s.toPrecision(2)}`, `z ${line.z.toFixed(1)}`];
      return `  ${STATISTICS[name].label}: ${cells.join(", ")}, ${(100 * line.real_share_beyond).toFixed(0)} % of real faces beyond${line.outside ? ": OUTSIDE" : ""}`;
    }),
  ]);
  if (priors !== null) lines.push(`priors ${priors.toFixed(3)} (0 = as in real pictures)`);
  if (scorer) lines.push(`${scorer.name} ${scorer.value === null ? "has nothing to say" : scorer.value.toFixed(3)}`);
  return lines.join("\n");
}

/** A copy with a green frame round every window. */
function boxed(image: Image, pixels: readonly FacePixels[]): Image {
  const [, height = 1, width = 1] = image.shape;
  const data = image.data.slice();
  const put = (x: number, y: number) => {
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    data.set([0.2, 0.9, 0.3], 3 * (y * width + x));
  };
  for (const { window } of pixels)
    for (let i = 0; i < window.side; i++)
      for (const far of [0, window.side - 1]) {
        put(window.x + i, window.y + far);
        put(window.x + far, window.y + i);
      }
  return f32(image.shape, data);
}

/** The picture in dim grey, red where the gradient is strong. */
function heated(image: Image, gradient: Float32Array | undefined): Image {
  const [, height = 1, width = 1] = image.shape;
  const map = gradient ? gradientMap(gradient, height, width).data : new Float32Array(image.data.length);
  const data = image.data.map((_, i) => {
    const at = i - (i % 3);
    const grey = 0.5 * (0.299 * (image.data[at] ?? 0) + 0.587 * (image.data[at + 1] ?? 0) + 0.114 * (image.data[at + 2] ?? 0));
    const heat = map[at] ?? 0;
    return grey * (1 - heat) + heat * (i % 3 === 0 ? 1 : i % 3 === 1 ? 0.25 : 0.1);
  });
  return f32(image.shape, data);
}

function sideBySide(images: readonly Image[], height: number, width: number): Image {
  const out = new Float32Array(images.length * height * width * 3);
  images.forEach(({ data }, k) => {
    for (let y = 0; y < height; y++) out.set(data.subarray(3 * y * width, 3 * (y + 1) * width), 3 * (y * images.length + k) * width);
  });
  return f32([1, height, images.length * width, 3], out);
}
