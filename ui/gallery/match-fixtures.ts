import type { MatchShown } from "../../engine/api/shown.ts";
import { randomSource } from "../../engine/base/random.ts";

const photo = (filename: string) => ({ filename, subfolder: "", type: "input" as const });
const SIZE = { width: 960, height: 640 };

/** What graphs/match.json shows, with people in each other's place. */
export const TWO: MatchShown = {
  references: {
    pictures: [photo("two-people-a.jpg")],
    sizes: [SIZE],
    faces: [
      { image: 0, box: [163, 151, 384, 372], score: 0.93 },
      { image: 0, box: [620, 113, 768, 261], score: 0.95 },
    ],
  },
  generated: {
    pictures: [photo("two-people-b.jpg")],
    sizes: [SIZE],
    faces: [
      { image: 0, box: [164, 102, 342, 280], score: 0.93 },
      { image: 0, box: [570, 146, 832, 408], score: 0.93 },
    ],
  },
  cosine: [
    [0.298, 0.989],
    [0.989, 0.322],
  ],
  distances: [
    [0.688, 0.088],
    [0.084, 0.672],
  ],
  costs: [
    [-0.298, -0.989],
    [-0.989, -0.322],
  ],
  threshold: 0.6,
  gate: false,
  byPlace: [0, 1],
  pairs: [],
  unmatchedReferences: [],
  unmatchedGenerated: [],
};

/** Six people, eight faces, a 4:1 panorama. */
export const CROWD: MatchShown = (() => {
  const rng = randomSource(7);
  const people = Array.from({ length: 6 }, (_, i) => i);
  const faces = Array.from({ length: 8 }, (_, j) => j);
  const cosine = people.map((i) =>
    faces.map((j) => (i === j ? (i === 3 ? 0.22 : 0.55 + 0.4 * rng.uniform()) : 0.5 * rng.uniform() - 0.15)),
  );
  return {
    ...TWO,
    references: {
      pictures: people.map((i) => ({ filename: `person-${i}-512x640.svg`, subfolder: "", type: "temp" as const })),
      sizes: people.map(() => ({ width: 512, height: 640 })),
      faces: people.map((i) => ({ image: i, box: [156, 150, 356, 400] as [number, number, number, number], score: 0.9 })),
    },
    generated: {
      pictures: [{ filename: "crowd-0-2400x600.svg", subfolder: "", type: "temp" }],
      sizes: [{ width: 2400, height: 600 }],
      faces: faces.map((j) => ({ image: 0, box: [90 + 290 * j, 140, 250 + 290 * j, 340] as [number, number, number, number], score: 0.9 })),
    },
    cosine,
    distances: null,
    costs: cosine.map((row) => row.map((x) => -x)),
    threshold: 0.4,
    byPlace: [1, 2, 0, 3, 4, 5],
  };
})();

export const NOBODY: MatchShown = {
  ...TWO,
  generated: { pictures: [photo("two-people-b.jpg")], sizes: [SIZE], faces: [] },
  cosine: [[], []],
  distances: [[], []],
  costs: [[], []],
  byPlace: null,
};
