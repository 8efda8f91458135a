import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { CLIP, CONDITIONING } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "CLIPTextEncode",
  version: "1.0.0",
  category: "conditioning",
  summary: "Encodes a prompt without pictures: with it Qwen-Image makes pictures from text.",
  inputs: { text: widget(z.string().default(""), { multiline: true }), clip: input(CLIP) },
  outputs: { CONDITIONING },
  cache: "pure",
});
