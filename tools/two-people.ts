// Makes graphs/input/two-people-*.jpg from two portraits of the public domain: two pictures of the same two people, with places
// changed and crop, scale, tilt and light altered. `node tools/two-people.ts` writes the same bytes again (same sharp version).
import { join } from "node:path";
import sharp from "sharp";

const input = join(import.meta.dirname, "../graphs/input");
const [WIDTH, HEIGHT] = [960, 640];
/** Width of the soft seam. */
const SEAM = 96;

interface Half {
  readonly file: string;
  /** Factor on the portrait's size, clockwise degrees, and the point of the tilted picture that comes to the middle of the half. */
  readonly scale: number;
  readonly tilt: number;
  readonly centre: readonly [x: number, y: number];
  readonly light: number;
  readonly saturation: number;
}

async function half(spec: Half): Promise<Buffer> {
  const portrait = sharp(join(input, spec.file));
  const { width, height } = await portrait.metadata();
  const scaled = await portrait.resize(Math.round(width * spec.scale), Math.round(height * spec.scale)).toBuffer();
  const w = WIDTH / 2 + SEAM / 2;
  const tilted = await sharp(scaled).rotate(spec.tilt).toBuffer();
  const [left, top] = [Math.round(spec.centre[0] * spec.scale - w / 2), Math.round(spec.centre[1] * spec.scale - HEIGHT / 2)];
  return sharp(tilted)
    .extract({ left, top, width: w, height: HEIGHT })
    .modulate({ brightness: spec.light, saturation: spec.saturation })
    .removeAlpha()
    .png()
    .toBuffer();
}

async function compose(name: string, left: Half, right: Half): Promise<void> {
  const w = WIDTH / 2 + SEAM / 2;
  const ramp = Uint8Array.from({ length: w * HEIGHT }, (_, i) => Math.min(255, Math.round((255 * ((i % w) + 0.5)) / SEAM)));
  const over = await sharp(await half(right))
    .joinChannel(Buffer.from(ramp), { raw: { width: w, height: HEIGHT, channels: 1 } })
    .png()
    .toBuffer();
  await sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: "black" } })
    .composite([
      { input: await half(left), left: 0, top: 0 },
      { input: over, left: WIDTH - w, top: 0 },
    ])
    .jpeg({ quality: 88 })
    .toFile(join(input, name));
}

const hopper = { file: "grace-hopper.jpg", tilt: 0, light: 1, saturation: 1 };
const collins = { file: "astronaut.jpg", tilt: 0, light: 1, saturation: 1 };
await compose("two-people-a.jpg", { ...hopper, scale: 1.1, centre: [256, 291] }, { ...collins, scale: 1.5, centre: [226, 214] });
await compose(
  "two-people-b.jpg",
  { ...collins, scale: 1.72, tilt: 4, centre: [258, 214], light: 0.86, saturation: 0.9 },
  { ...hopper, scale: 1.3, tilt: -4, centre: [278, 290], light: 1.12, saturation: 1.1 },
);
