import { expect, test } from "vitest";
import { droppedTokens, promptText } from "./prompt-template.ts";

const PICTURE = "<|vision_start|><|image_pad|><|vision_end|>";

test("pictures stand before the prompt, numbered by slot in Plus", () => {
  expect(promptText("edit", "Hi", [1])).toMatch(
    new RegExp(`user\n${PICTURE.replaceAll("|", "\\|")}Hi<\\|im_end\\|>\n<\\|im_start\\|>assistant\n$`),
  );
  expect(promptText("plus", "Hi", [1, 3])).toContain(`<|im_start|>user\nPicture 1: ${PICTURE}Picture 3: ${PICTURE}Hi<|im_end|>`);
  expect(promptText("plus", "", [])).toContain("<|im_start|>user\n<|im_end|>");
  expect(promptText("t2i", "Hi", [])).toMatch(/^<\|im_start\|>system\nDescribe the image by detailing/);
});

test("the system part and the opening of the user's turn are dropped", () => {
  const markers = { imStart: 9, user: [5, 6] };
  expect(droppedTokens([9, 1, 2, 9, 5, 6, 7, 9, 8], markers)).toBe(6);
  expect(droppedTokens([9, 1, 2, 9, 4, 6, 7], markers)).toBe(3);
  expect(droppedTokens([9, 5, 6, 7, 7], markers)).toBe(3);
  expect(droppedTokens([1, 2], markers)).toBe(0);
  // Nothing else would be left, so only the marker is dropped, as in ComfyUI.
  expect(droppedTokens([9, 1, 9, 5, 6], markers)).toBe(2);
});
