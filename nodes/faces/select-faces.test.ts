import { expect, it } from "vitest";
import { selectFaces, sortFaces } from "./select-faces.ts";

const face = (name: string, x: number, y: number, size: number, score: number) => ({
  name,
  score,
  box: [x - size / 2, y - size / 2, x + size / 2, y + size / 2] as const,
});
const names = (faces: readonly { readonly name: string }[]): string => faces.map((f) => f.name).join("");

it("orders left to right by box centre, then top to bottom, then by score", () => {
  const faces = [face("d", 50, 90, 10, 0.5), face("a", 10, 80, 60, 0.5), face("b", 50, 20, 10, 0.5), face("c", 50, 90, 30, 0.9)];
  expect(names(sortFaces(faces))).toBe("abcd");
  expect(names(sortFaces([...faces].reverse()))).toBe("abcd");
});

it("keeps the largest when there are too many, in their order", () => {
  const faces = [face("a", 10, 0, 20, 0.9), face("b", 20, 0, 40, 0.6), face("c", 30, 0, 30, 0.7)];
  expect(names(selectFaces(faces, { maxFaces: 2 }))).toBe("bc");
  expect(names(selectFaces(faces, { maxFaces: 0 }))).toBe("abc");
  expect(names(selectFaces(faces, { minSize: 30, minScore: 0.65 }))).toBe("c");
});
