import { AppError } from "../../../engine/base/errors.ts";
import type { Compute } from "../../../engine/ir/compute.ts";
import { f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import type { PreparedText, TextEncoder, TextRequest } from "../../shared/contracts/diffusion.ts";
import { allFinite } from "../../shared/finite.ts";
import type { Part, QwenVl } from "./open-qwen-vl.ts";
import { droppedTokens, promptText, templateOf } from "./prompt-template.ts";
import { patchify } from "./vision/patchify.ts";
import { visionPixels } from "./vision/vision-pixels.ts";

/** What the encoder needs from a tokenizer: special tokens in the text become their ids. */
export interface TextTokenizer {
  encode(text: string): readonly number[];
}

/** A {@link TextEncoder} from an opened model and its tokenizer. @param id part of cache keys: names both */
export function textEncoder(id: string, model: QwenVl, tokenizer: TextTokenizer): TextEncoder {
  const special = (text: string): number => {
    const ids = tokenizer.encode(text);
    const [only] = ids;
    if (only === undefined || ids.length !== 1)
      throw new AppError("TEXT_TOKENIZER", `the tokenizer does not know ${text}`, { hint: "use the tokenizer of Qwen2.5-VL" });
    return only;
  };
  const imStart = special("<|im_start|>");
  const imagePad = special("<|image_pad|>");
  const user = tokenizer.encode("user\n");

  const sequence = async (compute: Compute, { template, prompt, images, resample }: TextRequest): Promise<Sequence> => {
    // Like ComfyUI, this treats a prompt that opens a turn itself as a whole template.
    const whole = resample === "comfyui" && prompt.startsWith("<|im_start|>");
    const slots = images.map((i) => i.slot);
    const ids = tokenizer.encode(whole ? prompt : promptText(templateOf(template), prompt, slots));
    const pictures: Extract<Part, { kind: "image" }>[] = [];
    for (const { image } of images) pictures.push(await seePicture(compute, model, image, resample));
    const { parts, expanded } = insertPictures(ids, imagePad, pictures);
    return { parts, dropped: droppedTokens(expanded, { imStart, user }) };
  };

  return {
    id,
    async encode(compute, request) {
      const { parts, dropped } = await sequence(compute, request);
      const hidden = await model.hidden(compute, parts);
      if (!allFinite(hidden.data)) {
        const where = await model.findNotFinite();
        throw new AppError(
          "TEXT_NOT_FINITE",
          `the text encoder's states hold NaN or Inf${where === undefined ? "" : `: so does ${where}`}`,
          {
            hint: where === undefined ? "look at the pictures of the prompt" : "the file is damaged: download it again, or save it again",
          },
        );
      }
      const [, length = 0, width = 0] = hidden.shape;
      return { embeds: f32([1, length - dropped, width], hidden.data.slice(dropped * width)) };
    },
    async prepare(compute, request) {
      return preparedText(model, await sequence(compute, request));
    },
  };
}

interface Sequence {
  readonly parts: readonly Part[];
  /** Leading tokens whose states are left out. */
  readonly dropped: number;
}

const prepared = new WeakMap<PreparedText, Sequence>();

function preparedText(model: QwenVl, own: Sequence): PreparedText {
  const text: PreparedText = {
    batch(requests) {
      const sequences = requests.map((r) => {
        const found = prepared.get(r);
        if (found?.dropped !== own.dropped)
          throw new AppError("TEXT_BATCH", "prompts of one batch must have been prepared by one encoder, with one template");
        return found;
      });
      const states = model.batch(sequences.map((s) => s.parts));
      const length = states.length - own.dropped;
      return {
        length,
        feeds: states.feeds,
        real: states.lengths.flatMap((n) => Array.from({ length }, (_, k) => k < n - own.dropped)),
        build: (b) => b.slice(states.build(b), 1, own.dropped, own.dropped + length),
      };
    },
  };
  prepared.set(text, own);
  return text;
}

async function seePicture(
  compute: Compute,
  model: QwenVl,
  image: Tensor<"float32">,
  resample: "diffusers" | "comfyui",
): Promise<Extract<Part, { kind: "image" }>> {
  const { patch, merge } = model.config.vision;
  const { planes, grid } = visionPixels(image, resample, patch, merge);
  return { kind: "image", grid, tokens: await model.vision(compute, patchify(planes, grid, patch, merge), grid) };
}

/**
 * Puts each picture in place of one `<|image_pad|>`, in order; surplus pads stay ordinary tokens.
 * `expanded` is the sequence token by token, −1 for a vision token.
 */
export function insertPictures(
  ids: readonly number[],
  imagePad: number,
  pictures: readonly Extract<Part, { kind: "image" }>[],
): { readonly parts: readonly Part[]; readonly expanded: readonly number[] } {
  const parts: Part[] = [];
  const expanded: number[] = [];
  let text: number[] = [];
  let next = 0;
  for (const id of ids) {
    const picture = id === imagePad ? pictures[next] : undefined;
    if (!picture) {
      text.push(id);
      expanded.push(id);
      continue;
    }
    next++;
    if (text.length) parts.push({ kind: "text", ids: text });
    text = [];
    parts.push(picture);
    for (let i = 0; i < (picture.tokens.shape[0] ?? 0); i++) expanded.push(-1);
  }
  if (text.length) parts.push({ kind: "text", ids: text });
  return { parts, expanded };
}
