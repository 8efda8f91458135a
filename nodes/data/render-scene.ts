// A scene of several drawn people: background, poses, light, all from a generator.
import type { RandomSource } from "../../engine/base/random.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { Face, Image } from "../shared/contracts/data.ts";
import { drawPerson, type Pose } from "./draw-person.ts";
import type { Person, Rgb } from "./person.ts";

export interface Scene {
  /** [1, height, width, 3]. */
  readonly image: Image;
  /** faces[k] is people[k], left to right. */
  readonly faces: readonly Face[];
}

/** Draws `people` side by side, left to right. Portraits are scenes of one. */
export function renderScene(people: readonly Person[], width: number, height: number, rng: RandomSource): Scene {
  const data = background(width, height, rng);
  const between = (a: number, b: number) => a + (b - a) * rng.uniform();
  const light = between(-0.8, 0.8);
  const contrast = between(0.2, 0.7);
  const slot = width / people.length;
  const fit = Math.min(slot * 0.56, height * 0.4);
  const faces = people.map((person, k) => {
    const scale = fit * between(0.82, 1);
    const room = Math.max(0, slot / 2 - scale * 0.85);
    const pose: Pose = {
      x: slot * (k + 0.5) + between(-1, 1) * Math.min(room, slot * 0.15),
      y: height * between(0.44, 0.52),
      scale,
      roll: between(-0.2, 0.2),
      yaw: between(-1, 1),
      smile: rng.uniform(),
      mouthOpen: rng.uniform() < 0.4 ? rng.uniform() : 0,
      light,
      contrast,
      clothes: [between(0.1, 0.85), between(0.1, 0.85), between(0.1, 0.85)],
    };
    return drawPerson(data, width, height, person, pose);
  });
  return { image: f32([1, height, width, 3], data), faces };
}

function background(width: number, height: number, rng: RandomSource): Float32Array {
  const colour = (): Rgb => [0.25 + 0.6 * rng.uniform(), 0.25 + 0.6 * rng.uniform(), 0.25 + 0.6 * rng.uniform()];
  const [top, bottom, blob] = [colour(), colour(), colour()];
  const bx = rng.uniform();
  const by = rng.uniform();
  const data = new Float32Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const t = y / height;
      const near = Math.exp(-(((x / width - bx) ** 2 + (t - by) ** 2) / 0.08));
      for (let k = 0; k < 3; k++)
        data[(y * width + x) * 3 + k] = ((top[k] ?? 0) * (1 - t) + (bottom[k] ?? 0) * t) * (1 - 0.5 * near) + (blob[k] ?? 0) * 0.5 * near;
    }
  return data;
}
