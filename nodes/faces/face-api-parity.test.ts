// The converted networks against @vladmandic/face-api itself: given the same rectangles of the same photographs, cut and scaled
// by face-api's own rules, they must say the same.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { faceModels } from "../../test/face-models.ts";
import { buildDlib128 } from "./dlib-net.ts";
import { openFaceWeights } from "./face-weights.ts";
import { buildLandmarks68 } from "./landmarks68-net.ts";
import { squareNet } from "./square-net.ts";

const root = join(import.meta.dirname, "../..");
const photos = join(root, "node_modules/@vladmandic/face-api/demo");
const Rect = z.tuple([z.number(), z.number(), z.number(), z.number()]);
const Detected = z.object({
  faces: z.array(
    z.object({ box: Rect, lm: z.array(z.tuple([z.number(), z.number()])).length(68), dlib: Rect, desc: z.array(z.number()).length(128) }),
  ),
});
const Reference = z.record(z.string(), z.object({ w: z.number(), h: z.number(), tiny416: Detected, ssd: Detected }));
const reference = Reference.parse(JSON.parse(readFileSync(join(root, "test/golden/faces/face-api-reference.json"), "utf8")));

interface Photo {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}
/** A rectangle of whole pixels. */
interface Cut {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** face-api's clipAtImageBorders and floor. */
function cutAt([x, y, w, h]: readonly [number, number, number, number], { width, height }: Photo): Cut {
  const left = Math.max(x, 0);
  const top = Math.max(y, 0);
  return {
    x: Math.floor(left),
    y: Math.floor(top),
    w: Math.floor(Math.min(x + w - left, width - left)),
    h: Math.floor(Math.min(y + h - top, height - top)),
  };
}

/** face-api's padToSquare (black, centred) and tfjs' resizeBilinear (alignCorners and halfPixelCenters false). [size, size, 3] in 0..1. */
function squareOf(photo: Photo, { x, y, w, h }: Cut, size: number): Float32Array {
  const side = Math.max(w, h);
  const gap = Math.abs(w - h);
  const before = gap - Math.round(gap / 2);
  const [padX, padY] = w < h ? [before, 0] : [0, before];
  const at = (u: number, v: number, k: number): number => {
    const [px, py] = [u - padX, v - padY];
    if (px < 0 || py < 0 || px >= w || py >= h) return 0;
    return photo.data[((y + py) * photo.width + x + px) * 3 + k] ?? 0;
  };
  const out = new Float32Array(size * size * 3);
  for (let v = 0; v < size; v++)
    for (let u = 0; u < size; u++) {
      const [sx, sy] = [(u * side) / size, (v * side) / size];
      const [x0, y0] = [Math.floor(sx), Math.floor(sy)];
      const [x1, y1] = [Math.min(x0 + 1, side - 1), Math.min(y0 + 1, side - 1)];
      const [fx, fy] = [sx - x0, sy - y0];
      for (let k = 0; k < 3; k++) {
        const top = at(x0, y0, k) * (1 - fx) + at(x1, y0, k) * fx;
        const bottom = at(x0, y1, k) * (1 - fx) + at(x1, y1, k) * fx;
        out[(v * size + u) * 3 + k] = (top * (1 - fy) + bottom * fy) / 255;
      }
    }
  return out;
}

const absent = !existsSync(photos);
if (absent) process.stderr.write("face-api parity is skipped: @vladmandic/face-api is not installed (npm ci installs it)\n");

describe.skipIf(absent)("converted networks against face-api on its six photographs", async () => {
  const compute = createRuntime({ device: "cpu" });
  const landmarkWeights = await openFaceWeights(faceModels, "landmarks68.safetensors", "face-landmarks-68");
  const dlibWeights = await openFaceWeights(faceModels, "dlib128.safetensors", "dlib-resnet-128");
  const landmarks = await squareNet(112, (b, x) => ({ out: buildLandmarks68(b, landmarkWeights, x) })).open(compute);
  const descriptor = await squareNet(150, (b, x) => ({ out: buildDlib128(b, dlibWeights, x) })).open(compute);

  it.each(Object.entries(reference))("%s", async (name, { tiny416, ssd, w, h }) => {
    const file = join(photos, name.slice(name.lastIndexOf("/") + 1));
    const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([w, h]);
    const photo: Photo = { data, width: w, height: h };
    let worstPoint = 0;
    let worstDescriptor = 0;
    for (const face of [...tiny416.faces, ...ssd.faces]) {
      const cut = cutAt(face.box, photo);
      const out = (await landmarks(squareOf(photo, cut, 112)))("out");
      const scale = 112 / Math.max(cut.w, cut.h);
      const pad = (Math.abs(cut.w - cut.h) * scale) / 2;
      face.lm.forEach(([x, y], i) => {
        const px = ((out[2 * i] ?? Number.NaN) * 112 - (cut.w < cut.h ? pad : 0)) / scale + face.box[0];
        const py = ((out[2 * i + 1] ?? Number.NaN) * 112 - (cut.h < cut.w ? pad : 0)) / scale + face.box[1];
        worstPoint = Math.max(worstPoint, Math.hypot(px - x, py - y));
      });
      const vector = (await descriptor(squareOf(photo, cutAt(face.dlib, photo), 150)))("out");
      worstDescriptor = Math.max(worstDescriptor, Math.hypot(...face.desc.map((x, i) => x - (vector[i] ?? Number.NaN))));
    }
    expect(worstPoint).toBeLessThan(1e-2);
    expect(worstDescriptor).toBeLessThan(1e-4);
  });
});
