import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./clip-loader.node.ts";
import { findTokenizer } from "./text/find-tokenizer.ts";
import { openQwenVl } from "./text/open-qwen-vl.ts";
import { textEncoder } from "./text/text-encoder.ts";

export default implementNode(declaration, {
  async run({ clip_name }, ctx) {
    const file = await ctx.models.open("text_encoders", clip_name);
    const model = await openQwenVl(file);
    const { tokenizer, fingerprint } = await findTokenizer(ctx.models, file, clip_name);
    return { CLIP: textEncoder(`text:${file.fingerprint}:${fingerprint}`, model, tokenizer) };
  },
});
