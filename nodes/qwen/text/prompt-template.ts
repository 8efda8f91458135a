// The prompts Qwen-Image was trained with, verbatim, and how many of their tokens are dropped.
import { z } from "zod";
import { AppError } from "../../../engine/base/errors.ts";

const SYSTEM = {
  edit: "Describe the key features of the input image (color, shape, size, texture, objects, background), then explain how the user's text instruction should alter or modify the image. Generate a new image that meets the user's requirements while maintaining consistency with the original input where appropriate.",
  t2i: "Describe the image by detailing the color, shape, size, texture, quantity, text, spatial relationships of the objects and background:",
};
const PICTURE = "<|vision_start|><|image_pad|><|vision_end|>";

const Template = z.enum(["edit", "plus", "t2i"]);
export type Template = z.infer<typeof Template>;

/** @throws AppError TEXT_TEMPLATE */
export function templateOf(name: string): Template {
  const parsed = Template.safeParse(name);
  if (parsed.success) return parsed.data;
  throw new AppError("TEXT_TEMPLATE", `Qwen2.5-VL has no prompt template ${name}`, { hint: `use ${Template.options.join(", ")}` });
}

/**
 * The whole text of a request. `edit` shows its picture before the prompt, `plus` numbers its pictures by slot, `t2i` has none.
 * @param slots number of each picture, from 1
 */
export function promptText(template: Template, prompt: string, slots: readonly number[]): string {
  const pictures = {
    edit: () => PICTURE.repeat(slots.length),
    plus: () => slots.map((slot) => `Picture ${slot}: ${PICTURE}`).join(""),
    t2i: () => "",
  }[template]();
  const system = template === "t2i" ? SYSTEM.t2i : SYSTEM.edit;
  return `<|im_start|>system\n${system}<|im_end|>\n<|im_start|>user\n${pictures}${prompt}<|im_end|>\n<|im_start|>assistant\n`;
}

/** Ids of the markers the drop rule looks for. */
export interface TemplateMarkers {
  readonly imStart: number;
  /** The tokens of "user\n". */
  readonly user: readonly number[];
}

/**
 * Leading tokens whose states are dropped: all before the second `<|im_start|>`, and that marker with "user\n" where it follows
 * (ComfyUI's rule; 64 and 34 with the templates above, and it works for a user's own template too).
 */
export function droppedTokens(ids: readonly number[], { imStart, user }: TemplateMarkers): number {
  const first = ids.indexOf(imStart);
  if (first < 0) return 0;
  const second = ids.indexOf(imStart, first + 1);
  const start = second < 0 ? first : second;
  const end = start + 1 + user.length;
  return end < ids.length && user.every((id, i) => ids[start + 1 + i] === id) ? end : start;
}
