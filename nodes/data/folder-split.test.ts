import { expect, it } from "vitest";
import { fakeEmbeddings } from "../../test/fake-faces.ts";
import { splitEntries } from "./folder-split.ts";

/** An entry of people who look in some directions (degrees), with a picture of each. */
function entry(id: string, people: readonly (readonly [degrees: number, picture: string])[], split?: "train" | "held_out") {
  const rows = people.map(([degrees]) => [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)]);
  const faces = fakeEmbeddings(rows, { comparison: { kind: "cosine", threshold: 0.9 } });
  return { id, faces, contents: [`target of ${id}`, ...people.map(([, picture]) => picture)], ...(split && { split }) };
}
const ids = (entries: readonly { readonly id: string }[]) => entries.map((e) => e.id).join("");
const [ann, bob, cid, dot] = [
  [0, "ann"],
  [90, "bob"],
  [180, "cid"],
  [270, "dot"],
] as const;

it("holds the last ones out when none is marked and nobody is shared", () => {
  const entries = [entry("a", [ann]), entry("b", [bob]), entry("c", [cid])];
  const { train, heldOut, warnings } = splitEntries(entries, 2, "people");
  expect([ids(train), ids(heldOut), warnings]).toEqual(["a", "bc", []]);
  expect(ids(splitEntries(entries, 0, "people").train)).toBe("abc");
  expect(ids(splitEntries(entries, 5, "people").heldOut)).toBe("abc");
  expect(ids(splitEntries([...entries, entry("d", [dot], "train")], 2, "people").heldOut)).toBe("bc");
});

it("holds exactly the marked ones out when some are", () => {
  const { train, heldOut } = splitEntries([entry("a", [ann], "held_out"), entry("b", [bob]), entry("c", [cid], "train")], 1, "people");
  expect([ids(train), ids(heldOut)]).toEqual(["bc", "a"]);
});

it("portraits that are used again and again: people are held out, and what mixes both is left out, with a reason", () => {
  // Every pair of four people, each with the same portrait.
  const four = [ann, bob, cid, dot];
  const pairs = four.flatMap((x, i) => four.slice(i + 1).map((y) => entry(`${x[1]}+${y[1]} `, [x, y])));
  const { train, heldOut, leftOut, warnings } = splitEntries(pairs, 1, "people");
  expect([ids(train), ids(heldOut)]).toEqual(["ann+bob ", "cid+dot "]);
  expect(leftOut).toHaveLength(4);
  expect(leftOut[0]?.why).toMatch(/it shows a person of cid\+dot , which is held out/);
  expect(warnings).toEqual([expect.stringMatching(/^4 of 6 entries are neither trained on nor held out/)]);
  const kept = splitEntries(pairs, 1, "nothing");
  expect([kept.train.length, kept.heldOut.length]).toEqual([5, 1]);
  expect(kept.warnings).toEqual([expect.stringMatching(/^1 of 1 held-out entries show pictures or people that are trained on/)]);
  expect(splitEntries(pairs, 4, "people").warnings[0]).toMatch(/^1 of 4 entries could be held out/);
});

it("a person is known by her face in another picture, by a name, or by the picture", () => {
  const other = entry("b", [[5, "ann in another picture"]]);
  expect(ids(splitEntries([entry("a", [ann]), other, entry("c", [bob], "held_out")], 0, "people").train)).toBe("ab");
  const marked = [entry("a", [ann], "held_out"), other, entry("c", [bob])];
  expect(splitEntries(marked, 0, "people").leftOut.map((x) => x.id)).toEqual(["b"]);
  expect(ids(splitEntries(marked, 0, "pictures").train)).toBe("bc");
  const named = marked.map((e, k) => ({ ...e, people: [["Ann", "Eve", "Bob"][k] ?? ""] }));
  expect(ids(splitEntries(named, 0, "people").train)).toBe("bc");
  const blind = marked.map((e) => ({ ...e, faces: undefined }));
  expect(ids(splitEntries(blind, 0, "people").train)).toBe("bc");
});
