import { expect, test } from "vitest";
import type { NodeContext } from "../../engine/node/context.ts";
import type { AnyNode } from "../../engine/node/define-node.ts";
import cameraAngle from "./camera-angle.ts";
import comfySwitchNode from "./comfy-switch-node.ts";
import previewAny, { previewText } from "./preview-any.ts";
import primitiveBoolean from "./primitive-boolean.ts";
import primitiveFloat from "./primitive-float.ts";
import primitiveInt from "./primitive-int.ts";
import primitiveString from "./primitive-string.ts";
import primitiveStringMultiline from "./primitive-string-multiline.ts";

/** These nodes touch nothing of the context but `show`. */
function context(shown: unknown[]): NodeContext {
  const refuse = (): never => {
    throw new Error("a core node must not use this");
  };
  return {
    nodeId: "1",
    signal: new AbortController().signal,
    compute: { device: "cpu", memory: { wholeBytes: 2 ** 34, keptWeightBytes: 2 ** 33 }, compile: refuse, grad: refuse, run: refuse },
    models: { list: refuse, open: refuse, bytes: refuse, findExternal: refuse },
    readInput: refuse,
    listInputs: refuse,
    save: refuse,
    saveAs: refuse,
    runDirectory: refuse,
    workflow: { prompt: {} },
    score: refuse,
    show: (ui) => shown.push(ui),
    progress: refuse,
    log: refuse,
    random: refuse,
    memory: refuse,
    now: refuse,
  };
}
const run = (node: AnyNode, inputs: Record<string, unknown>) => node.run(inputs, context([]), {});

test("primitives hand their value on, and say so beforehand", async () => {
  const cases: [AnyNode, unknown, string][] = [
    [primitiveInt, 7, "INT"],
    [primitiveFloat, 0.5, "FLOAT"],
    [primitiveBoolean, true, "BOOLEAN"],
    [primitiveString, "a", "STRING"],
    [primitiveStringMultiline, "a\nb", "STRING"],
  ];
  for (const [node, value, output] of cases) {
    expect(await run(node, { value })).toEqual({ [output]: value });
    expect(node.passes?.({ value })).toBe("value");
  }
});

test("the switch passes on the chosen branch; an empty branch is an error with a remedy", async () => {
  expect(await run(comfySwitchNode, { switch: true, on_true: 1, on_false: 2 })).toEqual({ output: 1 });
  expect(await run(comfySwitchNode, { switch: false, on_true: 1, on_false: 2 })).toEqual({ output: 2 });
  expect(() => run(comfySwitchNode, { switch: true, on_false: 2 })).toThrow(expect.objectContaining({ code: "SWITCH_BRANCH_MISSING" }));
  expect([true, false, undefined].map((s) => comfySwitchNode.passes?.(s === undefined ? {} : { switch: s }))).toEqual([
    "on_true",
    "on_false",
    undefined,
  ]);
});

test("PreviewAny shows text as it is and everything else readably", async () => {
  const shown: unknown[] = [];
  await previewAny.run({ source: { a: [1, 2n], data: new Float32Array(4) } }, context(shown), {});
  expect(shown).toEqual([{ text: ['{\n  "a": [\n    1,\n    2\n  ],\n  "data": "Float32Array of 16 bytes"\n}'] }]);
  expect(previewText("hi")).toBe("hi");
  expect(previewText(undefined)).toBe("null");
  const loop: Record<string, unknown> = { build: () => 1, map: new Map([[1, 2]]) };
  loop.self = loop;
  expect(previewText(loop)).toBe('{\n  "build": "ƒ",\n  "map": "Map of 1",\n  "self": "…"\n}');
  expect(previewText(Array.from({ length: 1000 }, (_, i) => i))).toContain("… 1000 in all");
  expect(previewText("x".repeat(50_000)).length).toBe(20_000);
});

// ComfyUI's nodes_camera_angle: sectors of 45° round the front, and where each word begins.
test.each([
  [333, 17, 5, "front-left quarter view elevated shot medium shot"],
  [338, -16, 1.9, "front view low-angle shot wide shot"],
  [360, 14, 2, "front view eye-level shot medium shot"],
  [90, -15, 6, "right side view eye-level shot close-up"],
  [200, 45, 10, "back view high-angle shot close-up"],
])("CameraAngle %s, %s, %s", async (horizontal_angle, vertical_angle, zoom, expected) => {
  const { prompt, camera_info } = await cameraAngle.run(
    { horizontal_angle, vertical_angle, zoom, image: undefined, view: "" },
    context([]),
    {},
  );
  expect(prompt).toBe(expected);
  const { x, y, z } = camera_info.position;
  expect([Math.hypot(x, y, z), camera_info.fov]).toEqual([expect.closeTo(6, 9), 35]);
  expect(Math.asin(y / 6) * 57.29577951308232).toBeCloseTo(vertical_angle, 9);
});
