import { expect, it } from "vitest";
import { fakeEmbeddings } from "../../test/fake-faces.ts";
import { splitEntries } from "./folder-split.ts";

/** An entry of one person looking in a direction (degrees), with a picture of her. */
function entry(id: string, degrees: number, picture: string, split?: "train" | "held_out") {
  const angle = (degrees * Math.PI) / 180;
  const people = fakeEmbeddings([[Math.cos(angle), Math.sin(angle)]], { comparison: { kind: "cosine", threshold: 0.9 } });
  return { id, split, people, contents: [`target of ${id}`, picture] };
}
const ids = (entries: readonly { readonly id: string }[]) => entries.map((e) => e.id).join("");

it("holds the last ones out when none is marked", () => {
  const entries = [entry("a", 0, "1"), entry("b", 90, "2"), entry("c", 180, "3")];
  const { train, heldOut, warnings } = splitEntries(entries, 2);
  expect([ids(train), ids(heldOut), warnings]).toEqual(["a", "bc", []]);
  expect(ids(splitEntries(entries, 0).train)).toBe("abc");
  expect(ids(splitEntries(entries, 5).heldOut)).toBe("abc");
  expect(ids(splitEntries([...entries, entry("d", 270, "4", "train")], 2).heldOut)).toBe("c");
});

it("holds exactly the marked ones out when some are", () => {
  const { train, heldOut } = splitEntries([entry("a", 0, "1", "held_out"), entry("b", 90, "2"), entry("c", 180, "3", "train")], 1);
  expect([ids(train), ids(heldOut)]).toEqual(["bc", "a"]);
});

it("trains on no picture of theirs, and tells who may be the same person", () => {
  const { train, warnings } = splitEntries([entry("a", 0, "1"), entry("b", 90, "2"), entry("c", 100, "3"), entry("d", 90, "2")], 1);
  expect(ids(train)).toBe("ac");
  expect(warnings).toEqual([
    expect.stringMatching(/^b is left out/),
    expect.stringMatching(/^c \(train\) and d \(held out\) may show the same/),
  ]);
});
