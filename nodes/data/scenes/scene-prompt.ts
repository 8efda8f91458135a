// The instruction of a scene, in many phrasings: which picture's person stands where, and sometimes what they wear or where they are.
import type { RandomSource } from "../../../engine/base/random.ts";
import { type Backdrop, placeInWords } from "./backdrop.ts";
import { type ColourName, pick } from "./colours.ts";

export interface SceneInWords {
  /** order[place] is the number (from 0) of the reference whose person stands there, left to right. */
  readonly order: readonly number[];
  /** Colour of the clothes at each place. */
  readonly clothes: readonly ColourName[];
  readonly backdrop: Backdrop;
}

const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth"];

/** Phrases for place k of n, left to right. */
function placePhrases(k: number, n: number): readonly string[] {
  if (n === 1) return ["in the middle", "alone", "in the center"];
  const phrases = [`${ORDINALS[k]} from the left`];
  if (k === 0) phrases.push("on the left", "at the far left");
  if (k === n - 1) phrases.push("on the right", "at the far right");
  if (n % 2 === 1 && k === (n - 1) / 2) phrases.push("in the middle", "in the center");
  if (k > n / 2 && k < n - 1) phrases.push(`${ORDINALS[n - 1 - k]} from the right`);
  return phrases;
}

const SUBJECTS: readonly ((picture: number) => string)[] = [
  (k) => `the person of picture ${k}`,
  (k) => `the person from picture ${k}`,
  (k) => `the person in picture ${k}`,
  (k) => `person ${k}`,
];

const FRAMES: readonly ((people: string, place: string) => string)[] = [
  (people, place) => `A photo with ${people}${place}.`,
  (people, place) => `${people}${place}.`,
  (people, place) => `Put ${people}${place}.`,
  (people, place) => `A picture of ${people}${place}.`,
];

/** One phrasing of the scene; the same generator gives the same words. */
export function scenePrompt({ order, clothes, backdrop }: SceneInWords, rng: RandomSource): string {
  const n = order.length;
  const subject = pick(rng, SUBJECTS);
  const dressed = rng.uniform() < 0.5;
  const parts = order.map((reference, place) => ({
    reference,
    words: `${subject(reference + 1)} ${pick(rng, placePhrases(place, n))}${dressed ? ` in ${clothes[place]}` : ""}`,
  }));
  // Described by place, or by picture.
  if (rng.uniform() < 0.5) parts.sort((a, b) => a.reference - b.reference);
  const words = parts.map((p) => p.words);
  const people = n === 1 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
  const where = rng.uniform() < 0.6 ? `, ${placeInWords(backdrop)}` : "";
  const text = pick(rng, FRAMES)(people, where);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
