// Clips of drawn people who move, turn and cross, with cuts: who is where is known.
import { type RandomSource, randomSource } from "../engine/base/random.ts";
import { f32 } from "../engine/tensor/tensor.ts";
import { backdropOf, drawBackdrop } from "../nodes/data/scenes/backdrop.ts";
import { COLOUR_NAMES, COLOURS, pick } from "../nodes/data/scenes/colours.ts";
import { drawHead, type Pose } from "../nodes/data/scenes/draw-head.ts";
import { looksOf } from "../nodes/data/scenes/looks.ts";
import type { Face, Image } from "../nodes/shared/contracts/data.ts";
import { encodePng } from "../nodes/shared/pictures/codec.ts";
import { pictureBytes } from "../nodes/shared/pictures/picture-bytes.ts";

export interface DrawnFrame {
  readonly image: Image;
  /** Where each person's face is. */
  readonly faces: ReadonlyMap<number, Face>;
}

/** One shot: everybody walks from a place to another. */
export interface DrawnShot {
  readonly people: readonly { readonly person: number; readonly from: number; readonly to: number }[];
  readonly frames: number;
}

const WIDTH = 384;
const HEIGHT = 192;

/** @param shot places are 0 = left edge … 1 = right edge */
export function drawShot(shot: DrawnShot, seed: number): readonly DrawnFrame[] {
  const rng = randomSource(seed);
  const between = (a: number, b: number) => a + (b - a) * rng.uniform();
  const canvas = { data: new Float32Array(WIDTH * HEIGHT * 3), width: WIDTH, height: HEIGHT };
  drawBackdrop(canvas, backdropOf(rng), rng);
  const light = { light: between(-1, 1), contrast: between(0.15, 0.6), tint: [1, 1, 1] as const };
  const actors = shot.people.map(({ person, from, to }) => ({
    person,
    looks: looksOf(person),
    x: [from * WIDTH, to * WIDTH] as const,
    y: HEIGHT * between(0.4, 0.47),
    scale: HEIGHT * between(0.27, 0.31),
    clothes: COLOURS[pick(rng, COLOUR_NAMES)],
    yaw: moving(rng, 0.9),
    roll: moving(rng, 0.15),
    pitch: moving(rng, 0.7),
    smile: moving(rng, 0.5),
  }));
  return Array.from({ length: shot.frames }, (_, k) => {
    const t = shot.frames > 1 ? k / (shot.frames - 1) : 0;
    const frame = { ...canvas, data: canvas.data.slice() };
    const faces = new Map<number, Face>();
    for (const { person, looks, x, y, scale, clothes, yaw, roll, pitch, smile } of actors) {
      const pose: Pose = {
        ...light,
        ...{ x: x[0] + (x[1] - x[0]) * t, y, scale, clothes, pattern: "plain" },
        ...{ yaw: yaw(t), roll: roll(t), pitch: pitch(t), smile: 0.5 + smile(t), mouthOpen: 0 },
      };
      faces.set(person, drawHead(frame, looks, pose));
    }
    return { image: f32([1, HEIGHT, WIDTH, 3], frame.data), faces };
  });
}

/** A number that swings in −size..size. */
function moving(rng: RandomSource, size: number): (t: number) => number {
  const [phase, turns] = [rng.uniform(), 0.5 + rng.uniform()];
  return (t) => size * Math.sin(2 * Math.PI * (phase + turns * t));
}

export async function pngOf(image: Image): Promise<Uint8Array> {
  const { rgb, width, height } = pictureBytes(image, 0);
  return encodePng(rgb, width, height);
}
