import { expect, test } from "vitest";
import { fakeEmbeddings, fakeFace, fakeFaces, greyImage } from "../../../test/fake-faces.ts";
import { joinEmbeddings } from "./join-embeddings.ts";

test("rows keep the picture and the face they came from", () => {
  const [a, b] = [fakeFace(10, 10, 8), fakeFace(30, 12, 9)];
  const one = fakeEmbeddings([[1, 0]], { faces: fakeFaces([a], greyImage(20, 24)) });
  const two = fakeEmbeddings([[0, 1]], { faces: fakeFaces([b], greyImage(32, 40)) });
  const both = joinEmbeddings([one, two]);
  expect(both.source).toEqual([
    { image: 0, face: 0 },
    { image: 1, face: 0 },
  ]);
  const faceOf = (row: number) => both.faces.faces[both.source[row]?.image ?? -1]?.[both.source[row]?.face ?? -1];
  expect([faceOf(0), faceOf(1)]).toEqual([a, b]);
  expect(both.faces.images.shape).toEqual([2, 32, 40, 3]);
  // The smaller picture lies at the top left: its last pixel is grey, and beyond it there is nothing.
  const at = (image: number, y: number, x: number) => both.faces.images.data[((image * 32 + y) * 40 + x) * 3];
  expect([at(0, 19, 23), at(0, 19, 24), at(0, 20, 23), at(1, 31, 39)]).toEqual([0.5, 0, 0, 0.5]);
  expect(() => joinEmbeddings([one, fakeEmbeddings([[0, 1]], { encoder: "other" })])).toThrow(
    expect.objectContaining({ code: "MATCH_ENCODERS" }),
  );
  expect(() => joinEmbeddings([])).toThrow(expect.objectContaining({ code: "FACE_IMAGE" }));
});
