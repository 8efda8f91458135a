import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { IMAGE, MASK } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "ImageToMask",
  version: "1.0.0",
  category: "mask",
  summary: "One channel of pictures as masks.",
  inputs: { image: input(IMAGE), channel: widget(z.enum(["red", "green", "blue", "alpha"]).default("red")) },
  outputs: { MASK },
  cache: "pure",
});
