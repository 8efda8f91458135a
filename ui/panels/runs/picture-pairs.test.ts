import { expect, test } from "vitest";
import type { FileRef } from "../../../engine/api/files.ts";
import { fileName, picturePairs } from "./picture-pairs.ts";

const file = (filename: string, type: FileRef["type"] = "output"): FileRef => ({ filename, subfolder: "edit", type });
type Detail = Parameters<typeof picturePairs>[0];
const detail = (nodes: readonly { readonly id: string; readonly type: string; readonly files: readonly FileRef[] }[]): Detail => ({
  summary: { name: "edit" } as Detail["summary"],
  nodes: nodes.map((n) => ({ ...n, files: [...n.files], title: "Save", state: "finished" as const, logs: [] })),
});

test("the same node's pictures by number; previews, other files, other nodes and what both runs share are left out", () => {
  const before = detail([
    { id: "9", type: "SaveImage", files: [file("a_1.png"), file("a_2.png"), file("same.png"), file("p.png", "temp")] },
    { id: "10", type: "SaveLoRA", files: [file("x.safetensors")] },
    { id: "11", type: "SaveImage", files: [file("z_1.png")] },
  ]);
  const after = detail([
    { id: "9", type: "SaveImage", files: [file("a_3.png"), file("a_4.png"), file("same.png"), file("q.png", "temp")] },
    { id: "10", type: "SaveLoRA", files: [file("y.safetensors")] },
    { id: "11", type: "PreviewImage", files: [file("z_2.png")] },
    { id: "12", type: "SaveImage", files: [file("new.png")] },
  ]);
  const pairs = picturePairs(before, after);
  expect(pairs.map(({ left, right }) => [fileName(left), fileName(right)].sort())).toEqual([
    ["edit/a_1.png", "edit/a_3.png"],
    ["edit/a_2.png", "edit/a_4.png"],
  ]);
  expect(pairs.map((p) => p.source)).toEqual(["edit/Save/1", "edit/Save/2"]);
});

test("either run stands on the left about as often, the same one each time", () => {
  const run = (n: number) => detail([{ id: "9", type: "SaveImage", files: Array.from({ length: 200 }, (_, k) => file(`a_${n + k}.png`)) }]);
  const pairs = picturePairs(run(1000), run(2000));
  const first = pairs.filter(({ left }) => left.filename < "a_2000").length;
  expect(first).toBeGreaterThan(70);
  expect(first).toBeLessThan(130);
  expect(picturePairs(run(1000), run(2000))).toEqual(pairs);
});
