import { expect, test } from "vitest";
import { fakeDetector, fakeEncoder, noiseImage } from "../../test/fake-face-models.ts";
import { fakeFace } from "../../test/fake-faces.ts";
import { interpreterCompute } from "../../test/interpreter-compute.ts";
import { embedFaces } from "../shared/faces/embed-faces.ts";
import { joinEmbeddings } from "../shared/faces/join-embeddings.ts";
import { matchFaces } from "../shared/matching/match-faces.ts";
import { similarityOf } from "../shared/matching/similarity.ts";
import { copyPasteValues } from "../shared/metrics/copy-paste-values.ts";
import { readReward } from "../shared/rewards/read-reward.ts";
import { copyPasteReward } from "./copy-paste-reward.ts";

const compute = interpreterCompute();
const encoder = fakeEncoder();
const faces = [fakeFace(9, 11, 9), fakeFace(30, 12, 13)];
const references = { images: [noiseImage(2, 20, 20), noiseImage(3, 20, 20)], faces: [fakeFace(10, 10, 12), fakeFace(9, 10, 12)] };
const target = { image: noiseImage(4, 24, 40), faces };
const context = { compute, references, target };

test("equals the metric with its sign turned, and has no gradient", async () => {
  const image = noiseImage(1, 24, 40);
  const people = joinEmbeddings(
    await Promise.all(
      references.images.map((images, k) => {
        const face = references.faces[k];
        return embedFaces(compute, encoder, { images, faces: [face ? [face] : []] });
      }),
    ),
  );
  const found = await embedFaces(compute, encoder, { images: image, faces: [faces] });
  const { matches } = matchFaces(similarityOf(people, found), { threshold: encoder.comparison.threshold, gate: false });
  const values = copyPasteValues(matches, await embedFaces(compute, encoder, { images: target.image, faces: [faces] }));
  const wanted = -values.reduce((s, v) => s + v.value, 0) / values.length;
  const reading = await readReward(compute, copyPasteReward(fakeDetector(faces), encoder, 0), image, context, { gradient: true });
  expect(reading.reward).toBeCloseTo(wanted, 5);
  expect(Math.abs(wanted)).toBeGreaterThan(1e-3);
  expect(reading.gradient).toBeUndefined();
});

test("no face: skipped", async () => {
  expect((await readReward(compute, copyPasteReward(fakeDetector([]), encoder, 0), noiseImage(1, 24, 40), context)).skip).toMatch(
    /no face/,
  );
});

test("a target that shows others than the references is refused: somebody's angle would be made up", async () => {
  const one = { ...context, target: { ...target, faces: faces.slice(0, 1) } };
  await expect(readReward(compute, copyPasteReward(fakeDetector(faces), encoder, 0), noiseImage(1, 24, 40), one)).rejects.toMatchObject({
    code: "REWARD_TARGET",
    message: "the target shows 1 faces, but there are 2 references",
  });
});
